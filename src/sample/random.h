/* Random numbers that are addressed, not consumed. In: seed, position and stream. Out: the same coin each time it is asked for,
 * so that a replay, a branch or a trace meets the same coins. Nothing is kept.
 *
 * Streams: 0 is the draw. A stage with a coin of its own, and each further sample of one step, has another. */
#ifndef TG_SAMPLE_RANDOM_H
#define TG_SAMPLE_RANDOM_H

#include <stdint.h>

/* Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): 128 bits of
 * counter and 64 bits of key become 128 random bits. */
void tg_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Even in [0, 1), a multiple of 2^-53. Key: the seed; counter: position (low, high word), stream, 0. */
double tg_random(uint64_t seed, uint64_t position, uint32_t stream);

#endif
