/* Runs a grammar over bytes: a pushdown automaton that is turned into states as texts need them.
 *
 * Where a text is in the grammar is a set of stacks: a node that waits for a byte, and frames that
 * say where to go on after it. Frames are shared: equal ones have one id. A state is such a set;
 * equal sets have one id, too, and what a byte makes of a state is computed once. So a state costs
 * what a deterministic automaton costs from the second visit on.
 *
 * Memory is bounded. When it is used up, everything is dropped but the states that are in use
 * (the roots, and the states of the running call), and those get new ids. */
#ifndef TG_AUTOMATON_H
#define TG_AUTOMATON_H

#include "rules.h"

#define TG_STATE_DEAD 0u /* no text goes on from here, and none ends here */

typedef struct tg_automaton_limits {
    size_t memory;   /* bytes of frames, states and transitions */
    uint32_t stacks; /* of one state */
    uint64_t steps;  /* of one call: stacks that are looked at */
    uint32_t prune;  /* states with more stacks than this are looked through for useless ones */
} tg_automaton_limits;

/* A state that stays: the owner links it in, and its id may change with every call. */
typedef struct tg_root {
    uint32_t state;
    struct tg_root *next, *previous;
} tg_root;

typedef struct tg_frame {
    uint32_t node;   /* where to go on; or the repetition, item or separator that ends */
    uint32_t aux;    /* of a repetition: elements so far + 1; of items and separators: their set */
    uint32_t parent; /* 0: there is none */
    uint32_t shape;  /* a hash without counts that prune.c may compare */
} tg_frame;

typedef struct tg_state {
    uint32_t first, n; /* of stacks */
    uint32_t row;      /* index of its first transition; TG_NO_ROW: none were computed */
    uint32_t mask;     /* for masks.c: slot + 1; 0: none */
    bool accepting;    /* the text can end here */
} tg_state;

#define TG_NO_ROW     UINT32_MAX
#define TG_UNKNOWN    UINT32_MAX /* a transition that was not computed yet */
#define TG_FRAME_NONE 0u

/* A hash table of ids: [mask + 1] id + 1, 0 where free. */
typedef struct tg_id_table {
    uint32_t *slots;
    uint32_t mask, n;
} tg_id_table;

/* A node that is to be looked at, with its stack. n_new: frames that were pushed since the last
 * byte, if the grammar has repetitions whose body can be empty; else 0. */
typedef struct tg_visit {
    uint32_t node, frame, n_new, round;
} tg_visit;

typedef enum tg_outcome {
    TG_OUTCOME_OK,
    TG_OUTCOME_MEMORY,
    TG_OUTCOME_STACKS,
    TG_OUTCOME_STEPS
} tg_outcome;

typedef struct tg_automaton {
    const tg_rules *rules;
    tg_automaton_limits limits;
    tg_root roots; /* head of the list; its own state is not used */
    uint32_t start;
    uint32_t generation; /* how often states were dropped */

    tg_frame *frames; /* [n_frames] parents come before their children */
    uint32_t n_frames, frames_capacity;
    uint32_t *sets; /* [n_sets] words of sets of items: list, count, required, bits */
    uint32_t n_sets, sets_capacity;
    tg_state *states; /* [n_states] */
    uint32_t n_states, states_capacity;
    uint64_t *stacks; /* [n_stacks] of all states: node << 32 | frame, sorted within a state */
    uint32_t n_stacks, stacks_capacity;
    uint32_t *transitions; /* [n_transitions] rows of rules->n_classes states */
    uint32_t n_transitions, transitions_capacity;
    tg_id_table frame_table, set_table, state_table;

    /* the state that is being computed */
    tg_visit *work; /* [n_work] */
    uint32_t n_work, work_capacity;
    tg_visit *seen; /* hash table: [seen_mask + 1], entries of this round */
    uint32_t seen_mask, n_seen, round;
    uint64_t *found; /* [n_found] stacks */
    uint32_t n_found, found_capacity;
    bool accepting;
    uint64_t n_steps; /* of this call */
    tg_outcome outcome;
} tg_automaton;

/* NULL: out of memory. rules stay the caller's. */
tg_automaton *tgi_automaton_new(const tg_rules *rules, const tg_automaton_limits *limits,
                                tg_error *error);
void tgi_automaton_free(tg_automaton *automaton);

/* Bytes allocated. */
size_t tgi_automaton_memory(const tg_automaton *automaton);

void tgi_automaton_add_root(tg_automaton *automaton, tg_root *root, uint32_t state);
void tgi_automaton_remove_root(tg_root *root);

/* Begins a call, whose steps are limited. */
void tgi_automaton_begin(tg_automaton *automaton);

/* What a byte makes of states[n - 1]. states[n]: states of the caller's that stay valid; their ids
 * may change. They must not be the states of roots, nor next one of them. TG_GRAMMAR_INVALID: a
 * limit is exceeded; TG_OUT_OF_MEMORY. */
tg_status tgi_automaton_step(tg_automaton *automaton, uint32_t *states, uint32_t n, uint8_t byte,
                             uint32_t *next, tg_error *error);

/* The bytes with which every continuation of a state begins, at most `capacity`. They end where two
 * bytes are possible, or where the text can end. As tgi_automaton_step. */
tg_status tgi_automaton_forced(tg_automaton *automaton, uint32_t state, uint8_t *bytes,
                               size_t capacity, size_t *n, tg_error *error);

/* What a byte makes of a state; TG_UNKNOWN: it was not computed yet. */
static inline uint32_t tgi_automaton_known(const tg_automaton *automaton, uint32_t state,
                                           uint8_t byte)
{
    const uint32_t row = automaton->states[state].row;
    return row == TG_NO_ROW ? TG_UNKNOWN
                            : automaton->transitions[row + automaton->rules->class_of[byte]];
}

/* Whether the text can end in a state, and whether it can go on. */
static inline bool tgi_automaton_accepting(const tg_automaton *automaton, uint32_t state)
{
    return automaton->states[state].accepting;
}

static inline bool tgi_automaton_can_go_on(const tg_automaton *automaton, uint32_t state)
{
    return automaton->states[state].n > 0;
}

/* Hashes for tables, of one number and of three. */
static inline uint32_t tgi_mix(uint32_t h)
{
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    return h ^ h >> 13;
}

static inline uint32_t tgi_hash(uint32_t a, uint32_t b, uint32_t c)
{
    return tgi_mix(a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du);
}

/* ---- stacks.c: frames, sets of items and states by their content. On failure they set `outcome`
 * and return 0. ---- */

uint32_t tgi_frame_id(tg_automaton *a, tg_frame frame);
/* The set of no items of a list. */
uint32_t tgi_empty_set(tg_automaton *a, uint32_t list);
/* The set with one more item, which is not changed for items that may be repeated. */
uint32_t tgi_set_with(tg_automaton *a, uint32_t set, uint32_t item);
bool tgi_set_has(const tg_automaton *a, uint32_t set, uint32_t item);
/* The id of the state of the stacks that were found, which are sorted. */
uint32_t tgi_state_id(tg_automaton *a);
/* Makes room for n more elements; not beyond the limit of memory. */
bool tgi_automaton_room(tg_automaton *a, void **data, uint32_t used, uint32_t n, uint32_t *capacity,
                        size_t size);
/* Drops everything but the roots, the start and states[n]. */
tg_outcome tgi_automaton_collect(tg_automaton *a, uint32_t *states, uint32_t n);

/* Words of a set: */
enum { TG_SET_LIST, TG_SET_COUNT, TG_SET_REQUIRED, TG_SET_BITS };

/* ---- prune.c ---- */

uint32_t tgi_frame_shape(const tg_automaton *a, tg_frame frame);
/* Drops stacks that were found and that others cover. */
void tgi_automaton_prune(tg_automaton *a);

/* ---- closure.c ---- */

/* Computes the stacks that wait for a byte, and `accepting`, from the visits in `work`. */
void tgi_automaton_close(tg_automaton *a);
/* Adds a visit unless it was made in this round. */
void tgi_automaton_visit(tg_automaton *a, uint32_t node, uint32_t frame, uint32_t n_new);
/* Begins a round: nothing is found or seen. */
void tgi_automaton_begin_round(tg_automaton *a);

#endif
