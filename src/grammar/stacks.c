/* Frames, sets of items and states: each is stored once and found by its content. Memory grows up
 * to the limit; then what is not in use is dropped and the rest moves together. */
#include "automaton.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

size_t tgi_automaton_memory(const tg_automaton *a)
{
    return sizeof *a + a->frames_capacity * sizeof *a->frames + a->sets_capacity * sizeof *a->sets +
           a->states_capacity * sizeof *a->states + a->stacks_capacity * sizeof *a->stacks +
           a->transitions_capacity * sizeof *a->transitions + a->work_capacity * sizeof *a->work +
           a->found_capacity * sizeof *a->found + ((size_t)a->seen_mask + 1) * sizeof *a->seen +
           ((size_t)a->frame_table.mask + a->set_table.mask + a->state_table.mask + 3) *
               sizeof(uint32_t);
}

bool tgi_automaton_room(tg_automaton *a, void **data, uint32_t used, uint32_t n, uint32_t *capacity,
                        size_t size)
{
    const uint64_t needed = (uint64_t)used + n;
    if (needed <= *capacity)
        return true;
    const uint64_t left = a->limits.memory - tgi_automaton_memory(a); /* maybe below 0 */
    const uint64_t most = tgi_automaton_memory(a) < a->limits.memory ? *capacity + left / size : 0;
    uint64_t wanted = 2 * (uint64_t)*capacity > needed ? 2 * (uint64_t)*capacity : needed;
    if (wanted > most)
        wanted = most;
    void *grown =
        wanted >= needed && wanted < UINT32_MAX ? realloc(*data, (size_t)wanted * size) : NULL;
    if (!grown) {
        a->outcome = TG_OUTCOME_MEMORY;
        return false;
    }
    *data = grown;
    *capacity = (uint32_t)wanted;
    return true;
}

/* Gives back what a vector does not use. */
static void shrink(void **data, uint32_t used, uint32_t *capacity, size_t size)
{
    const uint32_t wanted = used < 32 ? 64 : 2 * used;
    if (wanted >= *capacity)
        return;
    void *smaller = realloc(*data, wanted * size);
    if (smaller) {
        *data = smaller;
        *capacity = wanted;
    }
}

/* ---- tables ---- */

typedef uint32_t tg_hash_fn(const tg_automaton *a, uint32_t id);

static void put_id(const tg_automaton *a, tg_id_table *table, tg_hash_fn *hash, uint32_t id)
{
    uint32_t at = hash(a, id) & table->mask;
    while (table->slots[at])
        at = (at + 1) & table->mask;
    table->slots[at] = id + 1;
    table->n++;
}

/* Makes room for one more id. */
static bool grow_table(tg_automaton *a, tg_id_table *table, tg_hash_fn *hash)
{
    uint32_t *slots = NULL, capacity = 0;
    if (table->n < table->mask / 2)
        return true;
    if (!tgi_automaton_room(a, (void **)&slots, 0, 2 * (table->mask + 1), &capacity, sizeof *slots))
        return false;
    memset(slots, 0, capacity * sizeof *slots);
    tg_id_table grown = {slots, 2 * table->mask + 1, 0};
    for (uint32_t i = 0; i <= table->mask; i++)
        if (table->slots[i])
            put_id(a, &grown, hash, table->slots[i] - 1);
    free(table->slots);
    *table = grown;
    return true;
}

/* False when out of memory. */
static bool add_id(tg_automaton *a, tg_id_table *table, tg_hash_fn *hash, uint32_t id)
{
    if (!grow_table(a, table, hash))
        return false;
    put_id(a, table, hash, id);
    return true;
}

/* Makes a table small and empty. */
static void clear_table(tg_id_table *table)
{
    uint32_t *smaller = table->mask > 63 ? realloc(table->slots, 64 * sizeof *smaller) : NULL;
    if (smaller) {
        table->slots = smaller;
        table->mask = 63;
    }
    memset(table->slots, 0, ((size_t)table->mask + 1) * sizeof *table->slots);
    table->n = 0;
}

/* ---- frames ---- */

static uint32_t hash_of_frame(tg_frame frame)
{
    return tgi_hash(frame.node, frame.parent, frame.aux);
}

static uint32_t hash_frame(const tg_automaton *a, uint32_t id)
{
    return hash_of_frame(a->frames[id]);
}

uint32_t tgi_frame_id(tg_automaton *a, tg_frame frame)
{
    const tg_id_table *table = &a->frame_table;
    for (uint32_t at = hash_of_frame(frame) & table->mask; table->slots[at];
         at = (at + 1) & table->mask) {
        const tg_frame *other = &a->frames[table->slots[at] - 1];
        if (other->node == frame.node && other->aux == frame.aux && other->parent == frame.parent)
            return table->slots[at] - 1;
    }
    if (!grow_table(a, &a->frame_table, hash_frame) ||
        !tgi_automaton_room(a, (void **)&a->frames, a->n_frames, 1, &a->frames_capacity,
                            sizeof *a->frames))
        return 0;
    frame.shape = tgi_frame_shape(a, frame);
    a->frames[a->n_frames] = frame;
    put_id(a, &a->frame_table, hash_frame, a->n_frames);
    return a->n_frames++;
}

/* ---- sets of items: the id of a set is the index of its first word ---- */

static uint32_t set_words(const tg_automaton *a, uint32_t list)
{
    return TG_SET_BITS + (a->rules->lists[list].n_items + 31) / 32;
}

static uint32_t hash_set(const tg_automaton *a, uint32_t id)
{
    const uint32_t n = set_words(a, a->sets[id]);
    uint32_t h = 0;
    for (uint32_t i = 0; i < n; i++)
        h = tgi_mix(h * 0x9e3779b1u ^ a->sets[id + i]);
    return h;
}

/* The id of the set at the end of `sets`, which has n words and goes if there is an equal one. */
static uint32_t settle_set(tg_automaton *a, uint32_t n)
{
    const uint32_t id = a->n_sets;
    const tg_id_table *table = &a->set_table;
    for (uint32_t at = hash_set(a, id) & table->mask; table->slots[at];
         at = (at + 1) & table->mask) {
        const uint32_t other = table->slots[at] - 1;
        if (a->sets[other] == a->sets[id] &&
            !memcmp(a->sets + other, a->sets + id, n * sizeof *a->sets))
            return other;
    }
    if (!add_id(a, &a->set_table, hash_set, id))
        return 0;
    a->n_sets += n;
    return id;
}

uint32_t tgi_empty_set(tg_automaton *a, uint32_t list)
{
    const uint32_t n = set_words(a, list);
    if (!tgi_automaton_room(a, (void **)&a->sets, a->n_sets, n, &a->sets_capacity, sizeof *a->sets))
        return 0;
    memset(a->sets + a->n_sets, 0, n * sizeof *a->sets);
    a->sets[a->n_sets + TG_SET_LIST] = list;
    a->sets[a->n_sets + TG_SET_REQUIRED] = a->rules->lists[list].n_required;
    return settle_set(a, n);
}

bool tgi_set_has(const tg_automaton *a, uint32_t set, uint32_t item)
{
    const uint32_t bit = item - a->rules->lists[a->sets[set]].separator - 1;
    return a->sets[set + TG_SET_BITS + bit / 32] >> bit % 32 & 1;
}

uint32_t tgi_set_with(tg_automaton *a, uint32_t set, uint32_t item)
{
    const tg_unordered list = a->rules->lists[a->sets[set]];
    const uint8_t flags = a->rules->nodes[item].flags;
    const uint32_t n = set_words(a, a->sets[set]);
    const uint32_t bit = item - list.separator - 1;
    const bool had = tgi_set_has(a, set, item);
    if (!tgi_automaton_room(a, (void **)&a->sets, a->n_sets, n, &a->sets_capacity, sizeof *a->sets))
        return 0;
    uint32_t *words = a->sets + a->n_sets;
    memcpy(words, a->sets + set, n * sizeof *words);
    /* without a maximum, counts from the minimum on are the same; so are items that may be
     * repeated and need not occur */
    if (list.max != TG_NO_MAXIMUM || words[TG_SET_COUNT] < list.min)
        words[TG_SET_COUNT]++;
    if (!had && (flags & TG_ITEM_REQUIRED))
        words[TG_SET_REQUIRED]--;
    if (!(flags & TG_ITEM_MANY) || (flags & TG_ITEM_REQUIRED))
        words[TG_SET_BITS + bit / 32] |= 1u << bit % 32;
    return settle_set(a, n);
}

/* ---- states ---- */

static uint32_t hash_stacks(const uint64_t *stacks, uint32_t n, bool accepting)
{
    uint32_t h = n * 2 + accepting;
    for (uint32_t i = 0; i < n; i++)
        h = tgi_mix(h * 0x9e3779b1u ^ (uint32_t)stacks[i] ^
                    (uint32_t)(stacks[i] >> 32) * 0x85ebca77u);
    return h;
}

static uint32_t hash_state(const tg_automaton *a, uint32_t id)
{
    const tg_state *state = &a->states[id];
    return hash_stacks(a->stacks + state->first, state->n, state->accepting);
}

uint32_t tgi_state_id(tg_automaton *a)
{
    const tg_id_table *table = &a->state_table;
    const uint32_t n = a->n_found;
    if (!n && !a->accepting)
        return TG_STATE_DEAD;
    for (uint32_t at = hash_stacks(a->found, n, a->accepting) & table->mask; table->slots[at];
         at = (at + 1) & table->mask) {
        const tg_state *other = &a->states[table->slots[at] - 1];
        if (other->n == n && other->accepting == a->accepting &&
            (!n || !memcmp(a->stacks + other->first, a->found, n * sizeof *a->found)))
            return table->slots[at] - 1;
    }
    if (!grow_table(a, &a->state_table, hash_state) ||
        !tgi_automaton_room(a, (void **)&a->stacks, a->n_stacks, n, &a->stacks_capacity,
                            sizeof *a->stacks) ||
        !tgi_automaton_room(a, (void **)&a->states, a->n_states, 1, &a->states_capacity,
                            sizeof *a->states))
        return 0;
    if (n)
        memcpy(a->stacks + a->n_stacks, a->found, n * sizeof *a->found);
    a->states[a->n_states] = (tg_state){a->n_stacks, n, TG_NO_ROW, 0, a->accepting};
    a->n_stacks += n;
    put_id(a, &a->state_table, hash_state, a->n_states);
    return a->n_states++;
}

/* ---- dropping what is not in use ---- */

/* The new ids of what stays; 0 for what goes, except that id 0 stays 0. */
typedef struct tg_moves {
    uint32_t *frames, *sets, *states;
} tg_moves;

static void mark_states(tg_automaton *a, const uint32_t *states, uint32_t n, tg_moves *moves)
{
    moves->states[a->start] = 1;
    for (const tg_root *root = a->roots.next; root != &a->roots; root = root->next)
        moves->states[root->state] = 1;
    for (uint32_t i = 0; i < n; i++)
        moves->states[states[i]] = 1;
}

static bool holds_set(const tg_automaton *a, const tg_frame *frame)
{
    const uint8_t op = a->rules->nodes[frame->node].op;
    return op == TG_NODE_ITEM || op == TG_NODE_SEPARATOR;
}

/* Marks the frames of the marked states, and the sets of these. Parents come before children. */
static void mark_frames(tg_automaton *a, tg_moves *moves)
{
    for (uint32_t i = 1; i < a->n_states; i++)
        for (uint32_t k = 0; moves->states[i] && k < a->states[i].n; k++)
            moves->frames[(uint32_t)a->stacks[a->states[i].first + k]] = 1;
    for (uint32_t i = a->n_frames - 1; i > 0; i--)
        if (moves->frames[i]) {
            moves->frames[a->frames[i].parent] = 1;
            if (holds_set(a, &a->frames[i]))
                moves->sets[a->frames[i].aux] = 1;
        }
}

static void move_sets(tg_automaton *a, tg_moves *moves)
{
    uint32_t to = 0;
    clear_table(&a->set_table);
    for (uint32_t from = 0, n; from < a->n_sets; from += n) {
        n = set_words(a, a->sets[from]);
        if (!moves->sets[from])
            continue;
        moves->sets[from] = to;
        memmove(a->sets + to, a->sets + from, n * sizeof *a->sets);
        to += n;
    }
    a->n_sets = to;
}

static void move_frames(tg_automaton *a, tg_moves *moves)
{
    uint32_t to = 1;
    clear_table(&a->frame_table);
    for (uint32_t from = 1; from < a->n_frames; from++) {
        tg_frame frame = a->frames[from];
        if (!moves->frames[from])
            continue;
        if (holds_set(a, &frame))
            frame.aux = moves->sets[frame.aux];
        frame.parent = frame.parent ? moves->frames[frame.parent] : TG_FRAME_NONE;
        a->frames[to] = frame;
        moves->frames[from] = to++;
    }
    moves->frames[0] = TG_FRAME_NONE;
    a->n_frames = to;
}

/* The order of the stacks of a state stays, because that of the frames does. */
static void move_states(tg_automaton *a, tg_moves *moves)
{
    uint32_t to = 1, stacks = 0;
    clear_table(&a->state_table);
    for (uint32_t from = 1; from < a->n_states; from++) {
        tg_state state = a->states[from];
        if (!moves->states[from])
            continue;
        for (uint32_t k = 0; k < state.n; k++) {
            const uint64_t stack = a->stacks[state.first + k];
            a->stacks[stacks + k] = (stack >> 32 << 32) | moves->frames[(uint32_t)stack];
        }
        a->states[to] = (tg_state){stacks, state.n, TG_NO_ROW, 0, state.accepting};
        stacks += state.n;
        moves->states[from] = to++;
    }
    moves->states[TG_STATE_DEAD] = TG_STATE_DEAD;
    a->n_states = to;
    a->n_stacks = stacks;
}

/* Fills the tables again; there is room, since they were at least as large before. */
static bool fill_tables(tg_automaton *a)
{
    bool room = true;
    for (uint32_t i = 1; i < a->n_frames && room; i++)
        room = add_id(a, &a->frame_table, hash_frame, i);
    for (uint32_t i = 0; i < a->n_sets && room; i += set_words(a, a->sets[i]))
        room = add_id(a, &a->set_table, hash_set, i);
    for (uint32_t i = 1; i < a->n_states && room; i++)
        room = add_id(a, &a->state_table, hash_state, i);
    return room;
}

tg_outcome tgi_automaton_collect(tg_automaton *a, uint32_t *states, uint32_t n)
{
    const size_t total = (size_t)a->n_frames + a->n_sets + 1 + a->n_states;
    uint32_t *memory = calloc(total, sizeof *memory);
    if (!memory)
        return TG_OUTCOME_MEMORY;
    tg_moves moves = {memory, memory + a->n_frames, memory + a->n_frames + a->n_sets + 1};
    mark_states(a, states, n, &moves);
    mark_frames(a, &moves);
    move_sets(a, &moves);
    move_frames(a, &moves);
    move_states(a, &moves);
    a->start = moves.states[a->start];
    for (tg_root *root = a->roots.next; root != &a->roots; root = root->next)
        root->state = moves.states[root->state];
    for (uint32_t i = 0; i < n; i++)
        states[i] = moves.states[states[i]];
    free(memory);
    a->generation++;
    a->n_transitions = 0;
    shrink((void **)&a->transitions, 0, &a->transitions_capacity, sizeof *a->transitions);
    shrink((void **)&a->frames, a->n_frames, &a->frames_capacity, sizeof *a->frames);
    shrink((void **)&a->sets, a->n_sets, &a->sets_capacity, sizeof *a->sets);
    shrink((void **)&a->states, a->n_states, &a->states_capacity, sizeof *a->states);
    shrink((void **)&a->stacks, a->n_stacks, &a->stacks_capacity, sizeof *a->stacks);
    shrink((void **)&a->work, 0, &a->work_capacity, sizeof *a->work);
    shrink((void **)&a->found, 0, &a->found_capacity, sizeof *a->found);
    tg_visit *seen = realloc(a->seen, 64 * sizeof *seen);
    if (seen) {
        a->seen = seen;
        a->seen_mask = 63;
    }
    memset(a->seen, 0, ((size_t)a->seen_mask + 1) * sizeof *a->seen);
    a->outcome = TG_OUTCOME_OK;
    if (!fill_tables(a) || tgi_automaton_memory(a) > a->limits.memory / 2)
        return TG_OUTCOME_MEMORY;
    return TG_OUTCOME_OK;
}
