#include "act.h"

void tgi_act_add_row(double *sums, const float *row, uint32_t first, uint32_t n)
{
    for (uint32_t j = first; j < n; j++)
        sums[j] += (double)row[j];
}

void tgi_act_count_rows(uint32_t *counts, uint32_t n, uint32_t window)
{
    for (uint32_t j = 0; j < n; j++)
        counts[j] = window && n - j > window ? window : n - j;
}

uint32_t tgi_act_find_sinks(const double *sums, const uint32_t *counts, uint32_t n, double theta,
                            bool *is_sink)
{
    uint32_t n_sinks = 0;
    bool is_first = true;
    for (uint32_t j = 0; j < n; j++) {
        /* in floats: a column whose weights are all theta is not above theta */
        is_sink[j] = counts[j] && (float)(sums[j] / counts[j]) > (float)theta;
        if (is_sink[j] && is_first)
            is_first = is_sink[j] = false;
        n_sinks += is_sink[j];
    }
    return n_sinks;
}

bool tgi_act_calibrate(float *row, uint32_t n, const bool *is_sink, double beta)
{
    double sinks = 0, others = 0;
    for (uint32_t j = 0; j < n; j++)
        *(is_sink[j] ? &sinks : &others) += (double)row[j];
    if (n < 2 || beta == 1 || !(sinks > 0) || !(others > 0))
        return false;
    const double factor = 1 + (1 - beta) * sinks / others;
    for (uint32_t j = 0; j < n; j++)
        row[j] = (float)(row[j] * (is_sink[j] ? beta : factor));
    return true;
}
