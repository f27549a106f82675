/* Sums into the residual stream. Items are tokens; padding is computed with them. */
#include "layers.h"

static void add(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_scratch *s = context;
    const size_t embd = tgi_padded(s->hparams->n_embd);
    const float scale = s->hparams->residual_scale; /* times 1 gives the same bits */
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        s->x[i] += s->out[i] * scale;
}

void tgi_add_residual(tg_scratch *s)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 16, add, s);
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_add, start);
}

typedef struct scale_task {
    tg_scratch *s;
    float scale;
} scale_task;

static void multiply(void *context, size_t first, size_t last, uint32_t thread)
{
    const scale_task *task = context;
    const size_t embd = tgi_padded(task->s->hparams->n_embd);
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        task->s->x[i] *= task->scale;
}

void tgi_scale_residual(tg_scratch *s, float scale)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 16, multiply, &(scale_task){s, scale});
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_add, start);
}
