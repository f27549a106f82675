/* Repeatable random numbers for the native tests: xorshift64* (Vigna 2016). */
#ifndef TG_TEST_RANDOM_H
#define TG_TEST_RANDOM_H

#include <math.h>
#include <stdint.h>

typedef struct test_random {
    uint64_t state; /* not 0 */
} test_random;

static inline uint32_t random_u32(test_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return (uint32_t)(r->state * UINT64_C(2685821657736338717) >> 32);
}

/* uniform in [0, 1) */
static inline double random_unit(test_random *r)
{
    return random_u32(r) * 0x1p-32;
}

/* normal distribution, mean 0, deviation 1 */
static inline float random_gauss(test_random *r)
{
    const double radius = sqrt(-2 * log(random_unit(r) + 0x1p-33));
    return (float)(radius * cos(6.283185307179586 * random_unit(r)));
}

#endif
