/* What some architectures do to logits after the matrix product. */
#include "layers.h"
#include "../kernels/exp.h"

#include <math.h>

#define CHUNK 1024 /* logits of a row that one item of the task covers */

typedef struct logits_task {
    const tg_hparams *hp;
    float *logits;
    size_t chunks; /* in a row */
} logits_task;

static void scale_and_cap(void *context, size_t first, size_t last, uint32_t thread)
{
    const logits_task *task = context;
    const tg_hparams *hp = task->hp;
    (void)thread;
    for (size_t item = first; item < last; item++) {
        float *row = task->logits + item / task->chunks * tgi_padded(hp->n_vocab);
        const size_t start = item % task->chunks * CHUNK, end = start + CHUNK;
        for (size_t i = start; i < end && i < hp->n_vocab; i++) {
            row[i] *= hp->logit_scale;
            if (hp->logit_softcap > 0)
                row[i] = hp->logit_softcap * tgi_tanh(row[i] / hp->logit_softcap);
        }
    }
}

void tgi_scale_logits(tg_scratch *s, float *logits, uint32_t n)
{
    const tg_hparams *hp = s->hparams;
    const size_t chunks = (hp->n_vocab + CHUNK - 1) / CHUNK;
    if (hp->logit_scale != 1 || hp->logit_softcap > 0)
        tgi_run(s, n * chunks, 1, scale_and_cap, &(logits_task){hp, logits, chunks});
    for (uint32_t row = 0; row < n; row++)
        for (uint32_t i = 0; i < hp->n_suppressed_tokens; i++)
            logits[row * tgi_padded(hp->n_vocab) + (uint32_t)hp->suppressed_tokens[i]] = -INFINITY;
}
