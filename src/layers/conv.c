/* A short convolution over time, gated before and after (LFM2). In: gate, up and out of a batch,
 * and what the cache keeps of the positions before. Out: gate, and the batch's own products in the
 * cache. What a position keeps is a function of its prefix, so that rewinding and branching need
 * nothing more than the cache's pages do. */
#include "forward.h"

typedef struct convolution {
    tg_scratch *f;
    uint32_t layer;
    const tg_vector *taps;
} convolution;

static float *state(const tg_scratch *f, uint32_t layer, uint32_t slot)
{
    return tgi_kv_state(f->kv, f->batch->table->pages[slot / TG_PAGE], layer, slot % TG_PAGE);
}

static void keep(void *context, size_t first, size_t last, uint32_t thread)
{
    const convolution *c = context;
    const tg_scratch *f = c->f;
    const size_t n = f->hparams->n_embd, stride = tgi_padded(n);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *to = state(f, c->layer, f->batch->base + (uint32_t)t);
        for (size_t i = 0; i < n; i++)
            to[i] = f->gate[t * stride + i] * f->up[t * stride + i];
    }
}

static void convolve(void *context, size_t first, size_t last, uint32_t thread)
{
    const convolution *c = context;
    const tg_scratch *f = c->f;
    const size_t n = f->hparams->n_embd, stride = tgi_padded(n);
    const uint32_t n_taps = f->hparams->n_conv;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *y = f->gate + t * stride;
        uint32_t slot = f->batch->base + (uint32_t)t;
        for (uint32_t tap = n_taps; tap--;
             slot--) { /* the token itself, then those that it sees, backwards */
            const float *x = state(f, c->layer, slot), *weight = c->taps->values + tap;
            for (size_t i = 0; i < n; i++)
                y[i] = (tap == n_taps - 1 ? 0 : y[i]) + x[i] * weight[i * n_taps];
            while (slot > f->batch->base &&
                   !tgi_batch_sees(f->batch, (uint32_t)t, slot - 1 - f->batch->base))
                slot--;
            if (!slot)
                break; /* before the first token there is nothing */
        }
        for (size_t i = 0; i < n; i++)
            y[i] *= f->out[t * stride + i];
    }
}

void tgi_conv(tg_scratch *f, uint32_t layer, const tg_vector *taps)
{
    const double begun = tgi_profile_begin(f);
    convolution c = {f, layer, taps};
    tgi_run(f, f->batch->n, 8, keep, &c);
    tgi_run(f, f->batch->n, 4, convolve, &c);
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_convolution, begun);
}
