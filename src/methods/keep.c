#include "keep.h"

#include <math.h>
#include <string.h>

static void swap(float *a, float *b)
{
    const float t = *a;
    *a = *b;
    *b = t;
}

/* The k-th largest of n values, k from 1 on; reorders them. Equal values form a part of their own,
 * so that many of them cost no more than few. */
static float kth_largest(float *values, uint32_t n, uint32_t k)
{
    for (;;) {
        const float pivot = values[n / 2];
        uint32_t greater = 0, equal = 0; /* values[0 .. greater), then `equal` ones */
        for (uint32_t i = 0; i < n; i++) {
            if (values[i] < pivot)
                continue;
            swap(&values[i], &values[greater + equal]);
            equal++;
            if (values[greater + equal - 1] > pivot) {
                swap(&values[greater + equal - 1], &values[greater]);
                greater++;
                equal--;
            }
        }
        if (k <= greater) {
            n = greater;
        } else if (k <= greater + equal) {
            return pivot;
        } else {
            values += greater + equal;
            n -= greater + equal;
            k -= greater + equal;
        }
    }
}

void tgi_keep_largest(const float *values, uint32_t n, uint32_t k, float *work, bool *kept)
{
    if (!k || k >= n) {
        memset(kept, k > 0, n * sizeof *kept);
        return;
    }
    memcpy(work, values, n * sizeof *work);
    const float least = kth_largest(work, n, k);
    uint32_t n_greater = 0;
    for (uint32_t i = 0; i < n; i++)
        n_greater += values[i] > least;
    uint32_t n_equal = k - n_greater; /* of the values that are equal to it, the first ones */
    for (uint32_t i = 0; i < n; i++) {
        kept[i] = values[i] > least;
        if (values[i] == least && n_equal) {
            kept[i] = true;
            n_equal--;
        }
    }
}

uint32_t tgi_kept_count(uint32_t n, double ratio)
{
    const double count = n * ratio, whole = floor(count + 0.5);
    return (uint32_t)(fabs(count - whole) < 1e-9 * (1 + count) ? whole : floor(count));
}
