#include "spatten.h"

#include <math.h>

#include "keep.h"

void tgi_spatten_score_tokens(double *scores, const float *rows, size_t stride, uint32_t n_rows,
                              const uint32_t *keys, uint32_t n_keys)
{
    for (uint32_t i = 0; i < n_rows; i++)
        for (uint32_t j = 0; j < n_keys; j++)
            scores[keys ? keys[j] : j] += (double)rows[i * stride + j];
}

double tgi_spatten_score_head(const float *output, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)output[i]);
    return sum;
}

uint32_t tgi_spatten_prune_tokens(const double *scores, uint32_t n, uint32_t count, uint32_t first,
                                  uint32_t recent, float *work, bool *kept, bool *alive)
{
    uint32_t n_free = 0, n_must = 0; /* free: alive, and pruned by score */
    float *free_scores = work;
    for (uint32_t j = 0; j < n; j++) {
        if (!alive[j])
            continue;
        if (j < first || n - j <= recent)
            n_must++;
        else
            free_scores[n_free++] = (float)scores[j];
    }
    const uint32_t n_kept = count > n_must ? count - n_must : 0;
    if (n_kept >= n_free)
        return n_must + n_free;
    tgi_keep_largest(free_scores, n_free, n_kept, free_scores + n_free, kept);
    for (uint32_t j = 0, i = 0; j < n; j++)
        if (alive[j] && j >= first && n - j > recent)
            alive[j] = kept[i++];
    return n_must + n_kept;
}

uint32_t tgi_spatten_prune_heads(const double *scores, uint32_t n_heads, uint32_t group,
                                 uint32_t count, float *work, bool *kept, bool *alive)
{
    uint32_t n = 0; /* groups that are alive; a group is alive or pruned as a whole */
    for (uint32_t first = 0; first < n_heads; first += group) {
        if (!alive[first])
            continue;
        double sum = 0;
        for (uint32_t h = first; h < first + group; h++)
            sum += scores[h];
        work[n++] = (float)sum;
    }
    uint32_t n_kept = count / group > 1 ? count / group : 1;
    n_kept = n_kept < n ? n_kept : n;
    tgi_keep_largest(work, n, n_kept, work + n, kept);
    for (uint32_t first = 0, i = 0; first < n_heads; first += group) {
        if (!alive[first])
            continue;
        for (uint32_t h = first; h < first + group; h++)
            alive[h] = kept[i];
        i++;
    }
    return n_kept * group;
}

void tgi_spatten_prune_values(float *row, uint32_t n, uint32_t count, float *work, bool *kept)
{
    tgi_keep_largest(row, n, count, work, kept);
    for (uint32_t j = 0; j < n; j++)
        if (!kept[j])
            row[j] = 0;
}

void tgi_spatten_high_bits(const float *key, size_t n, uint32_t bits, float *out)
{
    float max = 0;
    for (size_t i = 0; i < n; i++)
        max = fabsf(key[i]) > max ? fabsf(key[i]) : max;
    const float step = max / (float)((1u << (bits - 1)) - 1);
    for (size_t i = 0; i < n; i++)
        out[i] = step > 0 ? nearbyintf(key[i] / step) * step : 0;
}

bool tgi_spatten_needs_low_bits(const float *row, uint32_t n, double tau)
{
    float max = 0;
    for (uint32_t j = 0; j < n; j++)
        max = row[j] > max ? row[j] : max;
    return tau >= 1 || (double)max < tau;
}
