/* Gates of attention's output, and clamping of queries, keys and values. Items of all tasks are
 * tokens. */
#include "layers.h"
#include "../kernels/exp.h"

static void split_q_gate(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_layer_task *task = context;
    const tg_scratch *s = task->s;
    const size_t dim = task->w->head_dim, n_q = s->hparams->n_head * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < n_q; i++)
            s->q[t * tgi_padded(n_q) + i] =
                s->q_gate[t * tgi_padded(2 * n_q) + i / dim * 2 * dim + i % dim];
}

void tgi_split_q_gate(tg_scratch *s, const tg_layer *w)
{
    tgi_run(s, s->batch->n, 8, split_q_gate, &(tg_layer_task){s, w});
}

static void gate_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_layer_task *task = context;
    const tg_scratch *s = task->s;
    const size_t dim = task->w->head_dim, n_q = s->hparams->n_head * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < n_q; i++)
            s->attn_out[t * tgi_padded(n_q) + i] *=
                tgi_sigmoid(s->q_gate[t * tgi_padded(2 * n_q) + i / dim * 2 * dim + dim + i % dim]);
}

void tgi_gate_heads(tg_scratch *s, const tg_layer *w)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 8, gate_heads, &(tg_layer_task){s, w});
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_activation, start);
}

/* NaN stays NaN: both comparisons are false. */
static void clamp_values(float *values, size_t n, float max)
{
    for (size_t i = 0; i < n; i++)
        values[i] = values[i] > max ? max : values[i] < -max ? -max : values[i];
}

static void clamp_qkv(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_layer_task *task = context;
    const tg_scratch *s = task->s;
    const float max = s->hparams->qkv_clamp;
    const size_t q = tgi_padded((size_t)s->hparams->n_head * task->w->head_dim),
                 kv = tgi_padded((size_t)task->w->n_head_kv * task->w->head_dim);
    (void)thread;
    clamp_values(s->q + first * q, (last - first) * q, max);
    clamp_values(s->k + first * kv, (last - first) * kv, max);
    clamp_values(s->v + first * kv, (last - first) * kv, max);
}

void tgi_clamp_qkv(tg_scratch *s, const tg_layer *w)
{
    tgi_run(s, s->batch->n, 8, clamp_qkv, &(tg_layer_task){s, w});
}
