/* Byte-level BPE (Sennrich, Haddow and Birch 2016; Radford et al. 2019): a text is split into words
 * (pretokenize.h), and the bytes of a word are merged, the pair with the lowest rank first, of
 * equal pairs the leftmost. Some families compose characters before that (normalize.h).
 *
 * Merges are looked up by the ids of both sides, so that a step takes the same time for short and
 * long tokens. In a short word, the best pair is searched again after each merge. A long word keeps
 * its pairs in a priority queue, so that the cost is n log n for any text. */
#include "byte_alphabet.h"
#include "merges.h"
#include "pretokenize.h"
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define SHORT 48 /* bytes */

static bool compose(const tg_tokenizer *t, const char *text, size_t length, tg_normalized *out)
{
    return tgi_normalize(t->normalizer, text, length, out);
}

tg_status tgi_bpe_prepare(tg_tokenizer *t, const tg_gguf *gguf, tg_error *error)
{
    tg_str name = {"default", 7};
    bool found;
    const tg_status status = tgi_gguf_get_string(gguf, "tokenizer.ggml.pre", &name, &found, error);
    if (status)
        return status;
    t->pretokenizer = tgi_pretokenizer_find(found ? name.data : "default");
    if (!t->pretokenizer)
        return tgi_fail(error, TG_TOKENIZER_UNSUPPORTED, TG_NO_OFFSET,
                        "pre-tokenizer \"%.32s\" is not supported; supported: %s", name.data,
                        tgi_pretokenizer_names());
    t->add_bos = t->pretokenizer->add_bos;
    if (t->pretokenizer->normalize) {
        t->normalizer = tgi_normalizer_new();
        if (!t->normalizer)
            return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                            "no memory for the tables of characters that combine");
        t->memory += tgi_normalizer_memory();
        t->normalize = compose;
    }
    return tgi_merges_read(t, gguf, false, error);
}

/* The id of a word that is a token; -1: the word is not a token. */
static int32_t find_word(const tg_tokenizer *t, const char *word, size_t length)
{
    char escaped[512];
    size_t n = 0;
    if (length > t->max_piece || length > sizeof escaped / 2)
        return -1;
    for (size_t i = 0; i < length; i++)
        n += tgi_char_of_byte((uint8_t)word[i], escaped + n);
    return tgi_vocabulary_find(t, escaped, n);
}

static tg_status no_byte(uint8_t byte, tg_error *error)
{
    return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                    "the vocabulary has no token for byte 0x%02X", (unsigned)byte);
}

static tg_status encode_short(const tg_tokenizer *t, const char *word, size_t length, tg_ids *out,
                              tg_error *error)
{
    const tg_merges *m = t->merges;
    int32_t ids[SHORT];
    uint32_t ranks[SHORT]; /* of the pair of each symbol and the next */
    size_t n = length;
    for (size_t i = 0; i < n; i++)
        if ((ids[i] = t->byte_ids[(uint8_t)word[i]]) < 0)
            return no_byte((uint8_t)word[i], error);
    for (size_t i = 0; i + 1 < n; i++)
        ranks[i] = tgi_merges_find(m, ids[i], ids[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (ranks[i] < ranks[best])
                best = i;
        if (ranks[best] == TG_NO_MERGE)
            break;
        ids[best] = m->list[ranks[best]].merged;
        n--;
        memmove(ids + best + 1, ids + best + 2, (n - best - 1) * sizeof *ids);
        memmove(ranks + best, ranks + best + 1, (n - best) * sizeof *ranks);
        if (best + 1 < n)
            ranks[best] = tgi_merges_find(m, ids[best], ids[best + 1]);
        if (best)
            ranks[best - 1] = tgi_merges_find(m, ids[best - 1], ids[best]);
    }
    for (size_t i = 0; i < n; i++)
        tgi_ids_put(out, ids[i], word += t->bytes[ids[i]].length);
    return TG_OK;
}

/* A long word. symbols has one number for each byte: a symbol's id at its first byte; at its last
 * byte, if it has several, the complement of the position of the first; negative numbers in
 * between. So both neighbours of a symbol are found without links. The pair of a symbol and the
 * next has its rank as key at the symbol's first byte. If the caller's arrays of ids and ends have
 * room for the word's bytes, they hold symbols and keys until the ids and ends are written. */
typedef struct word {
    const tg_tokenizer *t;
    int32_t *symbols;
    size_t length;
    tg_merge_queue queue;
} word;

static size_t symbol_length(const word *w, size_t at)
{
    return w->t->bytes[w->symbols[at]].length;
}

static void merge_all(word *w)
{
    const tg_merges *m = w->t->merges;
    for (size_t at; tgi_merge_queue_min(&w->queue, &at);) {
        const uint32_t rank = w->queue.levels[0][at];
        const size_t right = at + symbol_length(w, at), end = right + symbol_length(w, right);
        w->symbols[right] = INT32_MIN;
        w->symbols[end - 1] = ~(int32_t)at;
        w->symbols[at] = m->list[rank].merged;
        tgi_merge_queue_set(&w->queue, right, TG_NO_MERGE);
        tgi_merge_queue_set(&w->queue, at,
                            end < w->length ? tgi_merges_find(m, w->symbols[at], w->symbols[end])
                                            : TG_NO_MERGE);
        if (at) {
            const size_t left = w->symbols[at - 1] < 0 ? (size_t)~w->symbols[at - 1] : at - 1;
            tgi_merge_queue_set(&w->queue, left,
                                tgi_merges_find(m, w->symbols[left], w->symbols[at]));
        }
    }
}

static tg_status encode_long(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                             tg_error *error)
{
    const bool room = out->capacity >= out->n && out->capacity - out->n >= length;
    const bool alloc_symbols = !room, alloc_keys = !room || !out->ends;
    const bool fits = length < INT32_MAX / 16; /* else sizes could wrap in a 32-bit size_t */
    const size_t above = fits ? tgi_merge_queue_numbers_above(length) : 0;
    uint32_t *work =
        fits ? malloc((above + alloc_symbols * length + alloc_keys * length + 1) * sizeof *work)
             : NULL;
    if (!work)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory to tokenize a word of %zu bytes", length);
    uint32_t *keys = alloc_keys ? work + above : out->ends + out->n;
    word w = {.t = t, .length = length};
    w.symbols = alloc_symbols ? (int32_t *)work + above + length : out->ids + out->n;
    tg_status status = TG_OK;
    for (size_t i = 0; i < length && !status; i++)
        if ((w.symbols[i] = t->byte_ids[(uint8_t)text[i]]) < 0)
            status = no_byte((uint8_t)text[i], error);
    if (!status) {
        for (size_t i = 0; i < length; i++)
            keys[i] = i + 1 < length ? tgi_merges_find(t->merges, w.symbols[i], w.symbols[i + 1])
                                     : TG_NO_MERGE;
        tgi_merge_queue_init(&w.queue, keys, length, work);
        merge_all(&w);
        for (size_t i = 0;
             i < length;) { /* ids are never written ahead of the symbols that are read */
            const int32_t id = w.symbols[i];
            i += t->bytes[id].length;
            tgi_ids_put(out, id, text + i);
        }
    }
    free(work);
    return status;
}

tg_status tgi_bpe_encode(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                         tg_error *error)
{
    tg_words words = tgi_words_of(t->pretokenizer->scheme, text, length);
    size_t n;
    tg_status status = TG_OK;
    for (const char *word; !status && (word = tgi_words_next(&words, &n));) {
        const int32_t id = t->pretokenizer->ignore_merges ? find_word(t, word, n) : -1;
        if (id >= 0)
            tgi_ids_put(out, id, word + n);
        else
            status = n <= SHORT ? encode_short(t, word, n, out, error)
                                : encode_long(t, word, n, out, error);
    }
    return status;
}
