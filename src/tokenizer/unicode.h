/* What the pre-tokenizers ask about characters: one of these bits each, from Unicode's general
 * categories; none for control, format, private and unassigned ones. In: UTF-8, valid or not. Out:
 * properties, by code point or by position. */
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
    TG_SPACE = 128, /* White_Space, which holds control characters, too */
};

#define TG_NO_CHARACTER 0xfffdu

typedef struct tg_char {
    uint32_t code;  /* U+FFFD for a byte that is no UTF-8 */
    uint8_t bits;   /* its properties; 0 at the end of the text */
    uint8_t length; /* bytes; 0 at the end of the text */
} tg_char;

uint8_t tgi_unicode_bits(uint32_t code);
/* The character at text[at], which ends before text[end]. A byte that is no UTF-8 is a character by
 * itself. */
tg_char tgi_char_at(const char *text, size_t at, size_t end);

#endif
