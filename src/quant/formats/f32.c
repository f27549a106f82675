/* F32: IEEE binary32. */
#include "../blocks.h"

#include <math.h>
#include <string.h>

static float value(const uint8_t *element)
{
    float f;
    memcpy(&f, element, 4);
    return f;
}

#define ELEMENT   f32
#define is_finite isfinite
#include "../element.inc"
