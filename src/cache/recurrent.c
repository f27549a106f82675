/* In: positions of sessions. Out: slots for recurrent states. Lists lie in sessions, slots in the
 * model's arena. */
#include "recurrent.h"

#include <string.h>

void tgi_recurrent_layout(tg_recurrent_cache *states, tg_arena *arena)
{
    if (!states->floats)
        return;
    states->refs = tgi_arena_alloc(arena, states->n_slots, sizeof *states->refs);
    states->slots =
        tgi_arena_alloc(arena, states->n_slots, (uint64_t)states->floats * sizeof *states->slots);
    if (states->refs)
        memset(states->refs, 0, states->n_slots * sizeof *states->refs);
}

uint32_t tgi_recurrent_alloc(tg_recurrent_cache *states)
{
    for (uint32_t i = 0; i < states->n_slots; i++)
        if (!states->refs[i]) {
            states->refs[i] = 1;
            return i;
        }
    return TG_NO_SLOT;
}

void tgi_recurrent_release(tg_recurrent_cache *states, uint32_t slot)
{
    states->refs[slot]--;
}

uint32_t tgi_checkpoints_position(const tg_checkpoints *list, uint32_t position)
{
    uint32_t i = list->n;
    while (i && list->checkpoints[i - 1].position > position)
        i--;
    return i ? list->checkpoints[i - 1].position : 0;
}

uint32_t tgi_checkpoints_last(const tg_checkpoints *list)
{
    return list->n ? list->checkpoints[list->n - 1].slot : TG_NO_SLOT;
}

static void remove_at(tg_recurrent_cache *states, tg_checkpoints *list, uint32_t i)
{
    tgi_recurrent_release(states, list->checkpoints[i].slot);
    list->n--;
    memmove(list->checkpoints + i, list->checkpoints + i + 1,
            (list->n - i) * sizeof list->checkpoints[0]);
}

static uint32_t least(const tg_checkpoints *list, double *loss)
{
    const double end = list->checkpoints[list->n - 1].position;
    uint32_t found = 0;
    *loss = 0;
    for (uint32_t i = 0; i + 1 < list->n; i++) {
        const double before = i ? list->checkpoints[i - 1].position : 0,
                     gap = list->checkpoints[i + 1].position - before;
        const double own =
            gap / (end - list->checkpoints[i].position); /* what lies far back may be coarse */
        if (!i || own < *loss) {
            *loss = own;
            found = i;
        }
    }
    return found;
}

uint32_t tgi_checkpoints_victim(const tg_checkpoints *list, double *loss)
{
    return list->checkpoints[least(list, loss)].slot;
}

void tgi_checkpoints_append(tg_recurrent_cache *states, tg_checkpoints *list, uint32_t position,
                            uint32_t slot)
{
    double loss;
    if (list->n) {
        const uint32_t last = list->n - 1, before = last ? list->checkpoints[last - 1].position : 0;
        if (list->checkpoints[last].position - before < TG_CHECKPOINT_INTERVAL &&
            position - list->checkpoints[last].position < TG_CHECKPOINT_INTERVAL)
            remove_at(states, list, last);
    }
    if (list->n == TG_MAX_CHECKPOINTS)
        remove_at(states, list, least(list, &loss));
    list->checkpoints[list->n].position = position;
    list->checkpoints[list->n++].slot = slot;
}

void tgi_checkpoints_truncate(tg_recurrent_cache *states, tg_checkpoints *list, uint32_t position)
{
    while (list->n && list->checkpoints[list->n - 1].position > position)
        remove_at(states, list, list->n - 1);
}

bool tgi_checkpoints_remove(tg_recurrent_cache *states, tg_checkpoints *list, uint32_t slot)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->checkpoints[i].slot == slot) {
            remove_at(states, list, i);
            return true;
        }
    return false;
}

void tgi_checkpoints_share(tg_recurrent_cache *states, const tg_checkpoints *from,
                           tg_checkpoints *to)
{
    *to = *from;
    for (uint32_t i = 0; i < from->n; i++)
        states->refs[from->checkpoints[i].slot]++;
}
