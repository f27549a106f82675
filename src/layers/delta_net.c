/* Gated delta nets (Yang, Kautz and Hatamizadeh 2024). Instead of the keys and values of all
 * positions, a head keeps one matrix that maps keys to values; each token corrects what the matrix
 * gives for the token's key. One layer's part of a recurrent state is
 *
 *     [conv_taps - 1][channels]
 *         the last inputs of the convolution, oldest first; zeros before the first token
 *     [delta_n_head][delta_head_dim][delta_head_dim]
 *         the heads' matrices, a row for each element of the keys
 *
 * The tokens change the state one after the other, whatever batch they are in, so that running them
 * again from an earlier state gives the same bits. */
#include "layers.h"
#include "../kernels/exp.h"

#include <math.h>
#include <string.h>

void tgi_delta_net_layout(tg_scratch *s, tg_arena *arena)
{
    const tg_hparams *hp = s->hparams;
    const size_t channels = tgi_delta_net_channels(hp),
                 inner = (size_t)hp->delta_n_head * hp->delta_head_dim;
    const uint64_t state = (uint64_t)hp->delta_head_dim * hp->delta_head_dim;
    s->delta = (tg_delta_net_scratch){
        .qkv = tgi_plan_rows(arena, TG_BATCH, channels),
        .conv_out = tgi_plan_rows(arena, TG_BATCH, channels),
        .gate = tgi_plan_rows(arena, TG_BATCH, inner),
        .out = tgi_plan_rows(arena, TG_BATCH, inner),
        .alpha = tgi_plan_rows(arena, TG_BATCH, hp->delta_n_head),
        .beta = tgi_plan_rows(arena, TG_BATCH, hp->delta_n_head),
        .states = tgi_arena_alloc(arena, tgi_pool_n_threads(s->pool) * state, sizeof(float)),
    };
}

typedef struct delta_task {
    tg_scratch *s;
    const tg_layer *w;
    size_t channels, inner, heads; /* floats in a row of qkv and conv_out, of gate and out, of alpha
                                      and beta */
} delta_task;

/* The convolution's input `back` tokens before the batch; NULL: the sequence starts there. */
static const float *input_before(const tg_scratch *s, const tg_layer *w, uint32_t back)
{
    const tg_hparams *hp = s->hparams;
    return s->batch->state ? s->batch->state + w->recurrent_offset +
                                 (size_t)(hp->conv_taps - 1 - back) * tgi_delta_net_channels(hp)
                           : NULL;
}

/* Floats before the matrix of a head in a recurrent state. */
static size_t head_offset(const tg_hparams *hp, const tg_layer *w, size_t head)
{
    return w->recurrent_offset + (size_t)(hp->conv_taps - 1) * tgi_delta_net_channels(hp) +
           head * hp->delta_head_dim * hp->delta_head_dim;
}

/* The latest token of the batch before token i that token t sees; negative: it is before the batch,
 * -1 for the last one there. */
static int64_t seen_before(const tg_batch *batch, uint32_t t, int64_t i)
{
    for (i--; i >= 0 && !tgi_batch_sees(batch, t, (uint32_t)i);)
        i--;
    return i;
}

/* x / max(|x|, eps) * scale */
static void l2_norm(float *x, size_t n, float eps, float scale)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)x[i] * x[i];
    const float length = (float)sqrt(squares), factor = scale / (length < eps ? eps : length);
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

/* Items are tokens: convolution, SiLU, and the L2 norm of queries and keys. */
static void convolve(void *context, size_t first, size_t last, uint32_t thread)
{
    const delta_task *task = context;
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const uint32_t n = tgi_delta_net_channels(hp), n_taps = hp->conv_taps, dim = hp->delta_head_dim;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *y = s->delta.conv_out + t * task->channels;
        int64_t i = (int64_t)t;
        memset(y, 0, n * sizeof *y);
        /* the token itself, then the tokens that it sees, backwards */
        for (uint32_t tap = n_taps; tap--; i = seen_before(s->batch, (uint32_t)t, i)) {
            const float *x = i < 0 ? input_before(s, task->w, (uint32_t)-i)
                                   : s->delta.qkv + (size_t)i * task->channels;
            const float *weight = task->w->delta_conv.values + tap;
            for (size_t k = 0; x && k < n; k++)
                y[k] += x[k] * weight[k * n_taps];
        }
        s->kernels->swiglu_f32(y, NULL, n);
        for (uint32_t h = 0; h < hp->delta_n_head_k; h++) {
            l2_norm(y + h * dim, dim, hp->norm_eps, 1 / sqrtf((float)dim));
            l2_norm(y + (hp->delta_n_head_k + h) * dim, dim, hp->norm_eps, 1);
        }
    }
}

/* One token's step of a head: changes its state [dim][dim] and writes out [dim]. */
static void step(const delta_task *task, uint32_t head, uint32_t t, float *state, float *out)
{
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const tg_layer *w = task->w;
    const size_t dim = hp->delta_head_dim, n_keys = hp->delta_n_head_k * dim;
    const float *row = s->delta.conv_out + t * task->channels;
    const float *q = row + head % hp->delta_n_head_k * dim, *k = q + n_keys,
                *v = row + 2 * n_keys + head * dim;
    const double alpha = (double)s->delta.alpha[t * task->heads + head] + w->delta_dt.values[head];
    const double rate = alpha > 20 ? alpha : log1p(exp(alpha)); /* softplus */
    const float decay = (float)exp(rate * w->delta_a.values[head]),
                beta = tgi_sigmoid(s->delta.beta[t * task->heads + head]);
    s->kernels->delta_f32(state, q, k, v, decay, beta, dim, out);
}

/* Sets a head's matrix to its state before the batch. */
static void load_state(const delta_task *task, size_t head, float *state)
{
    const tg_scratch *s = task->s;
    const size_t dim = s->hparams->delta_head_dim, bytes = dim * dim * sizeof *state;
    if (s->batch->state)
        memcpy(state, s->batch->state + head_offset(s->hparams, task->w, head), bytes);
    else
        memset(state, 0, bytes);
}

/* Items are heads: each runs through all tokens, then its outputs are normed and gated. */
static void run_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const delta_task *task = context;
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const tg_batch *batch = s->batch;
    const size_t dim = hp->delta_head_dim;
    for (size_t head = first; head < last; head++) {
        float *state = batch->state_after ? batch->state_after + head_offset(hp, task->w, head)
                                          : s->delta.states + thread * dim * dim;
        int64_t state_of = -1; /* the token after which `state` is; -1: before the batch */
        load_state(task, head, state);
        for (uint32_t t = 0; t < batch->n; t++) {
            float *out = s->delta.out + t * task->inner + head * dim;
            if (seen_before(batch, t, t) !=
                state_of) { /* another branch of a tree: its tokens are run again */
                load_state(task, head, state);
                for (uint32_t i = 0; i < t; i++)
                    if (tgi_batch_sees(batch, t, i))
                        step(task, (uint32_t)head, i, state, out);
            }
            step(task, (uint32_t)head, t, state, out);
            state_of = t;
        }
        for (uint32_t t = 0; t < batch->n; t++) {
            float *out = s->delta.out + t * task->inner + head * dim,
                  *gate = s->delta.gate + t * task->inner + head * dim;
            s->kernels->rmsnorm_f32(out, task->w->delta_norm.values, hp->norm_eps, dim, out);
            s->kernels->swiglu_f32(gate, out, dim);
            memcpy(out, gate, dim * sizeof *out);
        }
    }
}

/* Writes the last inputs of the convolution into the state after the batch. */
static void store_inputs(const delta_task *task)
{
    const tg_scratch *s = task->s;
    const tg_batch *batch = s->batch;
    const size_t n = tgi_delta_net_channels(s->hparams);
    const uint32_t n_inputs = s->hparams->conv_taps - 1;
    for (uint32_t i = 0; i < n_inputs; i++) {
        const uint32_t back = n_inputs - i; /* tokens before the end of the batch */
        const float *x = back <= batch->n ? s->delta.qkv + (batch->n - back) * task->channels
                                          : input_before(s, task->w, back - batch->n);
        float *to = batch->state_after + task->w->recurrent_offset + i * n;
        if (x)
            memcpy(to, x, n * sizeof *to);
        else
            memset(to, 0, n * sizeof *to);
    }
}

void tgi_delta_net(tg_scratch *s, const tg_layer *w)
{
    const tg_hparams *hp = s->hparams;
    const double start = tgi_profile_begin(&s->profile);
    delta_task task = {.s = s,
                       .w = w,
                       .channels = tgi_padded(tgi_delta_net_channels(hp)),
                       .inner = tgi_padded((size_t)hp->delta_n_head * hp->delta_head_dim),
                       .heads = tgi_padded(hp->delta_n_head)};
    tgi_run(s, s->batch->n, 4, convolve, &task);
    tgi_run(s, hp->delta_n_head, 1, run_heads, &task);
    if (s->batch->state_after)
        store_inputs(&task);
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_delta_net, start);
}
