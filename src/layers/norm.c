/* Norms: of rows of the residual stream, and of heads. Items of all tasks are tokens. */
#include "layers.h"

static void norm_row(const tg_scratch *s, const float *in, const tg_vector *weight,
                     const tg_vector *bias, size_t n, float *out)
{
    const float *weights = weight->length ? weight->values : NULL, eps = s->hparams->norm_eps;
    if (s->hparams->norm == TG_NORM_RMS)
        s->kernels->rmsnorm_f32(in, weights, eps, n, out);
    else
        s->kernels->layernorm_f32(in, weights, bias && bias->length ? bias->values : NULL, eps, n,
                                  out);
}

typedef struct norm_task {
    tg_scratch *s;
    const float *in;
    const tg_vector *weight, *bias;
    float *out;
} norm_task;

static void norm(void *context, size_t first, size_t last, uint32_t thread)
{
    const norm_task *task = context;
    const size_t n = task->s->hparams->n_embd, stride = tgi_padded(n);
    (void)thread;
    for (size_t t = first; t < last; t++)
        norm_row(task->s, task->in + t * stride, task->weight, task->bias, n,
                 task->out + t * stride);
}

void tgi_norm(tg_scratch *s, const float *in, const tg_vector *weight, const tg_vector *bias,
              float *out)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 8, norm, &(norm_task){s, in, weight, bias, out});
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_norm, start);
}

static void norm_qk(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_layer_task *task = context;
    const tg_scratch *s = task->s;
    const tg_layer *w = task->w;
    const tg_vector *q_norm = &w->attn_q_norm, *k_norm = &w->attn_k_norm;
    const size_t n_q = (size_t)s->hparams->n_head * w->head_dim,
                 n_kv = (size_t)w->n_head_kv * w->head_dim;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *row = s->q + t * tgi_padded(n_q);
        for (size_t i = 0; i < n_q; i += q_norm->length)
            norm_row(s, row + i, q_norm, NULL, q_norm->length, row + i);
        row = s->k + t * tgi_padded(n_kv);
        for (size_t i = 0; i < n_kv && !w->kv_shared; i += k_norm->length)
            norm_row(s, row + i, k_norm, NULL, k_norm->length, row + i);
    }
}

void tgi_norm_qk(tg_scratch *s, const tg_layer *w)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 8, norm_qk, &(tg_layer_task){s, w});
    tgi_profile_end(&s->profile, TG_STEP_norm, start);
}

static void norm_v(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_layer_task *task = context;
    const tg_scratch *s = task->s;
    const size_t head_dim = task->w->head_dim, n_kv = task->w->n_head_kv * head_dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < n_kv; i += head_dim) {
            float *value = s->v + t * tgi_padded(n_kv) + i;
            s->kernels->rmsnorm_f32(value, NULL, s->hparams->norm_eps, head_dim, value);
        }
}

void tgi_norm_v(tg_scratch *s, const tg_layer *w)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 8, norm_v, &(tg_layer_task){s, w});
    tgi_profile_end(&s->profile, TG_STEP_norm, start);
}
