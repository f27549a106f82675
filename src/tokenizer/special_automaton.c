/* Builds the automaton, level by level, from the sorted pieces: the time is linear in their bytes
 * after the sorting. */
#include "special_automaton.h"

#include <stdlib.h>
#include <string.h>

/* An order of numbers: whether a comes before b or is equal. */
typedef bool order_fn(const void *data, int set, uint32_t a, uint32_t b);

static bool by_bytes(const void *data, int set, uint32_t a, uint32_t b)
{
    const tg_tokenizer *t = data;
    const tg_str x = t->pieces[a], y = t->pieces[b];
    const int order = memcmp(x.data, y.data, x.length < y.length ? x.length : y.length);
    (void)set;
    return order ? order < 0 : x.length <= y.length;
}

/* Longer texts come first; texts of the same length come by ascending id. */
static bool by_rank(const void *data, int set, uint32_t a, uint32_t b)
{
    const tg_special_end *list = data;
    return list[a].length != list[b].length ? list[a].length > list[b].length
                                            : list[a].set[set].id <= list[b].set[set].id;
}

/* Stable merge sort; scratch: [n]. */
static void sort(uint32_t *list, size_t n, uint32_t *scratch, order_fn *before, const void *data,
                 int set)
{
    for (size_t width = 1; width < n; width *= 2)
        for (size_t from = 0; from + width < n; from += 2 * width) {
            const size_t end = from + 2 * width < n ? from + 2 * width : n;
            size_t a = from, b = from + width;
            for (size_t i = from; i < end; i++)
                scratch[i] = b >= end || (a < from + width && before(data, set, list[a], list[b]))
                                 ? list[a++]
                                 : list[b++];
            memcpy(list + from, scratch + from, (end - from) * sizeof *scratch);
        }
}

static bool is_special(const tg_tokenizer *t, uint32_t id)
{
    const uint8_t type = t->token_types[id];
    return (type == TG_TOKEN_CONTROL || type == TG_TOKEN_UNKNOWN ||
            type == TG_TOKEN_USER_DEFINED) &&
           t->pieces[id].length;
}

/* Fills s->ids, sorted. False when out of memory. scratch: [n_ids]. */
static bool collect(const tg_tokenizer *t, tg_special *s, uint32_t *scratch)
{
    s->ids = malloc(((size_t)s->n_ids + 1) * sizeof *s->ids);
    if (!s->ids)
        return false;
    uint32_t n = 0;
    for (uint32_t id = 0; id < t->n; id++)
        if (is_special(t, id))
            s->ids[n++] = (int32_t)id;
    sort((uint32_t *)s->ids, n, scratch, by_bytes, t, 0);
    return true;
}

/* Counts the states and the different texts. */
static void count(const tg_tokenizer *t, tg_special *s, size_t *n_states, uint32_t *n_ends)
{
    *n_states = 1;
    *n_ends = 1;
    for (uint32_t i = 0; i < s->n_ids; i++) {
        const tg_str piece = t->pieces[s->ids[i]];
        const tg_str before = i ? t->pieces[s->ids[i - 1]] : (tg_str){"", 0};
        uint32_t common = 0;
        while (common < piece.length && common < before.length &&
               piece.data[common] == before.data[common])
            common++;
        *n_states += piece.length - common;
        *n_ends += common < piece.length;
    }
}

static bool allocate(tg_tokenizer *t, tg_special *s)
{
    size_t n;
    count(t, s, &n, &s->n_ends);
    if (n > INT32_MAX / 16 || s->n_ends > INT32_MAX / (int)sizeof *s->list)
        return false; /* a 32-bit size_t would wrap */
    s->n_states = (uint32_t)n;
    s->first_child = malloc((n + 1) * sizeof *s->first_child);
    s->fail = calloc(n, sizeof *s->fail);
    s->ends = calloc(n, sizeof *s->ends);
    s->bytes = malloc(n);
    s->list = calloc(s->n_ends, sizeof *s->list);
    s->by_rank[0] = calloc(TG_SPECIAL_SETS * (size_t)s->n_ends, sizeof **s->by_rank);
    if (!s->first_child || !s->fail || !s->ends || !s->bytes || !s->list || !s->by_rank[0])
        return false;
    s->by_rank[1] = s->by_rank[0] + s->n_ends;
    t->memory += sizeof *s + s->n_ids * sizeof *s->ids +
                 n * (1 + sizeof *s->first_child + sizeof *s->fail + sizeof *s->ends) +
                 s->n_ends * (sizeof *s->list + TG_SPECIAL_SETS * sizeof **s->by_rank);
    return true;
}

/* Links a text to the shorter texts that end it. suffix: the longest of these. */
static void link_end(tg_special *s, uint32_t index, uint32_t suffix)
{
    for (int set = 0; set < TG_SPECIAL_SETS; set++) {
        tg_special_end *list = s->list;
        const uint32_t up =
            list[suffix].set[set].id >= 0 || !suffix ? suffix : list[suffix].set[set].up;
        const uint32_t jump = list[up].set[set].jump;
        const bool even = list[up].set[set].depth - list[jump].set[set].depth ==
                          list[jump].set[set].depth - list[list[jump].set[set].jump].set[set].depth;
        list[index].set[set].up = up;
        list[index].set[set].depth = list[up].set[set].depth + 1;
        list[index].set[set].jump = even ? list[jump].set[set].jump : up;
    }
}

/* Adds the text that the ids [low, high) share: the text of this state. */
static void add_end(const tg_tokenizer *t, tg_special *s, uint32_t state, uint32_t low,
                    uint32_t high, uint32_t index)
{
    tg_special_end *end = &s->list[index];
    end->length = t->pieces[s->ids[low]].length;
    end->set[TG_SPECIAL_ALL].id = s->ids[low]; /* equal pieces are sorted by id */
    end->set[TG_SPECIAL_USER].id = -1;
    for (uint32_t i = high; i-- > low;)
        if (t->token_types[s->ids[i]] == TG_TOKEN_USER_DEFINED)
            end->set[TG_SPECIAL_USER].id = s->ids[i];
    link_end(s, index, s->ends[s->fail[state]]);
    s->ends[state] = index;
}

/* A state whose children are still to be made: the ids that begin with its text. */
typedef struct range {
    uint32_t low, high;
} range;

/* Makes the states level by level. level, next: [n_ids + 1]. */
static void build(const tg_tokenizer *t, tg_special *s, range *level, range *next)
{
    uint32_t first = 0, n_level = 1, n_states = 1, n_ends = 1;
    level[0] = (range){0, s->n_ids};
    for (uint32_t depth = 0; n_level; depth++) {
        uint32_t n_next = 0;
        for (uint32_t i = 0; i < n_level; i++) {
            const uint32_t state = first + i, high = level[i].high;
            uint32_t low = level[i].low, same = low;
            while (same < high && t->pieces[s->ids[same]].length == depth)
                same++;
            if (same > low)
                add_end(t, s, state, low, same, n_ends++);
            else if (depth)
                s->ends[state] = s->ends[s->fail[state]];
            s->first_child[state] = n_states;
            for (low = same; low < high; low = same) {
                const char byte = t->pieces[s->ids[low]].data[depth];
                for (same = low; same < high && t->pieces[s->ids[same]].data[depth] == byte;)
                    same++;
                s->bytes[n_states] = (uint8_t)byte;
                if (depth)
                    s->fail[n_states] = tgi_special_next(s, s->fail[state], (uint8_t)byte);
                else
                    s->root[(uint8_t)byte] = n_states;
                next[n_next++] = (range){low, same};
                n_states++;
            }
        }
        s->first_child[first + n_level] = n_states;
        first += n_level;
        n_level = n_next;
        range *const swap = level;
        level = next;
        next = swap;
    }
}

/* scratch: [n_ends - 1]. */
static void rank(tg_special *s, uint32_t *scratch)
{
    for (int set = 0; set < TG_SPECIAL_SETS; set++) {
        uint32_t n = 0;
        for (uint32_t i = 1; i < s->n_ends; i++)
            if (s->list[i].set[set].id >= 0)
                s->by_rank[set][n++] = i;
        sort(s->by_rank[set], n, scratch, by_rank, s->list, set);
        for (uint32_t i = 0; i < n; i++)
            s->list[s->by_rank[set][i]].set[set].rank = i;
    }
}

bool tgi_special_new(tg_tokenizer *t)
{
    tg_special *s = t->special = calloc(1, sizeof *s);
    if (!s)
        return false;
    for (uint32_t id = 0; id < t->n; id++)
        s->n_ids += is_special(t, id);
    range *ranges = malloc(2 * ((size_t)s->n_ids + 1) * sizeof *ranges);
    uint32_t *scratch = (uint32_t *)ranges; /* for sorting, before and after the ranges */
    const bool ok = ranges && collect(t, s, scratch) && allocate(t, s);
    if (ok) {
        for (int set = 0; set < TG_SPECIAL_SETS; set++)
            s->list[0].set[set].id = -1;
        build(t, s, ranges, ranges + s->n_ids + 1);
        rank(s, scratch);
    }
    free(ranges);
    return ok;
}

void tgi_special_free(tg_special *s)
{
    if (!s)
        return;
    free(s->ids);
    free(s->first_child);
    free(s->fail);
    free(s->ends);
    free(s->bytes);
    free(s->list);
    free(s->by_rank[0]);
    free(s);
}

const int32_t *tgi_special_ids(const tg_special *s, uint32_t *n)
{
    *n = s->n_ids;
    return s->ids;
}
