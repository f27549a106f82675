/* Printable bytes are written as the character with the same code; the others, in order, as U+0100
 * and up. */
#include "byte_alphabet.h"
#include "../base/utf8.h"

#include <stdbool.h>

static bool is_printable(uint32_t byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

int tgi_byte_of_char(uint32_t code)
{
    if (code < 0x100)
        return is_printable(code) ? (int)code : -1;
    code -= 0x100;
    return code < 33 ? (int)code : code < 33 + 34 ? (int)(code - 33 + 127) : code == 67 ? 0xad : -1;
}

size_t tgi_char_of_byte(uint8_t byte, char *to)
{
    const uint32_t code = is_printable(byte) ? byte
                          : byte < 33        ? 0x100u + byte
                          : byte == 0xad     ? 0x100u + 67
                                             : 0x100u + 33 + byte - 127u;
    return tgi_utf8_encode(code, to);
}
