/* The states of an automaton and what bytes make of them. */
#include "automaton.h"

#include <stdlib.h>
#include <string.h>

#define MIN_MEMORY ((size_t)1 << 16)

static bool new_table(tg_id_table *table)
{
    table->slots = calloc(64, sizeof *table->slots);
    table->mask = 63;
    return table->slots;
}

/* Allocates what an empty automaton has: frame 0, the dead state, and no null pointers. */
static bool prepare(tg_automaton *a)
{
    a->seen = calloc(64, sizeof *a->seen);
    a->seen_mask = 63;
    a->roots.next = a->roots.previous = &a->roots;
    a->n_frames = a->n_states = 1;
    const bool tables =
        new_table(&a->frame_table) && new_table(&a->set_table) && new_table(&a->state_table);
    if (!a->seen || !tables ||
        !tgi_automaton_room(a, (void **)&a->frames, 0, 64, &a->frames_capacity,
                            sizeof *a->frames) ||
        !tgi_automaton_room(a, (void **)&a->states, 0, 64, &a->states_capacity,
                            sizeof *a->states) ||
        !tgi_automaton_room(a, (void **)&a->stacks, 0, 64, &a->stacks_capacity,
                            sizeof *a->stacks) ||
        !tgi_automaton_room(a, (void **)&a->found, 0, 64, &a->found_capacity, sizeof *a->found))
        return false;
    a->frames[0] = (tg_frame){0};
    a->states[TG_STATE_DEAD] = (tg_state){.row = TG_NO_ROW};
    return true;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The state of the visits in `work`. */
static uint32_t close_state(tg_automaton *a)
{
    tgi_automaton_close(a);
    if (a->outcome)
        return TG_STATE_DEAD;
    tgi_automaton_prune(a);
    if (a->n_found > 1)
        qsort(a->found, a->n_found, sizeof *a->found, by_value);
    return tgi_state_id(a);
}

static tg_status fail(const tg_automaton *a, tg_error *error)
{
    if (a->outcome == TG_OUTCOME_STACKS)
        return tgi_fail(error, TG_GRAMMAR_INVALID, TG_NO_OFFSET,
                        "the grammar is too ambiguous: the same text is read in more than %u ways",
                        (unsigned)a->limits.stacks);
    if (a->outcome == TG_OUTCOME_STEPS)
        return tgi_fail(error, TG_GRAMMAR_INVALID, TG_NO_OFFSET,
                        "the grammar is too ambiguous: a token takes more than %llu steps",
                        (unsigned long long)a->limits.steps);
    return tgi_fail(error, TG_GRAMMAR_INVALID, TG_NO_OFFSET,
                    "the grammar needs more than %zu MB at this place of the text",
                    a->limits.memory >> 20);
}

tg_automaton *tgi_automaton_new(const tg_rules *rules, const tg_automaton_limits *limits,
                                tg_error *error)
{
    tg_automaton *a = calloc(1, sizeof *a);
    if (a) {
        a->rules = rules;
        a->limits = *limits;
        if (a->limits.memory < MIN_MEMORY)
            a->limits.memory = MIN_MEMORY;
    }
    if (!a || !prepare(a)) {
        tgi_automaton_free(a);
        tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar");
        return NULL;
    }
    tgi_automaton_begin_round(a);
    tgi_automaton_visit(a, rules->root, TG_FRAME_NONE, 0);
    a->start = close_state(a);
    if (a->outcome) {
        fail(a, error);
        tgi_automaton_free(a);
        return NULL;
    }
    return a;
}

void tgi_automaton_free(tg_automaton *a)
{
    if (!a)
        return;
    free(a->frames);
    free(a->sets);
    free(a->states);
    free(a->stacks);
    free(a->transitions);
    free(a->frame_table.slots);
    free(a->set_table.slots);
    free(a->state_table.slots);
    free(a->work);
    free(a->seen);
    free(a->found);
    free(a);
}

void tgi_automaton_add_root(tg_automaton *a, tg_root *root, uint32_t state)
{
    root->state = state;
    root->next = a->roots.next;
    root->previous = &a->roots;
    root->next->previous = root;
    a->roots.next = root;
}

void tgi_automaton_remove_root(tg_root *root)
{
    root->next->previous = root->previous;
    root->previous->next = root->next;
}

void tgi_automaton_begin(tg_automaton *a)
{
    a->n_steps = 0;
    a->outcome = TG_OUTCOME_OK;
}

/* Where a byte leads from a node that waits for one; TG_NO_NODE: nowhere. */
static uint32_t after_byte(const tg_rules *rules, tg_node node, uint8_t byte)
{
    if (node.op == TG_NODE_BYTE)
        return byte >= node.low && byte <= node.high ? node.a : TG_NO_NODE;
    uint32_t first = 0, end = node.b; /* the first edge that does not end before the byte */
    const tg_edge *edges = rules->edges + node.a;
    while (first < end) {
        const uint32_t middle = (first + end) / 2;
        if (edges[middle].high < byte)
            first = middle + 1;
        else
            end = middle;
    }
    return first < node.b && edges[first].low <= byte ? edges[first].next : TG_NO_NODE;
}

/* Computes what a class of bytes makes of a state. */
static uint32_t compute(tg_automaton *a, uint32_t state, uint32_t byte_class)
{
    const uint32_t n_classes = a->rules->n_classes;
    if (a->states[state].row == TG_NO_ROW) {
        if (!tgi_automaton_room(a, (void **)&a->transitions, a->n_transitions, n_classes,
                                &a->transitions_capacity, sizeof *a->transitions))
            return TG_STATE_DEAD;
        memset(a->transitions + a->n_transitions, 0xff, n_classes * sizeof *a->transitions);
        a->states[state].row = a->n_transitions;
        a->n_transitions += n_classes;
    }
    const uint8_t byte = a->rules->class_byte[byte_class];
    tgi_automaton_begin_round(a);
    const uint64_t end = (uint64_t)a->states[state].first + a->states[state].n;
    a->n_steps += a->states[state].n;
    for (uint64_t i = a->states[state].first; i < end; i++) {
        const uint64_t stack = a->stacks[i];
        const uint32_t next = after_byte(a->rules, a->rules->nodes[stack >> 32], byte);
        if (next != TG_NO_NODE)
            tgi_automaton_visit(a, next, (uint32_t)stack, 0);
    }
    const uint32_t next = close_state(a);
    if (!a->outcome)
        a->transitions[a->states[state].row + byte_class] = next;
    return next;
}

tg_status tgi_automaton_step(tg_automaton *a, uint32_t *states, uint32_t n, uint8_t byte,
                             uint32_t *next, tg_error *error)
{
    const uint32_t byte_class = a->rules->class_of[byte];
    *next = tgi_automaton_known(a, states[n - 1], byte);
    if (*next != TG_UNKNOWN)
        return TG_OK;
    *next = compute(a, states[n - 1], byte_class);
    if (a->outcome == TG_OUTCOME_MEMORY) {
        a->outcome = tgi_automaton_collect(a, states, n);
        if (!a->outcome)
            *next = compute(a, states[n - 1], byte_class);
    }
    if (!a->outcome)
        return TG_OK;
    *next = TG_STATE_DEAD;
    const tg_status status = fail(a, error);
    a->outcome = TG_OUTCOME_OK;
    return status;
}
