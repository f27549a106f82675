/* A short convolution over time, gated before and after (LFM2). Each position keeps its input of
 * the convolution in the cache's pages, so that rewinding and forking need nothing else. Items of
 * all tasks are tokens. */
#include "layers.h"

typedef struct conv_task {
    tg_scratch *s;
    uint32_t layer;
    const tg_vector *taps;
} conv_task;

/* The input that the position in `slot` keeps: [n_embd]. */
static float *input_at(const conv_task *task, const tg_sequence *sequence, uint32_t slot)
{
    return tgi_kv_conv(task->s->kv, sequence->table->pages[slot / TG_PAGE], task->layer,
                       slot % TG_PAGE);
}

static void write_inputs(void *context, size_t first, size_t last, uint32_t thread)
{
    const conv_task *task = context;
    const tg_scratch *s = task->s;
    const size_t n_embd = s->hparams->n_embd, stride = tgi_padded(n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const tg_sequence *sequence = tgi_batch_sequence(s->batch, t);
        float *input = input_at(task, sequence, sequence->base + (uint32_t)t - sequence->first);
        for (size_t i = 0; i < n_embd; i++)
            input[i] = s->gate[t * stride + i] * s->up[t * stride + i];
    }
}

static void convolve(void *context, size_t first, size_t last, uint32_t thread)
{
    const conv_task *task = context;
    const tg_scratch *s = task->s;
    const size_t n_embd = s->hparams->n_embd, stride = tgi_padded(n_embd);
    const uint32_t n_taps = s->hparams->conv_taps;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *y = s->gate + t * stride;
        const tg_sequence *sequence = tgi_batch_sequence(s->batch, t);
        const uint32_t base = sequence->base, row = (uint32_t)t - sequence->first;
        uint32_t slot = base + row;
        /* the token itself, then the positions that it sees, backwards */
        for (uint32_t tap = n_taps; tap--; slot--) {
            const float *x = input_at(task, sequence, slot), *weight = task->taps->values + tap;
            for (size_t i = 0; i < n_embd; i++)
                y[i] = (tap == n_taps - 1 ? 0 : y[i]) + x[i] * weight[i * n_taps];
            while (slot > base && !tgi_sequence_sees(sequence, row, slot - 1 - base))
                slot--;
            if (!slot) /* the inputs before the first token are zeros */
                break;
        }
        for (size_t i = 0; i < n_embd; i++)
            y[i] *= s->out[t * stride + i];
    }
}

void tgi_conv(tg_scratch *s, uint32_t index, const tg_vector *taps)
{
    const double start = tgi_profile_begin(&s->profile);
    conv_task task = {s, index, taps};
    tgi_run(s, s->batch->n, 8, write_inputs, &task);
    tgi_run(s, s->batch->n, 4, convolve, &task);
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_conv, start);
}
