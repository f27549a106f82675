/* Recurrent states: what layers that do not keep their positions one by one have made of all of them together. A pool of slots
 * belongs to the model, each for the state of all such layers after some number of positions; a session has a list of those it
 * may go on from. A state is written once, by the batch that ends at its position, and only read after that, so that sessions
 * share slots by counting references. Positions between two states are run again when a session goes back to them, which gives
 * the same bits. In: positions. Out: slots. The pool's memory is in the model's arena, the lists are the sessions'. */
#ifndef TG_STATES_H
#define TG_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

#define TG_STATE_MARKS 32 /* states that one session remembers at the most */
#define TG_STATE_EVERY 32 /* positions from one that it keeps to the next */
#define TG_NO_STATE    UINT32_MAX

typedef struct tg_states {
    size_t floats;    /* of one state; 0: the model has none */
    uint32_t n_slots; /* whoever sets the fields up to here owns them */
    uint32_t *refs;   /* [n_slots] lists that hold the slot, and a batch that writes to it; 0: free */
    float *slots;
} tg_states;

typedef struct tg_state_list {
    uint32_t n;
    struct {
        uint32_t position, slot; /* after so many positions */
    } marks[TG_STATE_MARKS];     /* by position */
} tg_state_list;

void tg_states_place(tg_states *states, tg_arena *arena);
/* A free slot, now taken, or TG_NO_STATE. */
uint32_t tg_states_take(tg_states *states);
void tg_states_release(tg_states *states, uint32_t slot);
static inline float *tg_states_at(const tg_states *states, uint32_t slot)
{
    return states->slots + slot * states->floats;
}

/* The greatest position of the list that is at most `position`, or 0. */
uint32_t tg_state_list_position(const tg_state_list *list, uint32_t position);
/* The list's last slot, or TG_NO_STATE. */
uint32_t tg_state_list_last(const tg_state_list *list);
/* Appends a slot that was taken for this. A last one near the one before it goes, as does one from among many. */
void tg_state_list_append(tg_states *states, tg_state_list *list, uint32_t position, uint32_t slot);
void tg_state_list_cut(tg_states *states, tg_state_list *list, uint32_t position); /* lets go of those past it */
bool tg_state_list_drop(tg_states *states, tg_state_list *list, uint32_t slot);    /* lets go of this one if it is there */
void tg_state_list_share(tg_states *states, const tg_state_list *from, tg_state_list *to);
/* The state, not the last, that would be missed least: the one whose neighbours are nearest for how far back it lies; and how
 * much: less is better to lose. n must be 2 or more. */
uint32_t tg_state_list_least(const tg_state_list *list, double *loss);

#endif
