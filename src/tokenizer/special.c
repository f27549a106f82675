/* Every place where a special token ends in the text is a candidate with the longest token that
 * ends there. The candidates are taken by the rank of their tokens. If one overlaps a token that
 * was taken, the next shorter token that fits takes its place; the room before it then is at most
 * half, so that this happens a logarithmic number of times. */
#include "../base/grow.h"
#include "special_automaton.h"

#include <stdlib.h>

#define LEVELS   6 /* of 64 children each: 2^36 positions */
#define NOWHERE  SIZE_MAX
#define MAX_TEXT INT32_MAX /* bytes */

/* A set of positions that finds the last one up to another. */
typedef struct positions {
    uint64_t *levels[LEVELS]; /* a bit says whether a word of the level below is not 0 */
    unsigned n_levels;
} positions;

/* Words of memory for positions up to and including `last`. */
static size_t words_for(size_t last)
{
    size_t all = 0, n = last + 1;
    do
        all += n = (n + 63) / 64;
    while (n > 1);
    return all;
}

static void positions_init(positions *p, size_t last, uint64_t *words)
{
    size_t n = last + 1;
    do {
        n = (n + 63) / 64;
        p->levels[p->n_levels++] = words;
        words += n;
    } while (n > 1);
}

static void positions_add(positions *p, size_t position)
{
    for (unsigned level = 0; level < p->n_levels; level++, position /= 64)
        p->levels[level][position / 64] |= UINT64_C(1) << position % 64;
}

/* The last position up to and including this one; NOWHERE: none. */
static size_t positions_last(const positions *p, size_t position)
{
    for (unsigned level = 0; level < p->n_levels; level++) {
        const uint64_t word =
            p->levels[level][position / 64] & ~UINT64_C(0) >> (63 - position % 64);
        if (word) {
            position = position / 64 * 64 + 63 - (size_t)__builtin_clzll(word);
            while (level-- > 0)
                position = position * 64 + 63 - (size_t)__builtin_clzll(p->levels[level][position]);
            return position;
        }
        if (position < 64)
            return NOWHERE;
        position = position / 64 - 1;
    }
    return NOWHERE;
}

/* A heap, the smallest first, of candidates: the rank of the token, then the byte at which it ends.
 */
typedef struct heap {
    uint64_t *list;
    uint32_t n, capacity;
} heap;

static bool heap_append(heap *h, uint64_t value)
{
    if (!tgi_grow((void **)&h->list, h->n, &h->capacity, sizeof *h->list))
        return false;
    h->list[h->n++] = value;
    return true;
}

static void sink(heap *h, size_t at)
{
    const uint64_t value = h->list[at];
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && h->list[child + 1] < h->list[child])
            child++;
        if (h->list[child] >= value)
            break;
        h->list[at] = h->list[child];
    }
    h->list[at] = value;
}

static bool put_match(tg_special_matches *m, tg_special_match match)
{
    if (!tgi_grow((void **)&m->list, m->n, &m->capacity, sizeof *m->list))
        return false;
    m->list[m->n++] = match;
    return true;
}

/* Collects the candidates of the text. */
static bool find_candidates(const tg_special *s, int set, const char *text, size_t length, heap *h)
{
    uint32_t state = 0;
    for (size_t at = 0; at < length; at++) {
        state = tgi_special_next(s, state, (uint8_t)text[at]);
        if (!s->ends[state])
            continue;
        const uint32_t end = tgi_special_longest(s, set, s->ends[state], SIZE_MAX);
        if (end && !heap_append(h, (uint64_t)s->list[end].set[set].rank << 32 | (at + 1)))
            return false;
    }
    return true;
}

/* Takes the candidates in their order. starts, ends: of the tokens that were taken. */
static bool take(const tg_special *s, int set, heap *h, positions *starts, positions *ends,
                 tg_special_matches *matches)
{
    for (size_t i = h->n / 2; i-- > 0;)
        sink(h, i);
    while (h->n) {
        const uint32_t index = s->by_rank[set][h->list[0] >> 32];
        const size_t end = h->list[0] & UINT32_MAX, length = s->list[index].length;
        const size_t last_end = positions_last(ends, end - 1),
                     last_start = positions_last(starts, end - 1),
                     free_from = last_end == NOWHERE ? 0 : last_end;
        const bool taken = last_start != NOWHERE && last_start >= free_from;
        const uint32_t shorter = taken || length <= end - free_from
                                     ? 0
                                     : tgi_special_longest(s, set, index, end - free_from);
        if (!taken && length <= end - free_from) {
            positions_add(starts, end - length);
            positions_add(ends, end);
            if (!put_match(matches, (tg_special_match){end - length, (uint32_t)length,
                                                       s->list[index].set[set].id}))
                return false;
        }
        h->list[0] =
            shorter ? (uint64_t)s->list[shorter].set[set].rank << 32 | end : h->list[--h->n];
        if (h->n)
            sink(h, 0);
    }
    return true;
}

static int by_position(const void *a, const void *b)
{
    const size_t x = ((const tg_special_match *)a)->at, y = ((const tg_special_match *)b)->at;
    return x < y ? -1 : x > y;
}

bool tgi_special_find(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                      tg_special_matches *matches)
{
    const tg_special *s = t->special;
    const int set = parse ? TG_SPECIAL_ALL : TG_SPECIAL_USER;
    heap h = {0};
    *matches = (tg_special_matches){0};
    if (length > MAX_TEXT)
        return false;
    bool ok = find_candidates(s, set, text, length, &h);
    if (ok && h.n) {
        const size_t n = words_for(length);
        uint64_t *words = calloc(2 * n, sizeof *words);
        positions starts = {0}, ends = {0};
        ok = words != NULL;
        if (ok) {
            positions_init(&starts, length, words);
            positions_init(&ends, length, words + n);
            ok = take(s, set, &h, &starts, &ends, matches);
        }
        free(words);
        if (matches->n)
            qsort(matches->list, matches->n, sizeof *matches->list, by_position);
    }
    free(h.list);
    return ok;
}
