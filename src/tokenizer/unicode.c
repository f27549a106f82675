/* Decodes UTF-8 and looks up properties in the generated tables. */
#include "unicode.h"
#include "unicode_tables.h"

uint8_t tgi_unicode_bits(uint32_t code)
{
    const uint32_t block = code / TG_UNICODE_BLOCK;
    return tg_unicode_blocks[tg_unicode_index[block < TG_UNICODE_INDEX ? block
                                                                       : TG_UNICODE_INDEX - 1]]
                            [code % TG_UNICODE_BLOCK];
}

tg_char tgi_char_at(const char *text, size_t at, size_t end)
{
    /* the smallest code point for each length: smaller ones have a shorter encoding */
    static const uint32_t min_code[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (at >= end)
        return (tg_char){0};
    const uint8_t *s = (const uint8_t *)text + at;
    if (s[0] < 0x80)
        return (tg_char){s[0], tgi_unicode_bits(s[0]), 1};
    const uint32_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0x7fu >> length), n = 1;
    while (n < length && n < end - at && (s[n] & 0xc0) == 0x80)
        code = code << 6 | (s[n++] & 0x3f);
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < length || code < min_code[length] || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return (tg_char){TG_NO_CHARACTER, tgi_unicode_bits(TG_NO_CHARACTER), 1};
    return (tg_char){code, tgi_unicode_bits(code), (uint8_t)length};
}
