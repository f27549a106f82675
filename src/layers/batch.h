/* A batch: the tokens that go through the layers together, and what each of them sees.
 *
 * A batch holds rows of one or more sequences. A product adds by row, and attention reads one
 * sequence's cache, so what a row gives does not depend on the other rows. */
#ifndef TG_BATCH_H
#define TG_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../cache/kv.h"

/* The most tokens in a batch. Larger batches read the weights from memory less often; the results
 * do not depend on the size. */
#define TG_BATCH 128

/* The rows of one sequence, which follow each other in the batch. They are a chain or a tree. In a
 * chain (visible NULL) row i sees the whole prefix and the sequence's rows up to itself. In a tree
 * it sees the prefix and the rows whose bits are set in its row of `visible`. */
typedef struct tg_sequence {
    uint32_t first, n; /* rows first to first + n - 1 of the batch */
    uint32_t base;     /* positions in the cache before them: row first + i has slot base + i */
    const uint32_t *visible; /* NULL, or [n][ceil(n / 32)] */
    const tg_kv_table *table;
    const float *state;   /* the recurrent state after the prefix; NULL: there is none yet */
    float *state_after;   /* memory for the state after the last row, never `state`; NULL: the model
                             has no recurrent layers. A tree has no recurrent states. */
    struct tg_plan *plan; /* what the pass changes and reports (plan.h); NULL: nothing */
    uint32_t n_text;      /* tokens that the session has when the batch begins */
    uint32_t n_streamed;  /* rows whose attention the streamed softmax computes: n, or 0 */
} tg_sequence;

typedef struct tg_batch {
    uint32_t n;               /* rows, at most TG_BATCH */
    const int32_t *tokens;    /* [n] */
    const int32_t *positions; /* [n] for rotations and learned positions */
    tg_sequence *sequences;   /* [n_sequences] in the order of their rows */
    uint32_t n_sequences;
    bool plans;                 /* a sequence has a plan */
    const uint8_t *sequence_of; /* [n] the index of each row's sequence */
} tg_batch;

/* The sequence of row t of the batch. */
static inline const tg_sequence *tgi_batch_sequence(const tg_batch *batch, size_t t)
{
    return &batch->sequences[batch->sequence_of[t]];
}

/* Whether row t of the sequence sees its row i. */
static inline bool tgi_sequence_sees(const tg_sequence *sequence, uint32_t t, uint32_t i)
{
    return sequence->visible
               ? sequence->visible[(size_t)t * ((sequence->n + 31) / 32) + i / 32] >> i % 32 & 1
               : i <= t;
}

/* How many positions row t of the sequence sees before itself: its position in its own text. */
static inline uint32_t tgi_sequence_n_visible(const tg_sequence *sequence, uint32_t t)
{
    if (!sequence->visible)
        return sequence->base + t;
    uint32_t n = sequence->base;
    for (uint32_t i = 0; i < t; i++)
        n += tgi_sequence_sees(sequence, t, i);
    return n;
}

#endif
