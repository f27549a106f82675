/* Random numbers with addresses. A coin is a function of the seed, the position of the token in the
 * session, the sample's index and a use, so that a replay, a branch and a trace get the same coins.
 * Nothing is stored.
 *
 * Sample index 0 is a step's own sample; further samples of the same step have other indices. The
 * draw and every stage that needs a coin have a use of their own. */
#ifndef TG_SAMPLE_RANDOM_H
#define TG_SAMPLE_RANDOM_H

#include <stdint.h>

/* Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011): 128 bits of counter and 64 bits of key become 128 random bits. */
void tgi_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The numbers are stable, because they are part of the address. */
typedef enum tg_coin_use { TG_COIN_DRAW = 0, TG_COIN_XTC = 1 } tg_coin_use;

/* Uniform in [0, 1), a multiple of 2^-53. Philox key: the seed; counter: position (low, high word),
 * sample index, use. */
double tgi_coin(uint64_t seed, uint64_t position, uint32_t sample_index, tg_coin_use use);

/* The coin of the draw. */
double tgi_random(uint64_t seed, uint64_t position, uint32_t sample_index);

#endif
