/* Attention calibration (ACT, Yu et al. 2024): takes weight from attention sinks, tokens that
 * draw attention in most rows, and gives it to the other keys of the row in proportion to their
 * weights. The first sink, mostly the first token, is left alone. The functions are pure: rows
 * of attention come from the caller. */
#ifndef TG_ACT_H
#define TG_ACT_H

#include <stdbool.h>
#include <stdint.h>

/* sums[j] += row[j] for the keys that the row sees: first to n - 1. */
void tgi_act_add_row(double *sums, const float *row, uint32_t first, uint32_t n);
/* counts[j] = how many of the queries 0 to n - 1 see key j < n. window: keys that a query sees,
 * its own included; 0: all. The mean of a column is sums[j] / counts[j]. */
void tgi_act_count_rows(uint32_t *counts, uint32_t n, uint32_t window);
/* is_sink[j] = whether column j's mean is above theta; the first one that is counts as none.
 * Returns the number of sinks. */
uint32_t tgi_act_find_sinks(const double *sums, const uint32_t *counts, uint32_t n, double theta,
                            bool *is_sink);
/* Calibrates a row of weights: those of sinks times beta, and what that frees goes to the other
 * keys. A row with all its weight on sinks stays as it is, and so does a row of one key. Returns
 * whether the row changed. */
bool tgi_act_calibrate(float *row, uint32_t n, const bool *is_sink, double beta);

#endif
