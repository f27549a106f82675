/* The vocabulary: look-ups by text, and the bytes of each token. The tg_tokenizer owns the tables;
 * the pieces stay in the GGUF header. */
#include "vocabulary.h"
#include "byte_alphabet.h"
#include "unicode.h"

#include <stdlib.h>
#include <string.h>

#define SPACE "\xe2\x96\x81" /* U+2581 */

/* All tables are in one allocation, after the struct. */
tg_tokenizer *tgi_vocabulary_new(const tg_gguf_array *pieces)
{
    const uint32_t n = pieces->count;
    const tg_str *strings = pieces->data;
    const size_t slots = tgi_table_slots(n);
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += strings[i].length + 1;
    const size_t memory = sizeof(tg_tokenizer) + n * (sizeof(tg_span) + 2 * sizeof(int32_t)) +
                          slots * sizeof(uint32_t) + 2 * (size_t)n + bytes;
    tg_tokenizer *t = calloc(1, memory);
    if (!t)
        return NULL;
    t->memory = memory;
    t->n = n;
    t->pieces = strings;
    t->bytes = (tg_span *)(t + 1);
    t->special = (int32_t *)(t->bytes + n); /* [2 n]: the second half is for sorting */
    t->table = (uint32_t *)(t->special + 2 * (size_t)n);
    t->mask = (uint32_t)slots - 1;
    t->token_types = (uint8_t *)(t->table + slots);
    t->eog = (bool *)(t->token_types + n);
    t->storage = (char *)(t->eog + n);
    memset(t->byte_ids, -1, sizeof t->byte_ids);
    return t;
}

/* Bytes of a U+2581 at the beginning of the text: 3, or 0 if there is none. */
static size_t escaped_space(const char *text, size_t left)
{
    return (uint8_t)text[0] == 0xe2 && left >= 3 && !memcmp(text, SPACE, 3) ? 3 : 0;
}

/* FNV-1a, with the same hash for a space and for U+2581. */
static uint32_t hash(const char *text, size_t length)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0, n; i < length; i += n ? n : 1) {
        n = escaped_space(text + i, length - i);
        h = (h ^ (n ? ' ' : (uint8_t)text[i])) * 16777619u;
    }
    return h;
}

/* Whether a piece is this text. Where spaces are escaped, a space in the text matches only U+2581
 * in the piece; a space in the piece matches nothing. */
static bool matches(const tg_tokenizer *t, tg_str piece, const char *text, size_t length)
{
    if (t->escaping == TG_ESCAPED_BYTES)
        return piece.length == length && !memcmp(piece.data, text, length);
    size_t k = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] == ' ') {
            if (k == piece.length || !escaped_space(piece.data + k, piece.length - k))
                return false;
            k += 3;
        } else if (k == piece.length || piece.data[k++] != text[i])
            return false;
    return k == piece.length;
}

int32_t tgi_vocabulary_find(const tg_tokenizer *t, const char *text, size_t length)
{
    if (length > t->max_piece)
        return -1;
    for (uint32_t at = hash(text, length) & t->mask; t->table[at]; at = (at + 1) & t->mask)
        if (matches(t, t->pieces[t->table[at] - 1], text, length))
            return (int32_t)t->table[at] - 1;
    return -1;
}

/* Of equal pieces the first wins. Control, unknown and byte tokens are left out: plain text that is
 * the same as the piece of such a token must not become that token (in SentencePiece it cannot
 * either); otherwise a user's words could end a turn, and bytes would be lost. */
void tgi_vocabulary_fill_table(tg_tokenizer *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const bool is_text = t->token_types[i] != TG_TOKEN_CONTROL &&
                             t->token_types[i] != TG_TOKEN_UNKNOWN &&
                             t->token_types[i] != TG_TOKEN_BYTE;
        if (!is_text || tgi_vocabulary_find(t, t->pieces[i].data, t->pieces[i].length) >= 0)
            continue;
        t->max_piece = t->pieces[i].length > t->max_piece ? t->pieces[i].length : t->max_piece;
        uint32_t at = hash(t->pieces[i].data, t->pieces[i].length) & t->mask;
        while (t->table[at])
            at = (at + 1) & t->mask;
        t->table[at] = i + 1;
    }
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
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
            const int high = piece.length == 6 ? hex(piece.data[3]) : -1,
                      low = piece.length == 6 ? hex(piece.data[4]) : -1;
            if (high < 0 || low < 0 || memcmp(piece.data, "<0x", 3) || piece.data[5] != '>')
                return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                                "token %u is of type byte, but its piece is \"%.32s\"", (unsigned)i,
                                piece.data);
            to[length++] = (char)(high << 4 | low);
            if (t->byte_ids[high << 4 | low] < 0)
                t->byte_ids[high << 4 | low] = (int32_t)i;
        } else if (t->escaping == TG_ESCAPED_BYTES &&
                   (t->token_types[i] == TG_TOKEN_NORMAL || t->token_types[i] == TG_TOKEN_UNUSED)) {
            length = unescape_bytes(piece, to);
            if (length == 1 && t->byte_ids[(uint8_t)to[0]] < 0)
                t->byte_ids[(uint8_t)to[0]] = (int32_t)i;
        } else if (t->token_types[i] != TG_TOKEN_CONTROL && t->token_types[i] != TG_TOKEN_UNKNOWN) {
            for (uint32_t k = 0; k < piece.length;) {
                const bool space = t->escaping == TG_ESCAPED_SPACES &&
                                   escaped_space(piece.data + k, piece.length - k);
                to[length++] = space ? ' ' : piece.data[k];
                k += space ? 3 : 1;
            }
        }
        t->bytes[i] = (tg_span){used, length};
        used += length;
        t->storage[used++] = 0;
    }
    return TG_OK;
}
