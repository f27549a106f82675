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
    s->delta = (tg_delta_net_scratch){
        .qkv = tgi_plan_rows(arena, TG_BATCH, channels),
        .conv_out = tgi_plan_rows(arena, TG_BATCH, channels),
        .gate = tgi_plan_rows(arena, TG_BATCH, inner),
        .out = tgi_plan_rows(arena, TG_BATCH, inner),
        .alpha = tgi_plan_rows(arena, TG_BATCH, hp->delta_n_head),
        .beta = tgi_plan_rows(arena, TG_BATCH, hp->delta_n_head),
    };
}

typedef struct delta_task {
    tg_scratch *s;
    const tg_layer *w;
    size_t channels, inner, heads; /* floats in a row of qkv and conv_out, of gate and out, of alpha
                                      and beta */
} delta_task;

/* The convolution's input `back` tokens before the sequence's rows; NULL: the text starts there. */
static const float *input_before(const tg_scratch *s, const tg_sequence *sequence,
                                 const tg_layer *w, uint32_t back)
{
    const tg_hparams *hp = s->hparams;
    return sequence->state ? sequence->state + w->recurrent_offset +
                                 (size_t)(hp->conv_taps - 1 - back) * tgi_delta_net_channels(hp)
                           : NULL;
}

/* Floats before the matrix of a head in a recurrent state. */
static size_t head_offset(const tg_hparams *hp, const tg_layer *w, size_t head)
{
    return w->recurrent_offset + (size_t)(hp->conv_taps - 1) * tgi_delta_net_channels(hp) +
           head * hp->delta_head_dim * hp->delta_head_dim;
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
        const tg_sequence *sequence = tgi_batch_sequence(s->batch, t);
        memset(y, 0, n * sizeof *y);
        /* the token itself, then the tokens before it */
        for (uint32_t tap = n_taps; tap--;) {
            const size_t back = n_taps - 1 - tap, n_before = t - sequence->first;
            const float *x = back > n_before
                                 ? input_before(s, sequence, task->w, (uint32_t)(back - n_before))
                                 : s->delta.qkv + (t - back) * task->channels;
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

/* Runs a head through the sequence's rows, from its state before them to its state after them. */
static void run_head(const delta_task *task, const tg_sequence *sequence, uint32_t head)
{
    const tg_hparams *hp = task->s->hparams;
    const size_t dim = hp->delta_head_dim, offset = head_offset(hp, task->w, head);
    float *state = sequence->state_after + offset;
    if (sequence->state)
        memcpy(state, sequence->state + offset, dim * dim * sizeof *state);
    else
        memset(state, 0, dim * dim * sizeof *state);
    for (uint32_t t = sequence->first; t < sequence->first + sequence->n; t++)
        step(task, head, t, state, task->s->delta.out + t * task->inner + head * dim);
}

/* Items are heads of sequences: each runs through all rows, then its outputs are normed and gated.
 */
static void run_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const delta_task *task = context;
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const size_t dim = hp->delta_head_dim;
    (void)thread;
    for (size_t item = first; item < last; item++) {
        const tg_sequence *sequence = &s->batch->sequences[item / hp->delta_n_head];
        const uint32_t head = (uint32_t)(item % hp->delta_n_head);
        run_head(task, sequence, head);
        for (uint32_t t = sequence->first; t < sequence->first + sequence->n; t++) {
            float *out = s->delta.out + t * task->inner + head * dim,
                  *gate = s->delta.gate + t * task->inner + head * dim;
            s->kernels->rmsnorm_f32(out, task->w->delta_norm.values, hp->norm_eps, dim, out);
            s->kernels->swiglu_f32(gate, out, dim);
            memcpy(out, gate, dim * sizeof *out);
        }
    }
}

/* Writes the last inputs of the convolution into the state after the sequence's rows. */
static void store_inputs(const delta_task *task, const tg_sequence *sequence)
{
    const tg_scratch *s = task->s;
    const size_t n = tgi_delta_net_channels(s->hparams);
    const uint32_t n_inputs = s->hparams->conv_taps - 1, end = sequence->first + sequence->n;
    for (uint32_t i = 0; i < n_inputs; i++) {
        const uint32_t back = n_inputs - i; /* tokens before the end of the rows */
        const float *x = back <= sequence->n
                             ? s->delta.qkv + (end - back) * task->channels
                             : input_before(s, sequence, task->w, back - sequence->n);
        float *to = sequence->state_after + task->w->recurrent_offset + i * n;
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
    tgi_run(s, (size_t)hp->delta_n_head * s->batch->n_sequences, 1, run_heads, &task);
    for (uint32_t i = 0; i < s->batch->n_sequences; i++)
        store_inputs(&task, &s->batch->sequences[i]);
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_delta_net, start);
}
