/* Unicode's normalization form C (UAX #15), which some vocabularies were trained with: characters
 * that combine are written as one character, if Unicode has that character. Positions in the
 * normalized text lead back to the text that was given. The cost is linear in the length of the
 * text. */
#ifndef TG_NORMALIZE_H
#define TG_NORMALIZE_H

#include "normalize_tables.h"

/* A character of the normalized text that is not as it was given. */
typedef struct tg_normal_piece {
    uint32_t begin, end; /* bytes of the normalized text */
    uint32_t end_given;  /* byte of the given text at which its part of that text ends */
} tg_normal_piece;

typedef struct tg_normalized {
    char *text; /* [length]; NULL: the text is normalized as it is */
    size_t length;
    tg_normal_piece *pieces; /* [n_pieces] in order */
    size_t n_pieces;
} tg_normalized;

/* Normalizes a text of `length` bytes. Bytes that are not UTF-8 stay as they are. False when out of
 * memory. The caller frees the result with tgi_normalized_free, also after a failure. */
bool tgi_normalize(const tg_normalizer *normalizer, const char *text, size_t length,
                   tg_normalized *out);
void tgi_normalized_free(tg_normalized *normalized);

/* Turns positions in the normalized text, in ascending order, into positions in the given text. A
 * position inside a character that was changed becomes the end of what the character was made of.
 */
void tgi_normalized_positions(const tg_normalized *normalized, uint32_t *positions, size_t n);

#endif
