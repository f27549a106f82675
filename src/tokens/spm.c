/* SentencePiece-style BPE as GGUF carries it (Sennrich, Haddow and Birch 2016; Kudo and Richardson 2018): characters are merged,
 * the pair with the greatest score first, the leftmost among equals; what is no token in the end becomes bytes. In: plain text.
 * Out: ids. Work memory lives during the call.
 *
 * Each merge adds at most two pairs to a heap, so the cost is n log n whatever the text; a pair longer than the longest token is
 * not looked up. */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define SPACE "\xe2\x96\x81" /* U+2581 stands for a space */

typedef struct symbol {
    uint32_t at, length;    /* bytes in the text; length 0: merged into another */
    int32_t previous, next; /* or -1 */
} symbol;

typedef struct pair {
    float score;
    int32_t left, right;
    uint32_t length; /* of both when the pair was made: it is stale when they have changed */
} pair;

typedef struct work {
    const tg_tokens *tokens;
    const char *text;
    symbol *symbols;
    pair *heap;
    size_t n_heap;
} work;

static bool pair_before(pair a, pair b)
{
    return a.score > b.score || (a.score == b.score && a.left < b.left);
}

static void heap_push(work *w, pair p)
{
    size_t at = w->n_heap++;
    for (size_t parent; at && pair_before(p, w->heap[parent = (at - 1) / 2]); at = parent)
        w->heap[at] = w->heap[parent];
    w->heap[at] = p;
}

static pair heap_pop(work *w)
{
    const pair top = w->heap[0], last = w->heap[--w->n_heap];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < w->n_heap; at = child) {
        if (child + 1 < w->n_heap && pair_before(w->heap[child + 1], w->heap[child]))
            child++;
        if (!pair_before(w->heap[child], last))
            break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = last;
    return top;
}

static void offer(work *w, int32_t left, int32_t right)
{
    if (left < 0 || right < 0)
        return;
    const uint32_t length = w->symbols[left].length + w->symbols[right].length;
    const int32_t id = tg_tokens_find(w->tokens, w->text + w->symbols[left].at, length);
    if (id >= 0)
        heap_push(w, (pair){w->tokens->scores ? w->tokens->scores[id] : 0, left, right, length});
}

/* Bytes of the character that begins here: what its first byte says, as far as bytes that continue it follow. A stray byte is a
 * character of its own, so that it does not swallow what comes after it. */
static size_t character_length(const char *text, size_t left)
{
    static const uint8_t lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4}; /* by the upper four bits */
    const size_t most = lengths[(uint8_t)text[0] >> 4];
    size_t length = 1;
    while (length < most && length < left && ((uint8_t)text[length] & 0xc0) == 0x80)
        length++;
    return length;
}

/* Counts the characters; with symbols, also makes each of them one. */
static size_t split(const char *text, size_t length, symbol *symbols)
{
    size_t n = 0;
    for (size_t at = 0, step; at < length; at += step, n++) {
        step = character_length(text + at, length - at);
        if (symbols)
            symbols[n] = (symbol){(uint32_t)at, (uint32_t)step, (int32_t)n - 1, at + step < length ? (int32_t)n + 1 : -1};
    }
    return n;
}

static void merge_all(work *w)
{
    while (w->n_heap) {
        const pair p = heap_pop(w);
        symbol *left = &w->symbols[p.left], *right = &w->symbols[p.right];
        if (!left->length || !right->length || left->length + right->length != p.length)
            continue;
        left->length += right->length;
        right->length = 0;
        left->next = right->next;
        if (right->next >= 0)
            w->symbols[right->next].previous = p.left;
        offer(w, left->previous, p.left);
        offer(w, p.left, left->next);
    }
}

/* text with its spaces spelt out, one put before it if wanted; the caller frees it */
static char *escape(const char *text, size_t length, bool prefix, size_t *escaped_length)
{
    size_t spaces = prefix, n = 0;
    for (size_t i = 0; i < length; i++)
        spaces += text[i] == ' ';
    char *escaped = malloc(length + 3 * spaces + 1);
    if (!escaped)
        return NULL;
    for (size_t i = 0; i < length + prefix; i++) {
        const char c = i < prefix ? ' ' : text[i - prefix];
        if (c == ' ') {
            memcpy(escaped + n, SPACE, 3);
            n += 3;
        } else {
            escaped[n++] = c;
        }
    }
    *escaped_length = n;
    return escaped;
}

tg_status tg_spm_prepare(tg_tokens *tokens, const tg_gguf *gguf, tg_error *error)
{
    (void)gguf, (void)error;
    tokens->add_bos = tokens->add_space_prefix = true;
    return TG_OK;
}

tg_status tg_spm_encode(const tg_tokens *tokens, const char *text, size_t length, bool first, tg_ids *out, tg_error *error)
{
    if (!length)
        return TG_OK;
    if (length > INT32_MAX / 4)
        return tg_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "a text of %zu bytes is too long to tokenize at once", length);
    work w = {.tokens = tokens};
    size_t n_bytes;
    char *escaped = escape(text, length, first && tokens->add_space_prefix, &n_bytes);
    const size_t n = escaped ? split(escaped, n_bytes, NULL) : 0;
    const bool fits = n && n <= SIZE_MAX / (2 * sizeof *w.heap); /* where size_t has 32 bits, the product could wrap */
    w.text = escaped;
    w.symbols = fits ? malloc(n * sizeof *w.symbols) : NULL;
    /* n - 1 pairs at first, and each of at most n - 1 merges takes one out and adds at most two */
    w.heap = w.symbols ? malloc(2 * n * sizeof *w.heap) : NULL;
    if (!w.heap) {
        free(w.symbols);
        free(escaped);
        return tg_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory to tokenize %zu bytes", length);
    }
    split(escaped, n_bytes, w.symbols);
    for (size_t i = 1; i < n; i++)
        offer(&w, (int32_t)i - 1, (int32_t)i);
    merge_all(&w);
    for (int32_t i = 0; i >= 0; i = w.symbols[i].next) {
        const char *piece = escaped + w.symbols[i].at;
        const int32_t id = tg_tokens_find(tokens, piece, w.symbols[i].length);
        if (id >= 0)
            tg_ids_put(out, id);
        else
            for (uint32_t k = 0; k < w.symbols[i].length; k++)
                tg_ids_put(out, tg_tokens_byte(tokens, (uint8_t)piece[k]));
    }
    free(w.heap);
    free(w.symbols);
    free(escaped);
    return TG_OK;
}
