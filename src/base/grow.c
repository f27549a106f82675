/* See grow.h. */
#include "grow.h"

#include <stdlib.h>

bool tgi_grow(void **data, uint32_t n, uint32_t *capacity, size_t size)
{
    if (n < *capacity)
        return true;
    const uint64_t wanted = *capacity < 16 ? 32 : (uint64_t)*capacity * 2;
    void *grown = wanted < UINT32_MAX && wanted * size < SIZE_MAX / 2
                      ? realloc(*data, (size_t)wanted * size)
                      : NULL;
    if (!grown)
        return false;
    *data = grown;
    *capacity = (uint32_t)wanted;
    return true;
}
