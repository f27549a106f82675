/* The properties of characters that pre-tokenizers ask for. Each character has one of these bits,
 * by its Unicode general category; control, format, private and unassigned characters have none. */
#ifndef TG_UNICODE_H
#define TG_UNICODE_H

#include <stddef.h>
#include <stdint.h>

enum {
    TG_UPPER = 1,        /* Lu, Lt */
    TG_LOWER = 2,        /* Ll */
    TG_OTHER_LETTER = 4, /* Lm, Lo */
    TG_LETTER = TG_UPPER | TG_LOWER | TG_OTHER_LETTER,
    TG_MARK = 8,
    TG_NUMBER = 16,
    TG_PUNCTUATION = 32,
    TG_SYMBOL = 64,
    TG_SPACE = 128, /* White_Space: some control characters, too */
};

#define TG_NO_CHARACTER 0xfffdu /* U+FFFD */

typedef struct tg_char {
    uint32_t code;  /* TG_NO_CHARACTER for a byte that is not UTF-8 */
    uint8_t bits;   /* properties; 0 at the end of the text */
    uint8_t length; /* bytes; 0 at the end of the text */
} tg_char;

/* The properties of a code point. */
uint8_t tgi_unicode_bits(uint32_t code);

/* The character at text[at] of a text that ends at text[end]; length 0 at the end. A byte that is
 * not UTF-8 is a character by itself. */
tg_char tgi_char_at(const char *text, size_t at, size_t end);

#endif
