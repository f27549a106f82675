/* Random numbers that are addressed, not consumed: a pure function of (seed, position, stream). Stream 0 is the draw; a stage
 * with a coin of its own and further samples of one step have theirs. */
#ifndef TG_RANDOM_H
#define TG_RANDOM_H

#include <stdint.h>

/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter of 128 bits
 * under a key of 64. */
void tg_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Even in [0, 1), 53 bits. */
double tg_random(uint64_t seed, uint64_t position, uint32_t stream);

#endif
