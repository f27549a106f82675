/* The vocabulary: the fields of a tg_tokenizer, shared by the files of this folder, and look-ups by
 * text and by byte. */
#ifndef TG_VOCABULARY_H
#define TG_VOCABULARY_H

#include <string.h>

#include "../base/warnings.h"
#include "normalize.h"
#include "tokenizer.h"

/* Ids that an encoder puts out. Past the capacity it only counts. */
typedef struct tg_ids {
    int32_t *ids;
    size_t capacity, n;
    /* [capacity] or NULL: the byte of the text at which each token's part ends. A part that ends at
     * the pointer `origin` ends at byte `offset`. */
    uint32_t *ends;
    const char *origin; /* a position in the text or in a copy of it */
    size_t offset;
    bool unknown; /* the last id is the unknown token, for characters that are no tokens */
} tg_ids;

/* end: where the token's part of the text ends. */
static inline void tgi_ids_put(tg_ids *ids, int32_t id, const char *end)
{
    if (ids->n < ids->capacity) {
        ids->ids[ids->n] = id;
        if (ids->ends)
            ids->ends[ids->n] = (uint32_t)(ids->offset + (size_t)(end - ids->origin));
    }
    ids->n++;
    ids->unknown = false;
}

/* The unknown token: neighbouring characters that are no tokens share one, as in SentencePiece. */
static inline void tgi_ids_put_unknown(tg_ids *ids, int32_t id, const char *end)
{
    if (ids->unknown)
        ids->n--;
    tgi_ids_put(ids, id, end);
    ids->unknown = true;
}

/* Bytes of tg_tokenizer.storage. */
typedef struct tg_span {
    uint32_t offset, length;
} tg_span;

/* Writes plain text as the pieces are written, for tg_encode_fn. out->text stays NULL if the text
 * is written like this already. False when out of memory; the caller frees the result in any case.
 */
typedef bool tg_normalize_fn(const tg_tokenizer *t, const char *text, size_t length,
                             tg_normalized *out);

/* Encodes plain text: a whole text, or what is before, between or after its special tokens. */
typedef tg_status tg_encode_fn(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                               tg_error *error);

/* Reads what a tokenizer model needs beyond the vocabulary, and sets normalize and the defaults of
 * add_bos, add_eos and add_space_prefix. */
typedef tg_status tg_prepare_fn(tg_tokenizer *t, const tg_gguf *gguf, tg_error *error);

/* How the pieces of normal and unused tokens are written. */
typedef enum tg_escaping {
    TG_ESCAPED_SPACES, /* as they are, with U+2581 for a space */
    TG_ESCAPED_BYTES   /* in GPT-2's byte alphabet */
} tg_escaping;

#define TG_ESCAPED_SPACE "\xe2\x96\x81" /* U+2581 */

/* Whether a U+2581 begins the text of `left` bytes. */
static inline bool tgi_is_escaped_space(const char *text, size_t left)
{
    return left >= 3 && !memcmp(text, TG_ESCAPED_SPACE, 3);
}

typedef struct tg_merges tg_merges;
typedef struct tg_special tg_special;

struct tg_tokenizer {
    uint32_t n;           /* tokens */
    const tg_str *pieces; /* [n] in the GGUF header */
    const float *scores;  /* [n] in the GGUF header; NULL: all 0, or merges decide */
    uint8_t *token_types; /* [n] tg_token_type */
    bool *eog;            /* [n] */
    tg_span *bytes;       /* [n] of storage: the bytes that each token adds to a text */
    char *storage;        /* each token's bytes, followed by a NUL */

    /* Hash table of the tokens that merging can produce: [mask + 1] id + 1, 0 where free. */
    uint32_t *table;
    uint32_t mask;
    uint32_t max_piece; /* bytes of the longest key of the table: see tgi_vocabulary_find */

    tg_special *special; /* control, unknown and user-defined tokens; an allocation of its own */

    int32_t byte_ids[256];     /* the token of each byte; -1: none */
    int32_t bos, eos, unknown; /* -1: none */
    bool add_bos, add_eos, add_space_prefix;
    bool always_bos;            /* whatever the file says */
    tg_normalize_fn *normalize; /* NULL: texts are encoded as they are */
    tg_encode_fn *encode;
    tg_escaping escaping;

    /* An allocation of its own; NULL: scores decide which pair is merged first. */
    tg_merges *merges;

    /* byte-level BPE only; the normalizer is an allocation of its own, NULL if it is not used */
    const struct tg_pretokenizer *pretokenizer;
    tg_normalizer *normalizer;

    /* SentencePiece only: a set of hashed pairs of characters that are neighbours in some piece,
     * one bit each; an allocation of its own */
    uint8_t *adjacent;
    uint32_t adjacent_mask;

    tg_warnings warnings;
    size_t memory; /* bytes allocated */
};

/* Allocates a tokenizer for these pieces, without its tables filled; NULL when out of memory. */
tg_tokenizer *tgi_vocabulary_new(const tg_gguf_array *pieces);

/* Reads an array with an entry for each token; NULL if the file has none. Entries past the last
 * token are ignored with a warning. */
tg_status tgi_vocabulary_entries(tg_tokenizer *t, const tg_gguf *gguf, const char *key,
                                 tg_gguf_type type, const void **out, tg_error *error);

/* Fills storage, bytes and byte_ids from the pieces and token types. */
tg_status tgi_vocabulary_fill_bytes(tg_tokenizer *t, tg_error *error);

/* Fills the hash table. */
void tgi_vocabulary_fill_table(tg_tokenizer *t);

/* The normal, user-defined or unused token with this text; -1: none. Where spaces are escaped, the
 * text has them as they are and has no U+2581; else the text is a piece in the byte alphabet. */
int32_t tgi_vocabulary_find(const tg_tokenizer *t, const char *text, size_t length);

/* Writes a piece with each U+2581 as a space; returns the number of bytes, at most `length`. */
uint32_t tgi_unescape_spaces(const char *piece, size_t length, char *to);

/* The byte that a piece such as <0x0A> names; -1: the piece is no byte token's. */
int tgi_byte_of_piece(tg_str piece);

#define TG_TOKENIZER(model, encode, prepare, escaping)                                             \
    tg_encode_fn tgi_##encode##_encode;                                                            \
    tg_prepare_fn tgi_##prepare##_prepare;
#include "tokenizers.def"
#undef TG_TOKENIZER

/* Slots of a hash table of n entries: a power of two, at least twice as many. */
static inline size_t tgi_table_slots(uint32_t n)
{
    size_t slots = 1;
    while (slots < 2 * (size_t)n)
        slots *= 2;
    return slots;
}

/* The hash of a pair of neighbours: ids or characters. */
static inline uint32_t tgi_pair_hash(uint32_t left, uint32_t right)
{
    uint32_t h = left * 0x9e3779b1u ^ right * 0x85ebca77u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    return h ^ h >> 13;
}

#endif
