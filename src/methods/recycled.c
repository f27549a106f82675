#include "recycled.h"

#include <math.h>
#include <string.h>

#include "keep.h"

bool tgi_recycled_compares(const tg_recycled_schedule *schedule, uint32_t since)
{
    return !schedule->every && since % schedule->check == 0;
}

bool tgi_recycled_is_full(const tg_recycled_schedule *schedule, uint32_t since, double cosine)
{
    if (schedule->every)
        return since >= schedule->every;
    return tgi_recycled_compares(schedule, since) && cosine < schedule->threshold;
}

double tgi_recycled_cosine(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

void tgi_recycled_add_heads(const float *rows, size_t stride, uint32_t n_rows, uint32_t n,
                            bool largest, float *out)
{
    memcpy(out, rows, n * sizeof *out);
    for (uint32_t i = 1; i < n_rows; i++) {
        const float *row = rows + i * stride;
        for (uint32_t j = 0; j < n; j++)
            out[j] = !largest ? out[j] + row[j] : row[j] > out[j] ? row[j] : out[j];
    }
}

uint32_t tgi_recycled_choose(const float *weights, uint32_t n, uint32_t k, float *work, bool *kept,
                             uint32_t *keys)
{
    tgi_keep_largest(weights, n, k, work, kept);
    uint32_t n_keys = 0;
    for (uint32_t j = 0; j < n; j++)
        if (kept[j])
            keys[n_keys++] = j;
    return n_keys;
}

uint32_t tgi_recycled_drop(uint32_t *keys, uint32_t n, uint32_t k, const float *weights)
{
    if (n <= k)
        return n;
    uint32_t least = 0;
    for (uint32_t i = 1; i < n; i++)
        if (weights[i] < weights[least])
            least = i;
    memmove(keys + least, keys + least + 1, (n - least - 1) * sizeof *keys);
    return n - 1;
}

double tgi_recycled_overlap(const uint32_t *keys, uint32_t n_keys, const float *weights, uint32_t n,
                            uint32_t k, float *work, bool *kept)
{
    tgi_keep_largest(weights, n, k, work, kept);
    uint32_t found = 0;
    for (uint32_t i = 0; i < n_keys; i++)
        found += keys[i] < n && kept[keys[i]];
    return (double)found / (k < n ? k : n);
}
