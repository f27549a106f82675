/* The recurrent cache: states of layers that make one state out of all positions (gated delta
 * nets), instead of keys and values for each position.
 *
 * The model owns a pool of slots. A slot holds the state of all such layers after some number of
 * positions. A session has a list of checkpoints: slots from whose positions it can go on. A slot
 * is written once, by the batch that ends at its position, and only read after that, so sessions
 * share slots by counting references. To go back to a position between two checkpoints, the session
 * runs the tokens from the earlier one again, which gives the same bits.
 *
 * The memory of the pool lies in the model's arena, the lists in the sessions. */
#ifndef TG_RECURRENT_H
#define TG_RECURRENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

#define TG_MAX_CHECKPOINTS     32 /* of one session */
#define TG_CHECKPOINT_INTERVAL 32 /* positions between checkpoints, at least */
#define TG_NO_SLOT             UINT32_MAX

typedef struct tg_recurrent_cache {
    /* set before tgi_recurrent_layout */
    size_t state_size; /* floats of one state; 0: the model has no recurrent layers */
    uint32_t n_slots;

    uint32_t *refs; /* [n_slots] lists that hold the slot, and a batch that writes it; 0: free */
    float *slots;   /* [n_slots][state_size] */
} tg_recurrent_cache;

typedef struct tg_checkpoints {
    uint32_t n;
    struct {
        uint32_t position; /* the state is the one after this many positions */
        uint32_t slot;
    } checkpoints[TG_MAX_CHECKPOINTS]; /* in ascending order of positions */
} tg_checkpoints;

/* Plans the memory (arena->base NULL: counts it). */
void tgi_recurrent_layout(tg_recurrent_cache *recurrent, tg_arena *arena);
/* Takes a free slot; TG_NO_SLOT: none is free. */
uint32_t tgi_recurrent_alloc(tg_recurrent_cache *recurrent);
void tgi_recurrent_release(tg_recurrent_cache *recurrent, uint32_t slot);
/* The state in a slot: [state_size]. */
static inline float *tgi_recurrent_at(const tg_recurrent_cache *recurrent, uint32_t slot)
{
    return recurrent->slots + slot * recurrent->state_size;
}

/* The largest position of a checkpoint that is at most `position`; 0: there is none. */
uint32_t tgi_checkpoints_position(const tg_checkpoints *checkpoints, uint32_t position);
/* The last checkpoint's slot; TG_NO_SLOT: there is none. */
uint32_t tgi_checkpoints_last(const tg_checkpoints *checkpoints);
/* Appends a slot that tgi_recurrent_alloc gave. The last checkpoint is removed when it lies within
 * TG_CHECKPOINT_INTERVAL of both its neighbours, and the victim when the list is full. */
void tgi_checkpoints_append(tg_recurrent_cache *recurrent, tg_checkpoints *checkpoints,
                            uint32_t position, uint32_t slot);
/* Removes the checkpoints after `position`. */
void tgi_checkpoints_truncate(tg_recurrent_cache *recurrent, tg_checkpoints *checkpoints,
                              uint32_t position);
/* Removes the checkpoint with this slot; false: the list does not have it. */
bool tgi_checkpoints_remove(tg_recurrent_cache *recurrent, tg_checkpoints *checkpoints,
                            uint32_t slot);
/* Makes `to`, which must be empty, share all checkpoints of `from`. */
void tgi_checkpoints_share(tg_recurrent_cache *recurrent, const tg_checkpoints *from,
                           tg_checkpoints *to);
/* Picks the checkpoint to evict (never the last): smallest gap between its neighbours relative to
 * its distance from the end. *loss: that quotient. The list must have 2 or more. */
uint32_t tgi_checkpoints_victim(const tg_checkpoints *checkpoints, double *loss);

#endif
