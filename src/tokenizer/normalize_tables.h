/* What normalizing asks about a code point. The tables are unpacked from the generated data once
 * for a tokenizer that normalizes. */
#ifndef TG_NORMALIZE_TABLES_H
#define TG_NORMALIZE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of each code point: the rank of its canonical combining class among the classes, and flags. A
 * code point that decomposes has rank 0; its parts have theirs. */
#define TG_NORMAL_RANK    63
#define TG_NORMAL_CHANGES 64  /* never part of a normalized text */
#define TG_NORMAL_JOINS   128 /* has a class, or may combine with a character before it */

#define TG_NORMAL_RANKS     64
#define TG_NORMAL_FIRST     0x300 /* all code points below have neither rank nor flags */
#define TG_NORMAL_MAX_PARTS 4     /* code points that a code point decomposes into */

typedef struct tg_normalizer tg_normalizer;

/* NULL when out of memory. The caller frees it with free(). */
tg_normalizer *tgi_normalizer_new(void);
size_t tgi_normalizer_memory(void);

uint8_t tgi_normal_bits(const tg_normalizer *normalizer, uint32_t code);

/* Writes what a code point decomposes into; returns how many code points these are. */
size_t tgi_normal_decompose(const tg_normalizer *normalizer, uint32_t code,
                            uint32_t parts[TG_NORMAL_MAX_PARTS]);

/* The code point that two neighbours make; 0: none. */
uint32_t tgi_normal_compose(const tg_normalizer *normalizer, uint32_t first, uint32_t second);

#endif
