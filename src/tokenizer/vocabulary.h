/* The inside of a tg_tokenizer, for tokens.c and the kinds of tokenizers. In: the vocabulary as the
 * file has it. Out: look-ups by text and by byte. */
#ifndef TG_VOCABULARY_H
#define TG_VOCABULARY_H

#include "tokenizer.h"

/* A list of ids that counts on when its room is used up, and, if wanted, where in the text each
 * token's part of it ends. */
typedef struct tg_ids {
    int32_t *ids;
    size_t capacity, n;
    uint32_t *ends; /* [capacity] or NULL: bytes from the beginning of the text, `offset` for what
                       ends at origin */
    const char *origin; /* a place in the text, or in a copy of it */
    size_t offset;
} tg_ids;

static inline void tgi_ids_put(tg_ids *ids, int32_t id, const char *end)
{
    if (ids->n < ids->capacity) {
        ids->ids[ids->n] = id;
        if (ids->ends)
            ids->ends[ids->n] = (uint32_t)(ids->offset + (size_t)(end - ids->origin));
    }
    ids->n++;
}

typedef struct tg_view { /* of the storage of a token's bytes */
    uint32_t offset, length;
} tg_view;

/* Encodes one piece of plain text, to which nothing special belongs. `first`: it begins the text or
 * follows a special token. */
typedef tg_status tg_encode_fn(const tg_tokenizer *tokens, const char *text, size_t length,
                               bool first, tg_ids *out, tg_error *error);

/* Reads what this kind of tokenizer has beyond the vocabulary, and sets its defaults of add_bos,
 * add_eos and add_space_prefix. */
typedef tg_status tg_prepare_fn(tg_tokenizer *tokens, const tg_gguf *gguf, tg_error *error);

typedef enum tg_escaping {                    /* of normal and unused tokens */
                           TG_ESCAPED_SPACES, /* as they are, U+2581 for a space */
                           TG_ESCAPED_BYTES   /* a character for each byte */
} tg_escaping;

typedef struct tg_merges tg_merges;

#define TG_ESCAPED_SPACE 0xe29681u /* the bytes of U+2581, which stands for a space in entries */

struct tg_tokenizer {
    uint32_t n;
    const tg_str *entries; /* [n] in the GGUF header */
    const float *scores;   /* [n] there, or NULL: all 0 */
    uint8_t *kinds;        /* [n] tg_token_type */
    bool *eog;             /* [n] */
    tg_view *views;        /* [n] of storage */
    char *storage;         /* the bytes each token adds to a text, one after the other */
    uint32_t *table; /* [mask + 1] id + 1 by hash of the entry, 0 where free; what text can become
                        by merging */
    uint32_t mask;
    uint32_t longest; /* bytes of the longest entry in the table: nothing longer is found there */
    int32_t *special; /* [n_special] control, unknown and user-defined tokens, by the bytes of their
                         entries */
    uint32_t n_special;
    uint32_t special_from[257]; /* where in it those begin whose first byte is at least this */
    int32_t byte_ids[256];      /* or -1 */
    int32_t bos, eos, unknown;
    bool add_bos, add_eos, add_space_prefix;
    tg_encode_fn *encode;
    tg_escaping spelling;
    const struct tg_pretokenizer *pretokenizer; /* of byte-level BPE, and */
    tg_merges *merges;                          /* its own allocation */
    uint8_t *adjacent; /* of SentencePiece: bits for characters that stand side by side in a token;
                          its own allocation */
    uint32_t adjacent_mask; /* of their hash */
    size_t memory;
};

/* The id of the entry that text may become by merging, normal, user-defined or unused; or -1. A
 * space in the text is U+2581 in the entry, where entries are spelt so. */
int32_t tgi_tokenizer_find(const tg_tokenizer *tokens, const char *text, size_t length);

/* One byte by itself: its token, or the unknown token, or -1. */
static inline int32_t tgi_tokenizer_byte(const tg_tokenizer *tokens, uint8_t byte)
{
    return tokens->byte_ids[byte] >= 0 ? tokens->byte_ids[byte] : tokens->unknown;
}

int tgi_byte_alphabet(
    uint32_t code); /* the byte that a character stands for in an entry spelt in bytes, or -1 */

/* A part of a text on its way: plain, or one special token. */
typedef struct tg_part {
    size_t at, length;
    int32_t id;   /* of the special token, or -1 */
    int32_t next; /* or -1 */
} tg_part;

typedef struct tg_parts { /* list[0] is the first; the list is its own allocation */
    tg_part *list;
    size_t n, capacity;
} tg_parts;

/* Finds the special tokens among the entries and puts them in order. scratch: behind them in
 * t->special is room for as many. */
void tgi_special_sort(tg_tokenizer *t);
/* Cuts special tokens out of the text, the longest spelling first. User-defined ones always count,
 * the others only when asked for. False when out of memory. */
bool tgi_special_cut(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                     tg_parts *parts);

#define TG_TOKENIZER(kind, name, spelling)                                                         \
    tg_encode_fn tgi_##name##_encode;                                                              \
    tg_prepare_fn tgi_##name##_prepare;
#include "tokenizers.def"
#undef TG_TOKENIZER

#endif
