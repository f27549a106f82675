/* Decodes UTF-8 and looks up properties in the generated tables. */
#include "unicode.h"
#include "../base/utf8.h"
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
    uint32_t length;
    if (at >= end)
        return (tg_char){0};
    uint32_t code = tgi_utf8_decode(text + at, end - at, &length);
    if (code == TG_NOT_UTF8)
        code = TG_NO_CHARACTER;
    return (tg_char){code, tgi_unicode_bits(code), (uint8_t)length};
}
