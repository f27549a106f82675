/* The activation function of the feed-forward network, with its gate. */
#include "layers.h"

typedef struct activation_task {
    tg_scratch *s;
    size_t width;
    float *gate;
    const float *up;
} activation_task;

static void activate(void *context, size_t first, size_t last, uint32_t thread)
{
    const activation_task *task = context;
    const tg_scratch *s = task->s;
    const size_t stride = tgi_padded(task->width);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *gate = task->gate + t * stride;
        const float *up = task->up ? task->up + t * stride : NULL;
        if (s->hparams->activation == TG_FFN_SILU)
            s->kernels->swiglu_f32(gate, up, task->width);
        else
            s->kernels->geglu_f32(gate, up, task->width);
    }
}

void tgi_ffn_activation(tg_scratch *s, uint32_t n, size_t width, float *gate, const float *up)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, n, 4, activate, &(activation_task){s, width, gate, up});
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_activation, start);
}
