/* Vocabularies have thousands of special tokens, but a text contains few: one pass over the text
 * finds those it contains, and the text is split at these only. */
#include "special.h"

#include <stdlib.h>
#include <string.h>

/* An order of tokens: whether a comes before b or is equal. */
typedef bool order_fn(const tg_tokenizer *t, int32_t a, int32_t b);

static bool by_bytes(const tg_tokenizer *t, int32_t a, int32_t b)
{
    const tg_str x = t->pieces[a], y = t->pieces[b];
    const int order = memcmp(x.data, y.data, x.length < y.length ? x.length : y.length);
    return order ? order < 0 : x.length <= y.length;
}

static bool longest_first(const tg_tokenizer *t, int32_t a, int32_t b)
{
    const size_t x = t->pieces[a].length, y = t->pieces[b].length;
    return x != y ? x > y : a <= b;
}

/* Stable merge sort; scratch: [n]. */
static void sort(const tg_tokenizer *t, int32_t *ids, uint32_t n, int32_t *scratch,
                 order_fn *before)
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
        if ((t->token_types[i] == TG_TOKEN_CONTROL || t->token_types[i] == TG_TOKEN_UNKNOWN ||
             t->token_types[i] == TG_TOKEN_USER_DEFINED) &&
            t->pieces[i].length)
            t->special[t->n_special++] = (int32_t)i;
    sort(t, t->special, t->n_special, t->special + t->n, by_bytes);
    uint32_t at = 0;
    for (uint32_t byte = 0; byte <= 256; byte++) {
        while (at < t->n_special && (uint8_t)t->pieces[t->special[at]].data[0] < byte)
            at++;
        t->special_from[byte] = at;
    }
}

/* Byte k of the piece of special token s; -1 past its end. */
static int byte_at(const tg_tokenizer *t, uint32_t s, size_t k)
{
    const tg_str piece = t->pieces[t->special[s]];
    return k < piece.length ? (uint8_t)piece.data[k] : -1;
}

/* Of the special tokens [low, high), whose first k bytes are equal, the first whose byte k is at
 * least this. */
static uint32_t lower_bound(const tg_tokenizer *t, uint32_t low, uint32_t high, size_t k, int byte)
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

/* Sets the bits of the special tokens that the text contains; returns how many. */
static uint32_t find_present(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                             uint8_t *present)
{
    uint32_t n = 0;
    for (size_t at = 0; at < length; at++) {
        uint32_t low = t->special_from[(uint8_t)text[at]],
                 high = t->special_from[(uint8_t)text[at] + 1];
        for (size_t k = 1; low < high; k++) {
            /* the tokens that end here; each of several equal ones counts */
            for (; low < high && byte_at(t, low, k) < 0; low++)
                if (!(present[low / 8] >> low % 8 & 1) &&
                    (parse || t->token_types[t->special[low]] == TG_TOKEN_USER_DEFINED)) {
                    present[low / 8] |= (uint8_t)(1 << low % 8);
                    n++;
                }
            if (at + k >= length)
                break;
            const int byte = (uint8_t)text[at + k];
            if (low < high && byte_at(t, low, k) == byte && byte_at(t, high - 1, k) == byte)
                continue;
            low = lower_bound(t, low, high, k, byte);
            high = lower_bound(t, low, high, k, byte + 1);
        }
    }
    return n;
}

/* Inserts a fragment after the one with index `before` (-1: as the first). False when out of
 * memory. */
static bool insert_after(tg_fragments *f, int32_t before, tg_fragment fragment)
{
    if (f->n == f->capacity) {
        const size_t capacity = f->capacity ? f->capacity * 2 : 16;
        if (capacity > INT32_MAX / sizeof(tg_fragment)) /* a 32-bit size_t would wrap */
            return false;
        tg_fragment *larger = realloc(f->list, capacity * sizeof *larger);
        if (!larger)
            return false;
        f->list = larger;
        f->capacity = capacity;
    }
    f->list[f->n] = fragment;
    if (before >= 0) {
        f->list[f->n].next = f->list[before].next;
        f->list[before].next = (int32_t)f->n;
    }
    f->n++;
    return true;
}

static const char *find_bytes(const char *text, size_t length, tg_str piece)
{
    for (const char *end = text + length; length >= piece.length; length = (size_t)(end - text)) {
        text = memchr(text, piece.data[0], length - piece.length + 1);
        if (!text)
            return NULL;
        if (!memcmp(text, piece.data, piece.length))
            return text;
        text++;
    }
    return NULL;
}

/* Splits every plain fragment at every occurrence of a token. False when out of memory. */
static bool split_at(const tg_tokenizer *t, const char *text, int32_t id, tg_fragments *f)
{
    const tg_str piece = t->pieces[id];
    for (int32_t i = 0; i >= 0; i = f->list[i].next) {
        if (f->list[i].id >= 0)
            continue;
        const char *match = find_bytes(text + f->list[i].at, f->list[i].length, piece);
        if (!match)
            continue;
        const size_t at = (size_t)(match - text), after = at + piece.length,
                     end = f->list[i].at + f->list[i].length;
        f->list[i].length = at - f->list[i].at;
        if (!insert_after(f, i, (tg_fragment){after, end - after, -1, -1}) ||
            !insert_after(f, i, (tg_fragment){at, piece.length, id, -1}))
            return false;
    }
    return true;
}

bool tgi_special_split(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                       tg_fragments *f)
{
    uint8_t *present = calloc(1, t->n_special / 8 + 1);
    bool ok = present && insert_after(f, -1, (tg_fragment){0, length, -1, -1});
    const uint32_t n = ok ? find_present(t, text, length, parse, present) : 0;
    int32_t *ids = n ? malloc(2 * (size_t)n * sizeof *ids) : NULL;
    if (n) {
        ok = ids != NULL;
        for (uint32_t s = 0, i = 0; ok && s < t->n_special; s++)
            if (present[s / 8] >> s % 8 & 1)
                ids[i++] = t->special[s];
        if (ok)
            sort(t, ids, n, ids + n, longest_first);
        for (uint32_t i = 0; ok && i < n; i++)
            ok = split_at(t, text, ids[i], f);
    }
    free(ids);
    free(present);
    return ok;
}
