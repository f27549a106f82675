/* Slots for recurrent states, and the lists of checkpoints that hold them. */
#include "recurrent.h"

#include <string.h>

void tgi_recurrent_layout(tg_recurrent_cache *recurrent, tg_arena *arena)
{
    if (!recurrent->state_size)
        return;
    recurrent->refs = tgi_arena_alloc(arena, recurrent->n_slots, sizeof *recurrent->refs);
    recurrent->slots =
        tgi_arena_alloc(arena, recurrent->n_slots, (uint64_t)recurrent->state_size * sizeof(float));
    if (recurrent->refs)
        memset(recurrent->refs, 0, recurrent->n_slots * sizeof *recurrent->refs);
}

uint32_t tgi_recurrent_alloc(tg_recurrent_cache *recurrent)
{
    for (uint32_t i = 0; i < recurrent->n_slots; i++)
        if (!recurrent->refs[i]) {
            recurrent->refs[i] = 1;
            return i;
        }
    return TG_NO_SLOT;
}

void tgi_recurrent_release(tg_recurrent_cache *recurrent, uint32_t slot)
{
    recurrent->refs[slot]--;
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

static void remove_at(tg_recurrent_cache *recurrent, tg_checkpoints *list, uint32_t i)
{
    tgi_recurrent_release(recurrent, list->checkpoints[i].slot);
    list->n--;
    memmove(list->checkpoints + i, list->checkpoints + i + 1,
            (list->n - i) * sizeof list->checkpoints[0]);
}

/* The index of the checkpoint with the smallest loss, which is never the last one. Checkpoints far
 * from the end may lie further apart. */
static uint32_t victim_index(const tg_checkpoints *list, double *min_loss)
{
    const double end = list->checkpoints[list->n - 1].position;
    uint32_t victim = 0;
    *min_loss = 0;
    for (uint32_t i = 0; i + 1 < list->n; i++) {
        const double before = i ? list->checkpoints[i - 1].position : 0,
                     gap = list->checkpoints[i + 1].position - before;
        const double loss = gap / (end - list->checkpoints[i].position);
        if (!i || loss < *min_loss) {
            *min_loss = loss;
            victim = i;
        }
    }
    return victim;
}

uint32_t tgi_checkpoints_victim(const tg_checkpoints *list, double *loss)
{
    return list->checkpoints[victim_index(list, loss)].slot;
}

void tgi_checkpoints_append(tg_recurrent_cache *recurrent, tg_checkpoints *list, uint32_t position,
                            uint32_t slot)
{
    double loss;
    if (list->n) {
        const uint32_t last = list->n - 1, before = last ? list->checkpoints[last - 1].position : 0;
        if (list->checkpoints[last].position - before < TG_CHECKPOINT_INTERVAL &&
            position - list->checkpoints[last].position < TG_CHECKPOINT_INTERVAL)
            remove_at(recurrent, list, last);
    }
    if (list->n == TG_MAX_CHECKPOINTS)
        remove_at(recurrent, list, victim_index(list, &loss));
    list->checkpoints[list->n].position = position;
    list->checkpoints[list->n++].slot = slot;
}

void tgi_checkpoints_truncate(tg_recurrent_cache *recurrent, tg_checkpoints *list,
                              uint32_t position)
{
    while (list->n && list->checkpoints[list->n - 1].position > position)
        remove_at(recurrent, list, list->n - 1);
}

bool tgi_checkpoints_remove(tg_recurrent_cache *recurrent, tg_checkpoints *list, uint32_t slot)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->checkpoints[i].slot == slot) {
            remove_at(recurrent, list, i);
            return true;
        }
    return false;
}

void tgi_checkpoints_share(tg_recurrent_cache *recurrent, const tg_checkpoints *from,
                           tg_checkpoints *to)
{
    *to = *from;
    for (uint32_t i = 0; i < from->n; i++)
        recurrent->refs[from->checkpoints[i].slot]++;
}
