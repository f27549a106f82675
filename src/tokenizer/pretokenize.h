/* Pre-tokenizers: byte-level BPE first splits a text into words and merges only within a word. Each
 * model family splits in its own way, by a scheme. The words are given one after the other; joined,
 * they are the text. Nothing is allocated.
 *
 * A scheme is a list of passes. Each pass splits the segments that the pass before it made: a match
 * is a segment, and so is the text between two matches. The published definitions are lists of
 * regular expressions; these passes do the same in linear time. */
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
    bool ignore_merges, add_bos, normalize; /* see pretokenizers.def */
} tg_pretokenizer;

/* The pre-tokenizer with this name; NULL: there is none. */
const tg_pretokenizer *tgi_pretokenizer_find(const char *name);

/* "default, gpt-2, ...": all names, for messages */
const char *tgi_pretokenizer_names(void);

typedef struct tg_words {
    const tg_scheme *scheme;
    const char *text;
    size_t length, at;          /* bytes; at: where the next word begins */
    size_t ends[TG_MAX_PASSES]; /* the end of each pass's current segment */
} tg_words;

/* Starts at the first word. */
tg_words tgi_words_of(const tg_scheme *scheme, const char *text, size_t length);

/* Returns the next word, of *n bytes, and advances; NULL at the end. */
const char *tgi_words_next(tg_words *words, size_t *n);

#endif
