/* Gated delta nets (Yang, Kautz and Hatamizadeh 2024): in place of keys and values of all positions
 * a head keeps one matrix that maps keys to values, and corrects at each token what it maps that
 * token's key to. In: delta.in, gate, alpha and beta of a batch, and a recurrent state. Out:
 * delta.out, and the state after the batch. A recurrent state has for each layer
 *
 *     [n_conv - 1][channels]                  what went into the convolution, the oldest first;
 * zeros before the first token [delta_heads][delta_dim][delta_dim]     the heads' states, a row for
 * each element of the keys
 *
 * Token after token changes it in the same way whatever batch the token is in, so that running
 * again from an earlier state gives the same bits. */
#include "forward.h"
#include "../kernels/exp.h"

#include <math.h>
#include <string.h>

uint32_t tgi_delta_net_channels(const tg_hparams *hp)
{
    return (2 * hp->delta_keys + hp->delta_heads) * hp->delta_dim;
}

uint64_t tgi_delta_net_state_size(const tg_hparams *hp)
{
    return (uint64_t)(hp->n_conv - 1) * tgi_delta_net_channels(hp) +
           (uint64_t)hp->delta_heads * hp->delta_dim * hp->delta_dim;
}

void tgi_delta_net_layout(tg_scratch *f, tg_arena *arena)
{
    const tg_hparams *hp = f->hparams;
    const size_t channels = tgi_padded(tgi_delta_net_channels(hp)),
                 inner = tgi_padded((size_t)hp->delta_heads * hp->delta_dim);
    const size_t heads = tgi_padded(hp->delta_heads), state = (size_t)hp->delta_dim * hp->delta_dim;
    f->delta = (tg_delta_net_scratch){
        .in = tgi_arena_alloc(arena, TG_BATCH * channels, sizeof(float)),
        .mixed = tgi_arena_alloc(arena, TG_BATCH * channels, sizeof(float)),
        .gate = tgi_arena_alloc(arena, TG_BATCH * inner, sizeof(float)),
        .out = tgi_arena_alloc(arena, TG_BATCH * inner, sizeof(float)),
        .alpha = tgi_arena_alloc(arena, TG_BATCH * heads, sizeof(float)),
        .beta = tgi_arena_alloc(arena, TG_BATCH * heads, sizeof(float)),
        .states = tgi_arena_alloc(arena, tgi_pool_n_threads(f->pool) * state, sizeof(float)),
    };
}

typedef struct net {
    tg_scratch *f;
    const tg_layer *w;
    size_t channels, inner, heads; /* floats from row to row of the scratch memory */
} net;

/* What went into the convolution `back` tokens before a batch, or NULL when it begins the sequence.
 */
static const float *before(const tg_scratch *f, const tg_layer *w, uint32_t back)
{
    const tg_hparams *hp = f->hparams;
    return f->batch->state ? f->batch->state + w->state_at +
                                 (size_t)(hp->n_conv - 1 - back) * tgi_delta_net_channels(hp)
                           : NULL;
}

/* The heads' states in a recurrent state. */
static size_t heads_at(const tg_hparams *hp, const tg_layer *w)
{
    return w->state_at + (size_t)(hp->n_conv - 1) * tgi_delta_net_channels(hp);
}

/* x / max(|x|, eps) * scale */
static void unit_length(float *x, size_t n, float eps, float scale)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)x[i] * x[i];
    const float length = (float)sqrt(squares), factor = scale / (length < eps ? eps : length);
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

/* Items are tokens: convolution, SiLU, and queries and keys to length 1. */
static void convolve(void *context, size_t first, size_t last, uint32_t thread)
{
    const net *c = context;
    const tg_scratch *f = c->f;
    const tg_hparams *hp = f->hparams;
    const uint32_t n = tgi_delta_net_channels(hp), n_taps = hp->n_conv;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *y = f->delta.mixed + t * c->channels;
        int64_t i = (int64_t)t; /* a token of the batch, or below 0 one before it */
        memset(y, 0, n * sizeof *y);
        for (uint32_t tap = n_taps;
             tap--;) { /* the token itself, then those that it sees, backwards */
            const float *x =
                i < 0 ? before(f, c->w, (uint32_t)-i) : f->delta.in + (size_t)i * c->channels;
            const float *weight = c->w->delta_conv.values + tap;
            for (size_t k = 0; x && k < n; k++)
                y[k] += x[k] * weight[k * n_taps];
            for (i--; i >= 0 && !tgi_batch_sees(f->batch, (uint32_t)t, (uint32_t)i);)
                i--;
        }
        f->kernels->swiglu_f32(y, NULL, n);
        for (uint32_t h = 0; h < hp->delta_keys; h++) {
            unit_length(y + h * hp->delta_dim, hp->delta_dim, hp->norm_eps,
                        1 / sqrtf((float)hp->delta_dim));
            unit_length(y + (hp->delta_keys + h) * hp->delta_dim, hp->delta_dim, hp->norm_eps, 1);
        }
    }
}

/* One token's step of a head: state is changed, and out gets what the query finds. */
static void step(const net *c, uint32_t head, uint32_t t, float *state, float *out)
{
    const tg_scratch *f = c->f;
    const tg_hparams *hp = f->hparams;
    const size_t dim = hp->delta_dim, key = head % hp->delta_keys * dim,
                 keys = hp->delta_keys * dim;
    const float *row = f->delta.mixed + t * c->channels;
    const double alpha = (double)f->delta.alpha[t * c->heads + head] + c->w->delta_dt.values[head];
    const double rate = alpha > 20 ? alpha : log1p(exp(alpha)); /* softplus */
    const float decay = (float)exp(rate * c->w->delta_a.values[head]),
                beta = tgi_sigmoid(f->delta.beta[t * c->heads + head]);
    f->kernels->delta_f32(state, row + key, row + keys + key, row + 2 * keys + head * dim, decay,
                          beta, dim, out);
}

/* The latest token of the batch that token t sees besides itself, or -1. */
static int64_t parent_of(const tg_batch *batch, uint32_t t)
{
    int64_t i = (int64_t)t - 1;
    while (i >= 0 && !tgi_batch_sees(batch, t, (uint32_t)i))
        i--;
    return i;
}

/* Items are heads, each through all tokens; then their outputs are normed and weighted. */
static void run_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const net *c = context;
    const tg_scratch *f = c->f;
    const tg_hparams *hp = f->hparams;
    const tg_batch *batch = f->batch;
    const size_t dim = hp->delta_dim, bytes = dim * dim * sizeof(float);
    for (size_t head = first; head < last; head++) {
        const size_t at = heads_at(hp, c->w) + head * dim * dim;
        float *state =
            batch->state_after ? batch->state_after + at : f->delta.states + thread * dim * dim;
        int64_t holds =
            -2; /* the token after which state is: -1: the batch's beginning, -2: none */
        for (uint32_t t = 0; t < batch->n; t++) {
            float *out = f->delta.out + t * c->inner + head * dim;
            if (holds == -2 ||
                parent_of(batch, t) != holds) { /* another branch of a tree: its tokens once more */
                if (batch->state)
                    memcpy(state, batch->state + at, bytes);
                else
                    memset(state, 0, bytes);
                for (uint32_t i = 0; i < t; i++)
                    if (batch->visible && tgi_batch_sees(batch, t, i))
                        step(c, (uint32_t)head, i, state, out);
            }
            step(c, (uint32_t)head, t, state, out);
            holds = t;
        }
        for (uint32_t t = 0; t < batch->n; t++) {
            float *out = f->delta.out + t * c->inner + head * dim,
                  *gate = f->delta.gate + t * c->inner + head * dim;
            f->kernels->rmsnorm_f32(out, c->w->delta_norm.values, hp->norm_eps, dim, out);
            f->kernels->swiglu_f32(gate, out, dim);
            memcpy(out, gate, dim * sizeof *out);
        }
    }
}

/* What the next batch's convolution looks back on. */
static void keep_inputs(const net *c)
{
    const tg_scratch *f = c->f;
    const tg_batch *batch = f->batch;
    const size_t n = tgi_delta_net_channels(f->hparams);
    const uint32_t n_kept = f->hparams->n_conv - 1;
    for (uint32_t i = 0; i < n_kept; i++) {
        const uint32_t back = n_kept - i; /* before the end of the batch */
        const float *x = back <= batch->n ? f->delta.in + (batch->n - back) * c->channels
                                          : before(f, c->w, back - batch->n);
        float *to = batch->state_after + c->w->state_at + i * n;
        if (x)
            memcpy(to, x, n * sizeof *to);
        else
            memset(to, 0, n * sizeof *to);
    }
}

void tgi_delta_net(tg_scratch *f, const tg_layer *w)
{
    const tg_hparams *hp = f->hparams;
    const double begun = tgi_profile_begin(f);
    net c = {f, w, tgi_padded(tgi_delta_net_channels(hp)),
             tgi_padded((size_t)hp->delta_heads * hp->delta_dim), tgi_padded(hp->delta_heads)};
    tgi_run(f, f->batch->n, 4, convolve, &c);
    tgi_run(f, hp->delta_heads, 1, run_heads, &c);
    if (f->batch->state_after)
        keep_inputs(&c);
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_delta, begun);
}
