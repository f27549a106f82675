/* Keeps the largest of a row of numbers: what methods on attention do with scores of tokens, of
 * heads and of keys. */
#ifndef TG_KEEP_H
#define TG_KEEP_H

#include <stdbool.h>
#include <stdint.h>

/* kept[i] = whether values[i] is among the k largest; of equal ones the first ones. No value is a
 * NaN. work: [n] memory. Quick selection (Hoare 1961), O(n). */
void tgi_keep_largest(const float *values, uint32_t n, uint32_t k, float *work, bool *kept);

/* The whole number of n things that a ratio keeps: floor(n * ratio). What rounding takes from a
 * product that should be whole is given back: 10 * 0.7 is 7. */
uint32_t tgi_kept_count(uint32_t n, double ratio);

#endif
