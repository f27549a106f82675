/* The automaton that finds special tokens in a text (Aho and Corasick 1975). Its states are the
 * beginnings of pieces; after each byte of the text, the state is the longest beginning that ends
 * there. */
#ifndef TG_SPECIAL_AUTOMATON_H
#define TG_SPECIAL_AUTOMATON_H

#include "special.h"

/* Which tokens count: all, or only user-defined tokens. */
enum { TG_SPECIAL_ALL, TG_SPECIAL_USER, TG_SPECIAL_SETS };

/* A text that is the piece of a special token. Links lead from a text to the shorter texts that end
 * it. Jump links skip many of these at once, so that the longest text within a limit is found in
 * logarithmic time. Index 0 is no text, of length 0. */
typedef struct tg_special_end {
    uint32_t length;
    struct {
        int32_t id;    /* the lowest id of this text in the set; -1: the set has no such token */
        uint32_t rank; /* the order in which tokens are cut out */
        uint32_t up, jump, depth;
    } set[TG_SPECIAL_SETS];
} tg_special_end;

struct tg_special {
    int32_t *ids; /* [n_ids] by ascending bytes */
    uint32_t n_ids;

    /* The states; state 0 is the empty text, a state's children follow each other by ascending
     * byte, and those of the next state follow them. */
    uint32_t n_states;
    uint8_t *bytes;        /* [n_states] the last byte of the state's text */
    uint32_t *first_child; /* [n_states + 1] */
    uint32_t *fail;        /* [n_states] the longest state that ends this one's text */
    uint32_t *ends;        /* [n_states] the longest piece that ends the state's text */
    uint32_t root[256];    /* state 0's child of each byte; 0: none */

    tg_special_end *list; /* [n_ends] */
    uint32_t n_ends;
    uint32_t *by_rank[TG_SPECIAL_SETS]; /* index into list */
};

/* The state after another byte. */
static inline uint32_t tgi_special_next(const tg_special *s, uint32_t state, uint8_t byte)
{
    while (state) {
        uint32_t low = s->first_child[state], high = s->first_child[state + 1];
        const uint32_t end = high;
        while (low < high) {
            const uint32_t middle = (low + high) / 2;
            if (s->bytes[middle] < byte)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < end && s->bytes[low] == byte)
            return low;
        state = s->fail[state];
    }
    return s->root[byte];
}

/* The longest text of the set that is the text `end` or ends it, and has at most `limit` bytes; 0:
 * none. */
static inline uint32_t tgi_special_longest(const tg_special *s, int set, uint32_t end, size_t limit)
{
    if (s->list[end].set[set].id < 0)
        end = s->list[end].set[set].up;
    while (s->list[end].length > limit) {
        const uint32_t jump = s->list[end].set[set].jump;
        end = s->list[jump].length > limit ? jump : s->list[end].set[set].up;
    }
    return end;
}

#endif
