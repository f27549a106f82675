/* The vocabulary: look-ups by text, and the bytes of each token. The tg_tokenizer owns the tables;
 * the pieces stay in the GGUF header. */
#include "vocabulary.h"
#include "byte_alphabet.h"
#include "unicode.h"

#include <stdlib.h>
#include <string.h>

/* All tables are in one allocation, after the struct. */
tg_tokenizer *tgi_vocabulary_new(const tg_gguf_array *pieces)
{
    const uint32_t n = pieces->count;
    const tg_str *strings = pieces->data;
    const size_t slots = tgi_table_slots(n);
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += strings[i].length + 1;
    const size_t memory = sizeof(tg_tokenizer) + n * sizeof(tg_span) + slots * sizeof(uint32_t) +
                          2 * (size_t)n + bytes;
    tg_tokenizer *t = calloc(1, memory);
    if (!t)
        return NULL;
    t->memory = memory;
    t->n = n;
    t->pieces = strings;
    t->bytes = (tg_span *)(t + 1);
    t->table = (uint32_t *)(t->bytes + n);
    t->mask = (uint32_t)slots - 1;
    t->token_types = (uint8_t *)(t->table + slots);
    t->eog = (bool *)(t->token_types + n);
    t->storage = (char *)(t->eog + n);
    memset(t->byte_ids, -1, sizeof t->byte_ids);
    return t;
}

tg_status tgi_vocabulary_entries(tg_tokenizer *t, const tg_gguf *gguf, const char *key,
                                 tg_gguf_type type, const void **out, tg_error *error)
{
    tg_gguf_array array;
    bool found = false;
    const tg_status status = tgi_gguf_get_array(gguf, key, type, &array, &found, error);
    *out = found ? array.data : NULL;
    if (status || !found || array.count == t->n)
        return status;
    if (array.count < t->n)
        return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                        "%s has %u entries, tokenizer.ggml.tokens %u", key, (unsigned)array.count,
                        (unsigned)t->n);
    tgi_warn(&t->warnings, "%s has %u entries for %u tokens: the last ones are ignored", key,
             (unsigned)array.count, (unsigned)t->n);
    return TG_OK;
}

static uint64_t load64(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

static uint32_t load32(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

/* The last bytes of a text that has at most 8 more, or all of a text of at most 8. */
static uint64_t load_end(const char *text, size_t length)
{
    if (length >= 8)
        return load64(text + length - 8);
    if (length >= 4)
        return (uint64_t)load32(text) << 32 | load32(text + length - 4);
    if (!length)
        return 0;
    return (uint64_t)(uint8_t)text[0] << 16 | (uint64_t)(uint8_t)text[length / 2] << 8 |
           (uint8_t)text[length - 1];
}

/* A hash of any bytes: eight at a time, in four lanes, so that long pieces cost little. */
static uint32_t hash(const char *text, size_t length)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = length * k;
    size_t i = 0;
    if (length >= 32) {
        uint64_t lanes[4] = {h, k, ~k, k >> 7};
        for (; i + 32 <= length; i += 32)
            for (int lane = 0; lane < 4; lane++) {
                lanes[lane] = (lanes[lane] ^ load64(text + i + 8 * lane)) * k;
                lanes[lane] ^= lanes[lane] >> 29;
            }
        h = lanes[0];
        for (int lane = 1; lane < 4; lane++)
            h = (h ^ lanes[lane]) * k ^ h >> 31;
    }
    for (; i + 8 < length; i += 8) {
        h = (h ^ load64(text + i)) * k;
        h ^= h >> 29;
    }
    h = (h ^ load_end(text, length)) * k;
    return (uint32_t)(h >> 32 ^ h >> 17);
}

static bool is_same(const char *a, const char *b, size_t length)
{
    if (length > 16)
        return !memcmp(a, b, length);
    for (size_t i = 0; i < length; i++) /* short ones: faster than a call */
        if (a[i] != b[i])
            return false;
    return true;
}

/* What the table finds a token by: its bytes; its piece where pieces are in the byte alphabet. */
static tg_str key_of(const tg_tokenizer *t, uint32_t id)
{
    return t->escaping == TG_ESCAPED_BYTES ? t->pieces[id] : tgi_tokenizer_bytes(t, (int32_t)id);
}

/* The slot of the table with this key, or the free slot for it. */
static uint32_t *slot_of(const tg_tokenizer *t, const char *text, size_t length)
{
    uint32_t at = hash(text, length) & t->mask;
    for (; t->table[at]; at = (at + 1) & t->mask) {
        const tg_str key = key_of(t, t->table[at] - 1);
        if (key.length == length && is_same(key.data, text, length))
            break;
    }
    return &t->table[at];
}

int32_t tgi_vocabulary_find(const tg_tokenizer *t, const char *text, size_t length)
{
    return length > t->max_piece ? -1 : (int32_t)*slot_of(t, text, length) - 1;
}

/* A token that merging can produce. Control, unknown and byte tokens are left out: plain text that
 * is the same as the piece of such a token must not become that token (in SentencePiece it cannot
 * either); otherwise a user's words could end a turn, and bytes would be lost. A piece with a space
 * that is not escaped matches no text. */
static bool is_text(const tg_tokenizer *t, uint32_t id)
{
    const tg_str piece = t->pieces[id];
    return t->token_types[id] != TG_TOKEN_CONTROL && t->token_types[id] != TG_TOKEN_UNKNOWN &&
           t->token_types[id] != TG_TOKEN_BYTE &&
           (t->escaping == TG_ESCAPED_BYTES || !memchr(piece.data, ' ', piece.length));
}

/* Of equal pieces the first wins. */
void tgi_vocabulary_fill_table(tg_tokenizer *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (!is_text(t, i))
            continue;
        const tg_str key = key_of(t, i);
        uint32_t *slot = slot_of(t, key.data, key.length);
        if (!*slot)
            *slot = i + 1;
        t->max_piece = key.length > t->max_piece ? key.length : t->max_piece;
    }
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

uint32_t tgi_unescape_spaces(const char *piece, size_t length, char *to)
{
    uint32_t n = 0;
    for (size_t at = 0; at < length;) {
        const bool space = tgi_is_escaped_space(piece + at, length - at);
        to[n++] = space ? ' ' : piece[at];
        at += space ? 3 : 1;
    }
    return n;
}

int tgi_byte_of_piece(tg_str piece)
{
    if (piece.length != 6 || memcmp(piece.data, "<0x", 3) || piece.data[5] != '>')
        return -1;
    const int high = hex(piece.data[3]), low = hex(piece.data[4]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The bytes that a piece's characters mean in GPT-2's byte alphabet. A character outside of the
 * alphabet is kept as it is. */
static uint32_t unescape_bytes(tg_str piece, char *to)
{
    uint32_t n = 0;
    for (size_t at = 0; at < piece.length;) {
        const tg_char c = tgi_char_at(piece.data, at, piece.length);
        const int byte = tgi_byte_of_char(c.code);
        if (byte >= 0 && c.code != TG_NO_CHARACTER)
            to[n++] = (char)byte;
        else
            for (uint32_t i = 0; i < c.length; i++)
                to[n++] = piece.data[at + i];
        at += c.length;
    }
    return n;
}

tg_status tgi_vocabulary_fill_bytes(tg_tokenizer *t, tg_error *error)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        const tg_str piece = t->pieces[i];
        char *to = t->storage + used;
        uint32_t length = 0;
        if (t->token_types[i] == TG_TOKEN_BYTE) {
            const int byte = tgi_byte_of_piece(piece);
            if (byte < 0)
                return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                                "token %u is of type byte, but its piece is \"%.32s\"", (unsigned)i,
                                piece.data);
            to[length++] = (char)byte;
            if (t->byte_ids[byte] < 0)
                t->byte_ids[byte] = (int32_t)i;
        } else if (t->escaping == TG_ESCAPED_BYTES &&
                   (t->token_types[i] == TG_TOKEN_NORMAL || t->token_types[i] == TG_TOKEN_UNUSED)) {
            length = unescape_bytes(piece, to);
            if (length == 1 && t->byte_ids[(uint8_t)to[0]] < 0)
                t->byte_ids[(uint8_t)to[0]] = (int32_t)i;
        } else if (t->token_types[i] != TG_TOKEN_CONTROL && t->token_types[i] != TG_TOKEN_UNKNOWN) {
            length = piece.length;
            if (t->escaping == TG_ESCAPED_SPACES)
                length = tgi_unescape_spaces(piece.data, piece.length, to);
            else
                memcpy(to, piece.data, length);
        }
        t->bytes[i] = (tg_span){used, length};
        used += length;
        t->storage[used++] = 0;
    }
    return TG_OK;
}
