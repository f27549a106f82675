/* Byte-level BPE cuts a text into words first and merges only within a word; each family has its
 * own way to cut. In: a scheme and plain text. Out: the words, one after the other: together they
 * are the text. Nothing is allocated.
 *
 * A scheme is a list of passes. Each finds its matches in the pieces that the passes before it
 * left, from left to right; what lies between matches is a piece, too. Published definitions are
 * lists of regular expressions: these are the same, by hand, in linear time. */
#ifndef TG_PRETOKENIZE_H
#define TG_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_MAX_PASSES 6

typedef struct tg_scheme tg_scheme;

typedef struct tg_pretokenizer {
    const char *name;
    const tg_scheme *scheme;
    bool whole, bos; /* see pretokenizers.def */
} tg_pretokenizer;

/* The row of that name, or NULL. */
const tg_pretokenizer *tgi_pretokenizer_find(const char *name);
/* All names: "default, gpt-2, ..." */
const char *tgi_pretokenizer_names(void);

typedef struct tg_words {
    const tg_scheme *scheme;
    const char *text;
    size_t length, at;          /* bytes; at: where the next word begins */
    size_t ends[TG_MAX_PASSES]; /* of the piece that each pass is in */
} tg_words;

tg_words tgi_words_of(const tg_scheme *scheme, const char *text, size_t length);
/* Gives the next word, of *n bytes, and goes past it; NULL at the end. */
const char *tgi_words_next(tg_words *words, size_t *n);

#endif
