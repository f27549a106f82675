/* F16: IEEE binary16. */
#include "../blocks.h"

#include <string.h>

static float value(const uint8_t *element)
{
    uint16_t half;
    memcpy(&half, element, 2);
    return tgi_half_to_float(half);
}

#define ELEMENT   f16
#define is_finite tgi_half_is_finite
#include "../element.inc"
