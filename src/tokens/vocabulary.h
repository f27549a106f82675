/* The inside of a tg_tokens, for tokens.c and the kinds of tokenizers. In: the vocabulary as the file has it. Out: look-ups by
 * text and by byte. */
#ifndef TG_VOCABULARY_H
#define TG_VOCABULARY_H

#include "tokens.h"

/* A list of ids that counts on when its room is used up. */
typedef struct tg_ids {
    int32_t *ids;
    size_t capacity, n;
} tg_ids;

static inline void tg_ids_put(tg_ids *ids, int32_t id)
{
    if (ids->n < ids->capacity)
        ids->ids[ids->n] = id;
    ids->n++;
}

typedef struct tg_view { /* of the storage of a token's bytes */
    uint32_t offset, length;
} tg_view;

/* Encodes one piece of plain text, to which nothing special belongs. `first`: it begins the text or follows a special token. */
typedef tg_status tg_encode_fn(const tg_tokens *tokens, const char *text, size_t length, bool first, tg_ids *out,
                               tg_error *error);

struct tg_tokens {
    uint32_t n;
    const tg_str *entries; /* [n] in the GGUF header */
    const float *scores;   /* [n] there, or NULL: all 0 */
    uint8_t *kinds;        /* [n] tg_token_kind */
    bool *eog;             /* [n] */
    tg_view *views;        /* [n] of storage */
    char *storage;         /* the bytes each token adds to a text, one after the other */
    uint32_t *table;       /* [mask + 1] id + 1 by hash of the entry, 0 where free; what text can become by merging */
    uint32_t mask;
    uint32_t longest; /* bytes of the longest entry in the table: nothing longer is found there */
    int32_t *special; /* [n_special] control, unknown and user-defined tokens, longest entry first */
    uint32_t n_special;
    int32_t byte_ids[256]; /* or -1 */
    int32_t bos, eos, unknown;
    bool add_bos, add_eos, add_space_prefix;
    tg_encode_fn *encode;
    size_t memory;
};

/* The id of the entry that text may become by merging, normal, user-defined or unused, spelt like this; or -1. */
int32_t tg_tokens_find(const tg_tokens *tokens, const char *text, size_t length);

/* One byte by itself: its byte token, or the unknown token. */
static inline int32_t tg_tokens_byte(const tg_tokens *tokens, uint8_t byte)
{
    return tokens->byte_ids[byte] >= 0 ? tokens->byte_ids[byte] : tokens->unknown;
}

#define TG_TOKENIZER(kind, name) tg_encode_fn tg_##name##_encode;
#include "tokenizers.def"
#undef TG_TOKENIZER

#endif
