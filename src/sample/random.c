/* See random.h. */
#include "random.h"

void tgi_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t a = UINT64_C(0xd2511f53) * c0;
        const uint64_t b = UINT64_C(0xcd9e8d57) * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        /* Weyl sequences make the rounds differ: the golden ratio, and the root of 3 minus 1 */
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

double tgi_random(uint64_t seed, uint64_t position, uint32_t sample_index)
{
    return tgi_coin(seed, position, sample_index, TG_COIN_DRAW);
}

double tgi_coin(uint64_t seed, uint64_t position, uint32_t sample_index, tg_coin_use use)
{
    const uint32_t counter[4] = {(uint32_t)position, (uint32_t)(position >> 32), sample_index, use};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4];
    tgi_philox(counter, key, words);
    return (double)(((uint64_t)words[1] << 32 | words[0]) >> 11) * 0x1p-53;
}
