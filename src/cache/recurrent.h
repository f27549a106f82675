/* Recurrent states: what layers that do not keep their positions one by one have made of all of
 * them together. A pool of slots belongs to the model, each for the state of all such layers after
 * some number of positions; a session has a list of those it may go on from. A state is written
 * once, by the batch that ends at its position, and only read after that, so that sessions share
 * slots by counting references. Positions between two states are run again when a session goes back
 * to them, which gives the same bits. In: positions. Out: slots. The pool's memory is in the
 * model's arena, the lists are the sessions'. */
#ifndef TG_RECURRENT_H
#define TG_RECURRENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

#define TG_MAX_CHECKPOINTS     32 /* states that one session remembers at the most */
#define TG_CHECKPOINT_INTERVAL 32 /* positions from one that it keeps to the next */
#define TG_NO_SLOT             UINT32_MAX

typedef struct tg_recurrent_cache {
    size_t floats;    /* of one state; 0: the model has none */
    uint32_t n_slots; /* whoever sets the fields up to here owns them */
    uint32_t *refs; /* [n_slots] lists that hold the slot, and a batch that writes to it; 0: free */
    float *slots;
} tg_recurrent_cache;

typedef struct tg_checkpoints {
    uint32_t n;
    struct {
        uint32_t position, slot;       /* after so many positions */
    } checkpoints[TG_MAX_CHECKPOINTS]; /* by position */
} tg_checkpoints;

void tgi_recurrent_layout(tg_recurrent_cache *states, tg_arena *arena);
/* A free slot, now taken, or TG_NO_SLOT. */
uint32_t tgi_recurrent_alloc(tg_recurrent_cache *states);
void tgi_recurrent_release(tg_recurrent_cache *states, uint32_t slot);
static inline float *tgi_recurrent_at(const tg_recurrent_cache *states, uint32_t slot)
{
    return states->slots + slot * states->floats;
}

/* The greatest position of the list that is at most `position`, or 0. */
uint32_t tgi_checkpoints_position(const tg_checkpoints *list, uint32_t position);
/* The list's last slot, or TG_NO_SLOT. */
uint32_t tgi_checkpoints_last(const tg_checkpoints *list);
/* Appends a slot that was taken for this. A last one near the one before it goes, as does one from
 * among many. */
void tgi_checkpoints_append(tg_recurrent_cache *states, tg_checkpoints *list, uint32_t position,
                            uint32_t slot);
void tgi_checkpoints_truncate(tg_recurrent_cache *states, tg_checkpoints *list,
                              uint32_t position); /* lets go of those past it */
bool tgi_checkpoints_remove(tg_recurrent_cache *states, tg_checkpoints *list,
                            uint32_t slot); /* lets go of this one if it is there */
void tgi_checkpoints_share(tg_recurrent_cache *states, const tg_checkpoints *from,
                           tg_checkpoints *to);
/* The state, not the last, that would be missed least: the one whose neighbours are nearest for how
 * far back it lies; and how much: less is better to lose. n must be 2 or more. */
uint32_t tgi_checkpoints_victim(const tg_checkpoints *list, double *loss);

#endif
