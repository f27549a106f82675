/* A batch: the tokens that go through the layers together, and what each of them sees. */
#ifndef TG_BATCH_H
#define TG_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../cache/kv.h"

/* The most tokens in a batch. Larger batches read the weights from memory less often; the results
 * do not depend on the size. */
#define TG_BATCH 128

/* The batch is a chain or a tree. In a chain (visible NULL) token i sees the whole prefix and the
 * tokens of the batch up to itself. In a tree it sees the prefix and the tokens whose bits are set
 * in its row of `visible`. */
typedef struct tg_batch {
    uint32_t n;               /* tokens, at most TG_BATCH */
    const int32_t *tokens;    /* [n] */
    const int32_t *positions; /* [n] for rotations and learned positions */
    uint32_t base; /* positions in the cache before the batch: token i has slot base + i */
    const uint32_t *visible; /* NULL, or [n][ceil(n / 32)] */
    const tg_kv_table *table;
    const float *state; /* the recurrent state after the prefix; NULL: there is none yet */
    float *state_after; /* memory for the state after the last token, never `state`; NULL: the state
                           is not wanted */
} tg_batch;

/* Whether token t sees token i of the batch. */
static inline bool tgi_batch_sees(const tg_batch *batch, uint32_t t, uint32_t i)
{
    return batch->visible
               ? batch->visible[(size_t)t * ((batch->n + 31) / 32) + i / 32] >> i % 32 & 1
               : i <= t;
}

/* How many positions token t sees before itself: its position in its own sequence. */
static inline uint32_t tgi_batch_n_visible(const tg_batch *batch, uint32_t t)
{
    if (!batch->visible)
        return batch->base + t;
    uint32_t n = batch->base;
    for (uint32_t i = 0; i < t; i++)
        n += tgi_batch_sees(batch, t, i);
    return n;
}

#endif
