/* Random numbers that are addressed, not consumed. In: seed, position and stream. Out: the same
 * coin each time it is asked for, so that a replay, a branch or a trace meets the same coins.
 * Nothing is kept.
 *
 * Stream 0 is the step's own sample; each further sample of the same step has another. Within a
 * stream, the draw and every stage with a coin of its own have a use each. */
#ifndef TG_SAMPLE_RANDOM_H
#define TG_SAMPLE_RANDOM_H

#include <stdint.h>

/* Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011): 128 bits of counter and 64 bits of key become 128 random bits. */
void tgi_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

typedef enum tg_coin_use {
    TG_COIN_DRAW = 0,
    TG_COIN_XTC = 1
} tg_coin_use; /* stable numbers: they are part of the address */

/* Even in [0, 1), a multiple of 2^-53. Key: the seed; counter: position (low, high word), stream,
 * use. */
double tgi_coin(uint64_t seed, uint64_t position, uint32_t stream, tg_coin_use use);
double tgi_random(uint64_t seed, uint64_t position, uint32_t stream); /* the draw's */

#endif
