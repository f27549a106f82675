/* SpAtten (Wang, Zhang and Han 2020): cascade pruning of tokens and heads, pruning of values in
 * a row of attention, and progressive key bits: most rows read only the high bits of the keys.
 * The functions are pure: rows of attention and outputs of heads come from the caller. */
#ifndef TG_SPATTEN_H
#define TG_SPATTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* scores[j] += the weight of key j in each of n_rows rows. rows: [n_rows][stride]; the row's keys
 * are keys[0 .. n_keys), or 0 .. n_keys - 1 if keys is NULL. */
void tgi_spatten_score_tokens(double *scores, const float *rows, size_t stride, uint32_t n_rows,
                              const uint32_t *keys, uint32_t n_keys);
/* The importance that an output of a head adds to the head: the sum of its absolute values. */
double tgi_spatten_score_head(const float *output, size_t n);

/* Cascade token pruning: of the tokens with alive[j], `count` stay alive: the first `first` tokens
 * and the last `recent` ones (1: the last one), then those with the largest scores, of equal ones
 * the first ones. Tokens that must stay do so even when count is less. work: [n] memory. Returns
 * how many are alive. */
uint32_t tgi_spatten_prune_tokens(const double *scores, uint32_t n, uint32_t count, uint32_t first,
                                  uint32_t recent, float *work, bool *kept, bool *alive);
/* Cascade head pruning, in groups of heads that share keys and values: of the groups with alive
 * heads, floor(count / group) stay alive, at least one: those with the largest sums of scores, of
 * equal ones the first ones. Returns how many heads are alive. work, kept: [n_heads] memory. */
uint32_t tgi_spatten_prune_heads(const double *scores, uint32_t n_heads, uint32_t group,
                                 uint32_t count, float *work, bool *kept, bool *alive);
/* Local value pruning: the `count` largest weights of the row stay, of equal ones the first ones;
 * the others become 0, and nothing is divided by the new sum. work, kept: [n] memory. */
void tgi_spatten_prune_values(float *row, uint32_t n, uint32_t count, float *work, bool *kept);

/* What a key is when only its `bits` high bits are read, sign included: its numbers are rounded to
 * multiples of max |key| / (2^(bits - 1) - 1), where halves round to even. */
void tgi_spatten_high_bits(const float *key, size_t n, uint32_t bits, float *out);
/* Whether a row of weights that come from high bits needs the low bits, too: its largest weight is
 * below tau. With a tau of 1 every row does. */
bool tgi_spatten_needs_low_bits(const float *row, uint32_t n, double tau);

#endif
