/* Special tokens are cut out of a text before the rest is encoded. In: a vocabulary's control,
 * unknown and user-defined tokens, and a text. Out: its parts. Vocabularies have thousands of them
 * and texts few: one walk over the text finds which are in it at all, and only for those it is cut.
 */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

static bool by_bytes(const tg_tokenizer *t, int32_t a,
                     int32_t b) /* whether a comes no later than b */
{
    const tg_str x = t->entries[a], y = t->entries[b];
    const int order = memcmp(x.data, y.data, x.length < y.length ? x.length : y.length);
    return order ? order < 0 : x.length <= y.length;
}

static bool longest_first(const tg_tokenizer *t, int32_t a, int32_t b)
{
    const size_t x = t->entries[a].length, y = t->entries[b].length;
    return x != y ? x > y : a <= b;
}

/* merge sort, stable; scratch: room for n */
static void sort(const tg_tokenizer *t, int32_t *ids, uint32_t n, int32_t *scratch,
                 bool (*before)(const tg_tokenizer *, int32_t, int32_t))
{
    for (uint32_t width = 1; width < n; width *= 2)
        for (uint32_t from = 0; from + width < n; from += 2 * width) {
            const uint32_t end = from + 2 * width < n ? from + 2 * width : n;
            uint32_t a = from, b = from + width;
            for (uint32_t i = from; i < end; i++)
                scratch[i] = b >= end || (a < from + width && before(t, ids[a], ids[b])) ? ids[a++]
                                                                                         : ids[b++];
            memcpy(ids + from, scratch + from, (end - from) * sizeof *scratch);
        }
}

void tgi_special_sort(tg_tokenizer *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        if ((t->kinds[i] == TG_TOKEN_CONTROL || t->kinds[i] == TG_TOKEN_UNKNOWN ||
             t->kinds[i] == TG_TOKEN_USER_DEFINED) &&
            t->entries[i].length)
            t->special[t->n_special++] = (int32_t)i;
    sort(t, t->special, t->n_special, t->special + t->n, by_bytes);
    uint32_t at = 0;
    for (uint32_t byte = 0; byte <= 256; byte++) {
        while (at < t->n_special && (uint8_t)t->entries[t->special[at]].data[0] < byte)
            at++;
        t->special_from[byte] = at;
    }
}

/* Byte k of special token s, or -1 where its entry has ended. */
static int byte_at(const tg_tokenizer *t, uint32_t s, size_t k)
{
    const tg_str entry = t->entries[t->special[s]];
    return k < entry.length ? (uint8_t)entry.data[k] : -1;
}

/* The first of specials [low, high), equal in their first k bytes, whose byte k is at least this.
 */
static uint32_t bound(const tg_tokenizer *t, uint32_t low, uint32_t high, size_t k, int byte)
{
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (byte_at(t, middle, k) < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sets the bits of the special tokens that the text spells somewhere; returns how many. */
static uint32_t find_present(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                             uint8_t *present)
{
    uint32_t n = 0;
    for (size_t at = 0; at < length; at++) {
        uint32_t low = t->special_from[(uint8_t)text[at]],
                 high = t->special_from[(uint8_t)text[at] + 1];
        for (size_t k = 1; low < high; k++) {
            for (; low < high && byte_at(t, low, k) < 0;
                 low++) /* those that end here; of several alike each counts */
                if (!(present[low / 8] >> low % 8 & 1) &&
                    (parse || t->kinds[t->special[low]] == TG_TOKEN_USER_DEFINED)) {
                    present[low / 8] |= (uint8_t)(1 << low % 8);
                    n++;
                }
            if (at + k >= length)
                break;
            const int byte = (uint8_t)text[at + k];
            if (low < high && byte_at(t, low, k) == byte && byte_at(t, high - 1, k) == byte)
                continue;
            low = bound(t, low, high, k, byte);
            high = bound(t, low, high, k, byte + 1);
        }
    }
    return n;
}

static bool part_after(tg_parts *p, int32_t before, tg_part what)
{
    if (p->n == p->capacity) {
        const size_t capacity = p->capacity ? p->capacity * 2 : 16;
        if (capacity >
            INT32_MAX / sizeof(tg_part)) /* beyond it sizes wrap where size_t has 32 bits */
            return false;
        tg_part *larger = realloc(p->list, capacity * sizeof *larger);
        if (!larger)
            return false;
        p->list = larger;
        p->capacity = capacity;
    }
    p->list[p->n] = what;
    if (before >= 0) {
        p->list[p->n].next = p->list[before].next;
        p->list[before].next = (int32_t)p->n;
    }
    p->n++;
    return true;
}

static const char *find_bytes(const char *text, size_t length, tg_str what)
{
    for (const char *end = text + length; length >= what.length; length = (size_t)(end - text)) {
        text = memchr(text, what.data[0], length - what.length + 1);
        if (!text)
            return NULL;
        if (!memcmp(text, what.data, what.length))
            return text;
        text++;
    }
    return NULL;
}

static bool cut(const tg_tokenizer *t, const char *text, int32_t id, tg_parts *p)
{
    const tg_str spelling = t->entries[id];
    for (int32_t i = 0; i >= 0; i = p->list[i].next) {
        if (p->list[i].id >= 0)
            continue;
        const char *found = find_bytes(text + p->list[i].at, p->list[i].length, spelling);
        if (!found)
            continue;
        const size_t at = (size_t)(found - text), after = at + spelling.length,
                     end = p->list[i].at + p->list[i].length;
        p->list[i].length = at - p->list[i].at;
        if (!part_after(p, i, (tg_part){after, end - after, -1, -1}) ||
            !part_after(p, i, (tg_part){at, spelling.length, id, -1}))
            return false;
    }
    return true;
}

bool tgi_special_cut(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                     tg_parts *p)
{
    uint8_t *present = calloc(1, t->n_special / 8 + 1);
    bool fits = present && part_after(p, -1, (tg_part){0, length, -1, -1});
    const uint32_t n = fits ? find_present(t, text, length, parse, present) : 0;
    int32_t *ids = n ? malloc(2 * (size_t)n * sizeof *ids) : NULL;
    if (n) {
        fits = ids != NULL;
        for (uint32_t s = 0, i = 0; fits && s < t->n_special; s++)
            if (present[s / 8] >> s % 8 & 1)
                ids[i++] = t->special[s];
        if (fits)
            sort(t, ids, n, ids + n, longest_first);
        for (uint32_t i = 0; fits && i < n; i++)
            fits = cut(t, text, ids[i], p);
    }
    free(ids);
    free(present);
    return fits;
}
