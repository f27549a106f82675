/* SentencePiece BPE, as GGUF files hold it (Sennrich, Haddow and Birch 2016; Kudo and Richardson
 * 2018): characters are merged, the pair with the highest score first, of equal pairs the leftmost.
 * Where the file has merges, the pair with the lowest rank comes first, and no other pairs merge. A
 * character that is not a token in the end becomes its bytes; where the vocabulary lacks one of
 * them, it becomes the unknown token.
 *
 * No merge crosses two characters that are neighbours in no piece. So a text is split into words at
 * such places, and each word is merged by itself. In a short word, the best pair is searched again
 * after each merge. A long word keeps its pairs in a priority queue, so that the cost is n log n
 * for any text. A pair longer than the longest piece is not looked up. */
#include "merges.h"
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define SHORT 40      /* characters */
#define END   0x8000u /* see struct word */

/* Bytes of the character at the beginning of the text: as many as its first byte says, as far as
 * continuation bytes follow. A stray byte is a character of its own, so that it does not swallow
 * the bytes after it. */
static size_t character_length(const char *text, size_t left)
{
    /* by the upper four bits */
    static const uint8_t lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
    const size_t max = lengths[(uint8_t)text[0] >> 4];
    size_t length = 1;
    while (length < max && length < left && ((uint8_t)text[length] & 0xc0) == 0x80)
        length++;
    return length;
}

/* The bytes of a character as a number. */
static uint32_t character(const char *text, size_t length)
{
    uint32_t c = 0;
    for (size_t i = 0; i < length; i++)
        c = c << 8 | (uint8_t)text[i];
    return c;
}

/* Warns if nothing says which pair of characters is merged before another. */
static void check_scores(tg_tokenizer *t)
{
    uint32_t n = 0; /* tokens of several characters */
    float score = 0;
    for (uint32_t slot = 0; slot <= t->mask; slot++) {
        if (!t->table[slot])
            continue;
        const uint32_t id = t->table[slot] - 1;
        const tg_str bytes = tgi_tokenizer_bytes(t, (int32_t)id);
        if (!bytes.length || character_length(bytes.data, bytes.length) == bytes.length)
            continue;
        if (t->scores && n && t->scores[id] != score)
            return;
        score = t->scores ? t->scores[id] : 0;
        n++;
    }
    if (n > 1)
        tgi_warn(&t->warnings,
                 "%s and there is no tokenizer.ggml.merges, so texts are not split into the "
                 "tokens that the model was trained on",
                 t->scores ? "all scores in tokenizer.ggml.scores are equal"
                           : "tokenizer.ggml.scores is missing");
}

static tg_status read_scores(tg_tokenizer *t, const tg_gguf *gguf, tg_error *error)
{
    const void *scores = NULL;
    const tg_status status =
        tgi_vocabulary_entries(t, gguf, "tokenizer.ggml.scores", TG_GGUF_F32, &scores, error);
    if (status)
        return status;
    t->scores = scores;
    for (uint32_t i = 0; i < t->n && scores; i++)
        if (t->scores[i] != t->scores[i])
            return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                            "the score of token %u is not a number", (unsigned)i);
    check_scores(t);
    return TG_OK;
}

/* Writes each U+2581 of a text as a space, because no piece tells them apart. */
static bool unescape_text(const tg_tokenizer *t, const char *text, size_t length,
                          tg_normalized *out)
{
    (void)t;
    size_t n = 0;
    for (size_t at = 0; at + 3 <= length; at++) {
        const char *next = memchr(text + at, TG_ESCAPED_SPACE[0], length - at - 2);
        if (!next)
            break;
        at = (size_t)(next - text);
        n += tgi_is_escaped_space(next, length - at);
    }
    if (!n)
        return true;
    if (n > INT32_MAX / sizeof *out->pieces)
        return false;
    out->text = malloc(length);
    out->pieces = malloc(n * sizeof *out->pieces);
    if (!out->text || !out->pieces)
        return false;
    for (size_t at = 0; at < length;)
        if (tgi_is_escaped_space(text + at, length - at)) {
            const uint32_t begin = (uint32_t)out->length;
            at += 3;
            out->text[out->length++] = ' ';
            out->pieces[out->n_pieces++] = (tg_normal_piece){begin, begin + 1, (uint32_t)at};
        } else
            out->text[out->length++] = text[at++];
    return true;
}

tg_status tgi_spm_prepare(tg_tokenizer *t, const tg_gguf *gguf, tg_error *error)
{
    t->add_bos = t->add_space_prefix = true;
    t->normalize = unescape_text;
    if (t->max_piece >= END)
        return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET, "a token of %u bytes is too long",
                        (unsigned)t->max_piece);
    t->adjacent_mask = 4 * (t->mask + 1) - 1; /* at least 8 bits for each token */
    t->adjacent = calloc(1, (t->adjacent_mask + 1) / 8 + 1);
    if (!t->adjacent)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for a vocabulary of %u tokens", (unsigned)t->n);
    t->memory += (t->adjacent_mask + 1) / 8 + 1;
    for (uint32_t slot = 0; slot <= t->mask; slot++) {
        if (!t->table[slot])
            continue;
        const tg_str piece = tgi_tokenizer_bytes(t, (int32_t)t->table[slot] - 1);
        uint32_t before = 0;
        for (size_t at = 0, n; at < piece.length; at += n) {
            n = character_length(piece.data + at, piece.length - at);
            const uint32_t c = character(piece.data + at, n),
                           bit = tgi_pair_hash(before, c) & t->adjacent_mask;
            if (at)
                t->adjacent[bit / 8] |= (uint8_t)(1 << bit % 8);
            before = c;
        }
    }
    const tg_status status = tgi_merges_read(t, gguf, true, error);
    return status || t->merges ? status : read_scores(t, gguf, error);
}

/* Gemma 4's files say gemma4: the pieces of SentencePiece, merged by rank, and a BOS that some
 * files deny by mistake. */
tg_status tgi_gemma4_prepare(tg_tokenizer *t, const tg_gguf *gguf, tg_error *error)
{
    const tg_status status = tgi_spm_prepare(t, gguf, error);
    t->add_space_prefix = false;
    t->always_bos = true;
    return status;
}

static bool may_merge(const tg_tokenizer *t, uint32_t left, uint32_t right)
{
    const uint32_t bit = tgi_pair_hash(left, right) & t->adjacent_mask;
    return t->adjacent[bit / 8] >> bit % 8 & 1;
}

/* The key of the pair of text[left] and the text[right] after it: pairs with lower keys are merged
 * first; TG_NO_MERGE when they do not merge. */
static uint32_t key_of(const tg_tokenizer *t, const char *text, size_t left, size_t right)
{
    if (t->merges) {
        if (left + right > t->max_piece)
            return TG_NO_MERGE;
        const int32_t a = tgi_vocabulary_find(t, text, left);
        const int32_t b = a < 0 ? -1 : tgi_vocabulary_find(t, text + left, right);
        return b < 0 ? TG_NO_MERGE : tgi_merges_find(t->merges, a, b);
    }
    const int32_t id = tgi_vocabulary_find(t, text, left + right);
    if (id < 0)
        return TG_NO_MERGE;
    union {
        float score;
        uint32_t bits;
    } key = {(t->scores ? t->scores[id] : 0) + 0.0f}; /* turns -0 into 0 */
    return key.bits >> 31 ? key.bits : 0x7fffffffu - key.bits;
}

/* Puts out a token for each byte; false if the vocabulary lacks one. The bytes stand for
 * text[width]: byte i ends after i + 1 bytes of the text, or where the text ends. */
static bool put_bytes(const tg_tokenizer *t, const char *bytes, size_t n, const char *text,
                      size_t width, tg_ids *out)
{
    for (size_t i = 0; i < n; i++)
        if (t->byte_ids[(uint8_t)bytes[i]] < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        tgi_ids_put(out, t->byte_ids[(uint8_t)bytes[i]], text + (i < width ? i + 1 : width));
    return true;
}

/* Puts out a symbol: its token, or what stands for a character that is not a token. */
static tg_status put_symbol(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                            tg_error *error)
{
    const int32_t id = tgi_vocabulary_find(t, text, length);
    if (id >= 0) {
        tgi_ids_put(out, id, text + length);
        return TG_OK;
    }
    const bool space = length == 1 && *text == ' ';
    if (put_bytes(t, space ? TG_ESCAPED_SPACE : text, space ? 3 : length, text, length, out))
        return TG_OK;
    if (t->unknown < 0)
        return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                        "the vocabulary has no tokens for the bytes of \"%.*s\", and no token for "
                        "unknown characters",
                        (int)length, text);
    tgi_ids_put_unknown(out, t->unknown, text + length);
    return TG_OK;
}

/* The key of the pair of symbols that begin at bytes at[0] and at[1] and end at byte at[2]. */
static uint32_t key_at(const tg_tokenizer *t, const char *word, const uint16_t *at)
{
    return key_of(t, word + at[0], (size_t)(at[1] - at[0]), (size_t)(at[2] - at[1]));
}

static tg_status encode_short(const tg_tokenizer *t, const char *word, size_t n,
                              const uint16_t *starts, tg_ids *out, tg_error *error)
{
    uint16_t at[SHORT + 1]; /* the byte at which each symbol begins, and the end of the last one */
    uint32_t keys[SHORT];   /* of the pair of each symbol and the next */
    memcpy(at, starts, (n + 1) * sizeof *at);
    for (size_t i = 0; i + 1 < n; i++)
        keys[i] = key_at(t, word, at + i);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (keys[i] < keys[best])
                best = i;
        if (keys[best] == TG_NO_MERGE)
            break;
        memmove(at + best + 1, at + best + 2, (n - best - 1) * sizeof *at);
        n--;
        if (best + 1 < n) {
            memmove(keys + best + 1, keys + best + 2, (n - best - 1) * sizeof *keys);
            keys[best] = key_at(t, word, at + best);
        }
        if (best)
            keys[best - 1] = key_at(t, word, at + best - 1);
    }
    tg_status status = TG_OK;
    for (size_t i = 0; i < n && !status; i++)
        status = put_symbol(t, word + at[i], (size_t)(at[i + 1] - at[i]), out, error);
    return status;
}

/* A long word. symbols has one number for each byte: a symbol's length at its first byte, and at
 * its last byte its length with END added (for a symbol of one byte: with END, too). So both
 * neighbours of a symbol are found without links. The pair of a symbol and the next has its key at
 * the symbol's first byte. If the caller's array of ids has room for the word's bytes, it holds the
 * keys until the ids are written. */
typedef struct word {
    const tg_tokenizer *t;
    const char *text;
    uint16_t *symbols; /* [length] */
    size_t length;
    tg_merge_queue queue;
} word;

static size_t symbol_length(const word *w, size_t at)
{
    return w->symbols[at] & ~END;
}

/* The key of the pair of the symbol at `at` and the next. */
static uint32_t pair_key(const word *w, size_t at)
{
    const size_t left = symbol_length(w, at);
    return at + left < w->length ? key_of(w->t, w->text + at, left, symbol_length(w, at + left))
                                 : TG_NO_MERGE;
}

static void set_symbol(word *w, size_t at, size_t length)
{
    w->symbols[at] = (uint16_t)length;
    w->symbols[at + length - 1] = (uint16_t)(length | END);
}

static void merge_all(word *w)
{
    for (size_t at; tgi_merge_queue_min(&w->queue, &at);) {
        const size_t left = symbol_length(w, at), right = symbol_length(w, at + left);
        set_symbol(w, at, left + right);
        tgi_merge_queue_set(&w->queue, at + left, TG_NO_MERGE);
        tgi_merge_queue_set(&w->queue, at, pair_key(w, at));
        if (at) {
            const size_t before = at - symbol_length(w, at - 1);
            tgi_merge_queue_set(&w->queue, before, pair_key(w, before));
        }
    }
}

static tg_status encode_long(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                             tg_error *error)
{
    /* no room for the keys in the caller's array? */
    const bool alloc_keys = out->capacity < out->n || out->capacity - out->n < length;
    const bool fits = length < INT32_MAX / 16; /* else sizes could wrap in a 32-bit size_t */
    const size_t above = fits ? tgi_merge_queue_numbers_above(length) : 0;
    uint32_t *work =
        fits ? malloc((above + alloc_keys * length) * sizeof *work + length * sizeof(uint16_t))
             : NULL;
    if (!work)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory to tokenize a word of %zu bytes", length);
    uint32_t *keys = alloc_keys ? work + above : (uint32_t *)out->ids + out->n;
    word w = {.t = t,
              .text = text,
              .length = length,
              .symbols = (uint16_t *)(work + above + alloc_keys * length)};
    for (size_t at = 0, n; at < length; at += n)
        set_symbol(&w, at, n = character_length(text + at, length - at));
    for (size_t at = 0, n; at < length; at += n) {
        n = symbol_length(&w, at);
        keys[at] = pair_key(&w, at);
        for (size_t k = 1; k < n; k++)
            keys[at + k] = TG_NO_MERGE;
    }
    tgi_merge_queue_init(&w.queue, keys, length, work);
    merge_all(&w);
    tg_status status = TG_OK;
    for (size_t at = 0; at < length && !status; at += symbol_length(&w, at))
        status = put_symbol(t, text + at, symbol_length(&w, at), out, error);
    free(work);
    return status;
}

/* The first word of a text. starts: the bytes at which its characters begin, and its end; complete
 * if it has at most SHORT characters. */
typedef struct extent {
    size_t bytes, characters;
    uint16_t starts[SHORT + 1];
} extent;

static extent first_word(const tg_tokenizer *t, const char *text, size_t length)
{
    extent e = {0};
    uint32_t before = 0;
    for (size_t n; e.bytes < length; e.bytes += n, e.characters++) {
        n = character_length(text + e.bytes, length - e.bytes);
        const uint32_t c = character(text + e.bytes, n);
        if (e.bytes && !may_merge(t, before, c))
            break;
        before = c;
        if (e.characters <= SHORT)
            e.starts[e.characters] = (uint16_t)e.bytes;
    }
    if (e.characters <= SHORT)
        e.starts[e.characters] = (uint16_t)e.bytes;
    return e;
}

static tg_status encode_word(const tg_tokenizer *t, const char *text, const extent *e, tg_ids *out,
                             tg_error *error)
{
    if (e->characters > SHORT)
        return encode_long(t, text, e->bytes, out, error);
    return encode_short(t, text, e->characters, e->starts, out, error);
}

tg_status tgi_spm_encode(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                         tg_error *error)
{
    tg_status status = TG_OK;
    size_t at = 0;
    if (t->add_space_prefix && length) { /* the first word gets a space before it */
        char *spaced = malloc(length + 1);
        if (!spaced)
            return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                            "no memory to tokenize %zu bytes", length);
        spaced[0] = ' ';
        memcpy(spaced + 1, text, length);
        const extent e = first_word(t, spaced, length + 1);
        const tg_ids saved = *out;
        out->origin = spaced + 1;
        out->offset = (size_t)(text - saved.origin) + saved.offset;
        status = encode_word(t, spaced, &e, out, error);
        out->origin = saved.origin;
        out->offset = saved.offset;
        at = e.bytes - 1;
        free(spaced);
    }
    while (at < length && !status) {
        const extent e = first_word(t, text + at, length - at);
        status = encode_word(t, text + at, &e, out, error);
        at += e.bytes;
    }
    return status;
}
