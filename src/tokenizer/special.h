/* Special tokens (control, unknown and user-defined tokens) are cut out of a text before the rest
 * is encoded. */
#ifndef TG_SPECIAL_H
#define TG_SPECIAL_H

#include "vocabulary.h"

/* A special token in a text. */
typedef struct tg_special_match {
    size_t at; /* byte */
    uint32_t length;
    int32_t id;
} tg_special_match;

typedef struct tg_special_matches {
    tg_special_match *list; /* [n] in the order of the text; the caller frees it */
    uint32_t n, capacity;
} tg_special_matches;

/* Makes t->special from the token types. False when out of memory. */
bool tgi_special_new(tg_tokenizer *t);
void tgi_special_free(tg_special *special);

/* The special tokens by ascending bytes: [*n]. */
const int32_t *tgi_special_ids(const tg_special *special, uint32_t *n);

/* Finds the special tokens of a text. Where tokens overlap, the longest token wins; among
 * tokens of the same length the token with the lowest id; among places of the same token the
 * leftmost. User-defined tokens are always found, the others only if parse is true. The cost is n
 * log n in the length of the text for any vocabulary. False when out of memory. */
bool tgi_special_find(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                      tg_special_matches *matches);

#endif
