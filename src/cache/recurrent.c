/* In: positions of sessions. Out: slots for recurrent states. Lists lie in sessions, slots in the model's arena. */
#include "recurrent.h"

#include <string.h>

void tg_states_place(tg_states *states, tg_arena *arena)
{
    if (!states->floats)
        return;
    states->refs = tg_arena_take(arena, states->n_slots, sizeof *states->refs);
    states->slots = tg_arena_take(arena, states->n_slots, (uint64_t)states->floats * sizeof *states->slots);
    if (states->refs)
        memset(states->refs, 0, states->n_slots * sizeof *states->refs);
}

uint32_t tg_states_take(tg_states *states)
{
    for (uint32_t i = 0; i < states->n_slots; i++)
        if (!states->refs[i]) {
            states->refs[i] = 1;
            return i;
        }
    return TG_NO_STATE;
}

void tg_states_release(tg_states *states, uint32_t slot)
{
    states->refs[slot]--;
}

uint32_t tg_state_list_position(const tg_state_list *list, uint32_t position)
{
    uint32_t i = list->n;
    while (i && list->marks[i - 1].position > position)
        i--;
    return i ? list->marks[i - 1].position : 0;
}

uint32_t tg_state_list_last(const tg_state_list *list)
{
    return list->n ? list->marks[list->n - 1].slot : TG_NO_STATE;
}

static void remove_at(tg_states *states, tg_state_list *list, uint32_t i)
{
    tg_states_release(states, list->marks[i].slot);
    list->n--;
    memmove(list->marks + i, list->marks + i + 1, (list->n - i) * sizeof list->marks[0]);
}

static uint32_t least(const tg_state_list *list, double *loss)
{
    const double end = list->marks[list->n - 1].position;
    uint32_t found = 0;
    *loss = 0;
    for (uint32_t i = 0; i + 1 < list->n; i++) {
        const double before = i ? list->marks[i - 1].position : 0, gap = list->marks[i + 1].position - before;
        const double own = gap / (end - list->marks[i].position); /* what lies far back may be coarse */
        if (!i || own < *loss) {
            *loss = own;
            found = i;
        }
    }
    return found;
}

uint32_t tg_state_list_least(const tg_state_list *list, double *loss)
{
    return list->marks[least(list, loss)].slot;
}

void tg_state_list_append(tg_states *states, tg_state_list *list, uint32_t position, uint32_t slot)
{
    double loss;
    if (list->n) {
        const uint32_t last = list->n - 1, before = last ? list->marks[last - 1].position : 0;
        if (list->marks[last].position - before < TG_STATE_EVERY && position - list->marks[last].position < TG_STATE_EVERY)
            remove_at(states, list, last);
    }
    if (list->n == TG_STATE_MARKS)
        remove_at(states, list, least(list, &loss));
    list->marks[list->n].position = position;
    list->marks[list->n++].slot = slot;
}

void tg_state_list_cut(tg_states *states, tg_state_list *list, uint32_t position)
{
    while (list->n && list->marks[list->n - 1].position > position)
        remove_at(states, list, list->n - 1);
}

bool tg_state_list_drop(tg_states *states, tg_state_list *list, uint32_t slot)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->marks[i].slot == slot) {
            remove_at(states, list, i);
            return true;
        }
    return false;
}

void tg_state_list_share(tg_states *states, const tg_state_list *from, tg_state_list *to)
{
    *to = *from;
    for (uint32_t i = 0; i < from->n; i++)
        states->refs[from->marks[i].slot]++;
}
