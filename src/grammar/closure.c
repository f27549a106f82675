/* What can come next: follows calls, repetitions and ends of rules until every stack waits for a
 * byte. The work is a list, so its depth has no limit but memory. */
#include "automaton.h"

#include <stdlib.h>
#include <string.h>

void tgi_automaton_begin_round(tg_automaton *a)
{
    a->n_work = a->n_seen = a->n_found = 0;
    a->accepting = false;
    if (++a->round == 0) { /* after 2^32 rounds, old entries would look like new ones */
        memset(a->seen, 0, ((size_t)a->seen_mask + 1) * sizeof *a->seen);
        a->round = 1;
    }
}

/* The entry of a visit in this round, or the free one where it belongs. */
static tg_visit *seen_slot(tg_automaton *a, uint32_t node, uint32_t frame, uint32_t n_new)
{
    uint32_t at = tgi_hash(node, frame, n_new) & a->seen_mask;
    for (; a->seen[at].round == a->round; at = (at + 1) & a->seen_mask)
        if (a->seen[at].node == node && a->seen[at].frame == frame && a->seen[at].n_new == n_new)
            break;
    return &a->seen[at];
}

/* Doubles the table of visits. */
static bool grow_seen(tg_automaton *a)
{
    tg_visit *old = a->seen;
    const uint32_t old_mask = a->seen_mask;
    tg_visit *grown = NULL;
    uint32_t capacity = 0;
    if (!tgi_automaton_room(a, (void **)&grown, 0, 2 * (old_mask + 1), &capacity, sizeof *grown))
        return false;
    a->seen = grown;
    a->seen_mask = 2 * old_mask + 1;
    memset(grown, 0, ((size_t)a->seen_mask + 1) * sizeof *grown);
    for (uint32_t i = 0; i <= old_mask; i++)
        if (old[i].round == a->round)
            *seen_slot(a, old[i].node, old[i].frame, old[i].n_new) = old[i];
    free(old);
    return true;
}

void tgi_automaton_visit(tg_automaton *a, uint32_t node, uint32_t frame, uint32_t n_new)
{
    if (a->outcome || (a->rules->nodes[node].flags & TG_NODE_DEAD))
        return;
    tg_visit *slot = seen_slot(a, node, frame, n_new);
    if (slot->round == a->round)
        return;
    if (++a->n_steps > a->limits.steps) {
        a->outcome = TG_OUTCOME_STEPS;
        return;
    }
    const tg_visit visit = {node, frame, n_new, a->round};
    if (!tgi_automaton_room(a, (void **)&a->work, a->n_work, 1, &a->work_capacity, sizeof *a->work))
        return;
    a->work[a->n_work++] = visit;
    *slot = visit;
    if (++a->n_seen > a->seen_mask / 2)
        grow_seen(a);
}

static void find(tg_automaton *a, uint32_t node, uint32_t frame)
{
    if (a->n_found >= a->limits.stacks) {
        a->outcome = TG_OUTCOME_STACKS;
        return;
    }
    if (tgi_automaton_room(a, (void **)&a->found, a->n_found, 1, &a->found_capacity,
                           sizeof *a->found))
        a->found[a->n_found++] = (uint64_t)node << 32 | frame;
}

/* Pushes a frame and goes on at a node. */
static void push(tg_automaton *a, tg_frame frame, uint32_t node, uint32_t n_new)
{
    if (a->rules->nodes[node].flags & TG_NODE_DEAD)
        return;
    const uint32_t id = tgi_frame_id(a, frame);
    if (!a->outcome)
        tgi_automaton_visit(a, node, id, n_new + a->rules->nullable_bodies);
}

/* Goes on in a repetition after `count` elements: ends it, or begins the next element. */
static void repeat(tg_automaton *a, uint32_t node, uint32_t count, uint32_t parent, uint32_t n_new)
{
    const tg_repeat *repeat = &a->rules->repeats[a->rules->nodes[node].b];
    if (count >= repeat->min || repeat->nullable)
        tgi_automaton_visit(a, a->rules->nodes[node].a, parent, n_new);
    if (repeat->max == TG_NO_MAXIMUM && count > repeat->min)
        count = repeat->min; /* from here on the counts are the same */
    if (count < repeat->max)
        push(a, (tg_frame){node, count + 1, parent, 0}, repeat->body, n_new);
}

/* Whether an item can come next in its list. `set` has the items that came before. */
static bool fits(const tg_automaton *a, uint32_t set, uint32_t item)
{
    const tg_node node = a->rules->nodes[item];
    const uint32_t *words = a->sets + set;
    const tg_unordered *list = &a->rules->lists[node.b];
    const bool has = tgi_set_has(a, set, item);
    if ((node.flags & TG_NODE_DEAD) || (has && !(node.flags & TG_ITEM_MANY)))
        return false;
    /* room for it, and for the items that must still come */
    const bool required = !has && (node.flags & TG_ITEM_REQUIRED);
    const uint64_t n = (uint64_t)words[TG_SET_COUNT] + 1 + words[TG_SET_REQUIRED] - required;
    return list->max == TG_NO_MAXIMUM || n <= list->max;
}

static void choose_item(tg_automaton *a, uint32_t set, uint32_t parent, uint32_t n_new)
{
    const tg_unordered list = a->rules->lists[a->sets[set + TG_SET_LIST]];
    for (uint32_t item = list.separator + 1; item <= list.separator + list.n_items; item++)
        if (!a->outcome && fits(a, set, item))
            push(a, (tg_frame){item, set, parent, 0}, a->rules->nodes[item].a, n_new);
}

/* An item of a list was read; `set` has those before it. */
static void end_item(tg_automaton *a, tg_frame frame)
{
    const uint32_t set = tgi_set_with(a, frame.aux, frame.node);
    if (a->outcome)
        return;
    const tg_unordered list = a->rules->lists[a->rules->nodes[frame.node].b];
    const uint32_t list_node = list.separator + list.n_items + 1;
    if (!a->sets[set + TG_SET_REQUIRED] && a->sets[set + TG_SET_COUNT] >= list.min)
        tgi_automaton_visit(a, a->rules->nodes[list_node].a, frame.parent, 0);
    for (uint32_t item = list.separator + 1; item <= list.separator + list.n_items; item++)
        if (fits(a, set, item)) {
            push(a, (tg_frame){list.separator, set, frame.parent, 0},
                 a->rules->nodes[list.separator].a, 0);
            return;
        }
}

static void begin_list(tg_automaton *a, tg_visit visit)
{
    const tg_node node = a->rules->nodes[visit.node];
    const tg_unordered *list = &a->rules->lists[node.b];
    const uint32_t set = tgi_empty_set(a, node.b);
    if (a->outcome)
        return;
    if (!list->n_required && !list->min)
        tgi_automaton_visit(a, node.a, visit.frame, visit.n_new);
    choose_item(a, set, visit.frame, visit.n_new);
}

/* The end of a rule, a body, an item or a separator: goes on where the top frame says. */
static void pop(tg_automaton *a, tg_visit visit)
{
    if (visit.frame == TG_FRAME_NONE) {
        a->accepting = true;
        return;
    }
    const tg_frame frame = a->frames[visit.frame];
    const uint8_t op = a->rules->nodes[frame.node].op;
    const uint32_t n_new = visit.n_new ? visit.n_new - 1 : 0;
    if (op == TG_NODE_REPEAT && frame.aux) {
        /* An element without a byte adds nothing: what follows it was visited at the start. */
        if (!visit.n_new)
            repeat(a, frame.node, frame.aux, frame.parent, 0);
    } else if (op == TG_NODE_ITEM) {
        end_item(a, frame);
    } else if (op == TG_NODE_SEPARATOR) {
        choose_item(a, frame.aux, frame.parent, n_new);
    } else {
        tgi_automaton_visit(a, frame.node, frame.parent, n_new);
    }
}

void tgi_automaton_close(tg_automaton *a)
{
    while (a->n_work && !a->outcome) {
        const tg_visit visit = a->work[--a->n_work];
        const tg_node node = a->rules->nodes[visit.node];
        switch (node.op) {
        case TG_NODE_RETURN:
            pop(a, visit);
            break;
        case TG_NODE_FORK:
            tgi_automaton_visit(a, node.a, visit.frame, visit.n_new);
            tgi_automaton_visit(a, node.b, visit.frame, visit.n_new);
            break;
        case TG_NODE_CALL: {
            const uint32_t entry = a->rules->rules[node.b].entry;
            if (node.a == TG_NODE_END) /* the call is the last thing: nothing to come back to */
                tgi_automaton_visit(a, entry, visit.frame, visit.n_new);
            else
                push(a, (tg_frame){node.a, 0, visit.frame, 0}, entry, visit.n_new);
            break;
        }
        case TG_NODE_REPEAT:
            repeat(a, visit.node, 0, visit.frame, visit.n_new);
            break;
        case TG_NODE_LIST:
            begin_list(a, visit);
            break;
        default: /* a byte, or a set of bytes */
            find(a, visit.node, visit.frame);
        }
    }
}
