/* UTF-8: one code point at a time. */
#ifndef TG_UTF8_H
#define TG_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define TG_NOT_UTF8 UINT32_MAX

/* The code point at the beginning of text[left], left > 0; *length: its bytes. TG_NOT_UTF8 with
 * length 1 where no code point is encoded. */
static inline uint32_t tgi_utf8_decode(const char *text, size_t left, uint32_t *length)
{
    /* the smallest code point for each length: smaller ones have a shorter encoding */
    static const uint32_t min_code[5] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *s = (const uint8_t *)text;
    *length = 1;
    if (s[0] < 0x80)
        return s[0];
    const uint32_t all = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0x7fu >> all), n = 1;
    while (n < all && n < left && (s[n] & 0xc0) == 0x80)
        code = code << 6 | (s[n++] & 0x3f);
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < all || code < min_code[all] || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return TG_NOT_UTF8;
    *length = all;
    return code;
}

/* Writes a code point; returns its 1 to 4 bytes. */
static inline uint32_t tgi_utf8_encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    const uint32_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (uint32_t i = n - 1; i > 0; i--, code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(0xf00 >> n | code);
    return n;
}

#endif
