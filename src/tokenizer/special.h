/* Special tokens (control, unknown and user-defined ones) are cut out of a text before the rest is
 * encoded. */
#ifndef TG_SPECIAL_H
#define TG_SPECIAL_H

#include "vocabulary.h"

/* A part of a text: plain text, or one special token. */
typedef struct tg_fragment {
    size_t at, length; /* bytes */
    int32_t id;        /* of the special token; -1: plain text */
    int32_t next;      /* index of the fragment that follows; -1: none */
} tg_fragment;

/* A linked list in an array; list[0] is the first. The caller frees list. */
typedef struct tg_fragments {
    tg_fragment *list;
    size_t n, capacity;
} tg_fragments;

/* Fills and sorts t->special. The second half of its memory is used as scratch. */
void tgi_special_sort(tg_tokenizer *t);

/* Splits a text at its special tokens, the longest ones first. User-defined tokens are always cut
 * out, the others only if parse is true. False when out of memory. */
bool tgi_special_split(const tg_tokenizer *t, const char *text, size_t length, bool parse,
                       tg_fragments *fragments);

#endif
