/* Recycled Attention (Xu, Goyal and Choi 2024): most steps of a generation attend only to the K
 * keys that an earlier step attended to most. Such a full step attends to all keys and chooses
 * the K keys again, for each key-value head. The functions are pure: rows of attention and
 * queries come from the caller. */
#ifndef TG_RECYCLED_H
#define TG_RECYCLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When a step is a full one. The step after the prompt is number 1 after the latest full step. */
typedef struct tg_recycled_schedule {
    uint32_t every;   /* fixed: one full step in `every` steps; 1: all. 0: dynamic */
    uint32_t check;   /* dynamic: the query is compared in one of `check` steps */
    double threshold; /* dynamic: a cosine below it makes a full step */
} tg_recycled_schedule;

/* Whether step `since`, counted from 1 after the latest full step, compares queries. */
bool tgi_recycled_compares(const tg_recycled_schedule *schedule, uint32_t since);
/* Whether this step is a full one. cosine: of its query and the one of the latest full step; read
 * when the step compares queries. */
bool tgi_recycled_is_full(const tg_recycled_schedule *schedule, uint32_t since, double cosine);
/* The cosine of two vectors; 0 when one of them has no length. */
double tgi_recycled_cosine(const float *a, const float *b, size_t n);

/* out[j] = the sum of the weights that n_rows query heads give to key j, or the largest of them.
 * rows: [n_rows][stride]; out: [n]. */
void tgi_recycled_add_heads(const float *rows, size_t stride, uint32_t n_rows, uint32_t n,
                            bool largest, float *out);
/* The k keys with the largest weights, ascending; of equal ones the first ones. Returns how many:
 * n if there are fewer than k. work, kept: [n] memory; keys: [k]. */
uint32_t tgi_recycled_choose(const float *weights, uint32_t n, uint32_t k, float *work, bool *kept,
                             uint32_t *keys);
/* keys[0 .. n) are the keys that a recycling step attended to; the last one is the step's own key.
 * If there are more than k, drops the key with the least weight, and of equal keys the first.
 * Returns how many keys are left. They stay in their order. */
uint32_t tgi_recycled_drop(uint32_t *keys, uint32_t n, uint32_t k, const float *weights);
/* The share of the k largest weights whose keys are in keys[0 .. n_keys), ascending. work, kept:
 * [n] memory. */
double tgi_recycled_overlap(const uint32_t *keys, uint32_t n_keys, const float *weights, uint32_t n,
                            uint32_t k, float *work, bool *kept);

#endif
