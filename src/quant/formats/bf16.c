/* BF16: the upper half of an IEEE binary32. */
#include "../blocks.h"

#include <string.h>

static float value(const uint8_t *element)
{
    uint16_t upper;
    memcpy(&upper, element, 2);
    const uint32_t bits = (uint32_t)upper << 16;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static bool is_finite(uint16_t upper)
{
    return (upper & 0x7f80) != 0x7f80;
}

#define ELEMENT bf16
#include "../element.inc"
