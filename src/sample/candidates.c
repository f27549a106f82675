/* The working set: sorting, removing, and sums over the survivors. */
#include "candidates.h"

#include <math.h>

#include "expd.h"

/* Interleaved parts of the vocabulary, whose maxima are found side by side. */
#define STRIDES 256u

void tgi_candidates_fill(tg_candidates *candidates, const float *logits)
{
    for (uint32_t i = 0; i < candidates->vocab; i++)
        candidates->entries[i] = (tg_entry){logits[i], (int32_t)i};
    candidates->n = candidates->vocab;
    candidates->sorted = 0;
}

static inline int before(const tg_entry *a, const tg_entry *b)
{
    return a->logit > b->logit || (a->logit == b->logit && a->token < b->token);
}

static inline void swap(tg_entry *a, tg_entry *b)
{
    const tg_entry t = *a;
    *a = *b;
    *b = t;
}

static void insertion_sort(tg_entry *e, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        const tg_entry moving = e[i];
        uint32_t j = i;
        for (; j > 0 && before(&moving, &e[j - 1]); j--)
            e[j] = e[j - 1];
        e[j] = moving;
    }
}

/* Moves e[i] down in a heap of n whose root is the last in sorted order. */
static void sink(tg_entry *e, uint32_t i, uint32_t n)
{
    for (uint32_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && before(&e[child], &e[child + 1]))
            child++;
        if (!before(&e[i], &e[child]))
            return;
        swap(&e[i], &e[child]);
        i = child;
    }
}

static void heap_sort(tg_entry *e, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sink(e, i, n);
    while (n > 1) {
        swap(&e[0], &e[--n]);
        sink(e, 0, n);
    }
}

#define SMALL     24u  /* entries: below this, insertion sort is fastest */
#define SAMPLE    256u /* entries of the sample for a pivot, if few of many are wanted */
#define MIN_SHARE 8u   /* few: less than 1/8 */

static void sort_first(tg_entry *e, uint32_t n, uint32_t k, int depth);

/* Moves a pivot to e[0]. If few of many entries are wanted: an entry of a sorted sample that most
 * likely comes a little after the k-th, so that one pass leaves few entries (Floyd and Rivest 1975)
 * and its comparisons are predictable. Else the median of three. */
static void choose_pivot(tg_entry *e, uint32_t n, uint32_t k, int depth)
{
    if (n >= 4 * SAMPLE && k < n / MIN_SHARE) {
        const uint32_t rank = (uint32_t)((uint64_t)k * SAMPLE / n) + 8;
        for (uint32_t i = 0; i < SAMPLE; i++)
            swap(&e[i], &e[(uint64_t)i * n / SAMPLE]);
        sort_first(e, SAMPLE, rank + 1, depth);
        swap(&e[0], &e[rank]);
        return;
    }
    tg_entry *a = &e[0], *b = &e[n / 2], *c = &e[n - 1];
    if (before(b, a))
        swap(a, b);
    if (before(c, b)) {
        swap(b, c);
        if (before(b, a))
            swap(a, b);
    }
    swap(a, b);
}

/* Sorts the first k of n; depth: how many more bad partitions are tolerated. */
static void sort_first(tg_entry *e, uint32_t n, uint32_t k, int depth)
{
    while (k > 0 && n > SMALL) {
        if (depth-- <= 0) {
            heap_sort(e, n);
            return;
        }
        choose_pivot(e, n, k, depth);
        uint32_t m = 0; /* entries before the pivot */
        const tg_entry pivot = e[0];
        for (uint32_t i = 1; i < n; i++)
            if (before(&e[i], &pivot))
                swap(&e[++m], &e[i]);
        swap(&e[0], &e[m]);
        if (k <= m + 1) { /* the pivot is in position, and no entry after it is wanted */
            n = m;
            if (k > m)
                k = m;
        } else {
            sort_first(e, m, m, depth);
            e += m + 1;
            n -= m + 1;
            k -= m + 1;
        }
    }
    if (k > 0)
        insertion_sort(e, n);
}

void tgi_candidates_sort(tg_candidates *candidates, uint32_t k)
{
    const uint32_t n = candidates->n, sorted = candidates->sorted;
    if (k > n)
        k = n;
    if (k <= sorted)
        return;
    int depth = 8;
    for (uint32_t size = n - sorted; size > 1; size /= 2)
        depth += 2;
    sort_first(candidates->entries + sorted, n - sorted, k - sorted, depth);
    candidates->sorted = k;
}

tg_entry tgi_candidates_at(tg_candidates *candidates, uint32_t i)
{
    if (i >= candidates->sorted) {
        uint32_t k = 64;
        while (k <= i)
            k *= 8;
        tgi_candidates_sort(candidates, k);
    }
    return candidates->entries[i];
}

double tgi_candidates_max(const tg_candidates *candidates)
{
    double max = candidates->entries[0].logit;
    if (candidates->sorted == 0)
        for (uint32_t i = 1; i < candidates->n; i++)
            if (candidates->entries[i].logit > max)
                max = candidates->entries[i].logit;
    return max;
}

double tgi_candidates_min(const tg_candidates *candidates)
{
    double min = candidates->entries[candidates->n - 1].logit;
    for (uint32_t i = candidates->sorted; i < candidates->n; i++)
        if (candidates->entries[i].logit < min)
            min = candidates->entries[i].logit;
    return min;
}

double tgi_candidates_total(const tg_candidates *candidates, double max)
{
    double total = 0;
    for (uint32_t i = 0; i < candidates->n; i++)
        total += tgi_expd(candidates->entries[i].logit - max);
    return total;
}

void tgi_candidates_softmax(const tg_candidates *candidates, double *p)
{
    const double max = tgi_candidates_max(candidates);
    double total = 0;
    for (uint32_t i = 0; i < candidates->n; i++) {
        const tg_entry *entry = &candidates->entries[i];
        const double weight = tgi_expd(entry->logit - max);
        p[entry->token] = weight;
        total += weight;
    }
    for (uint32_t i = 0; i < candidates->n; i++)
        p[candidates->entries[i].token] /= total;
}

double tgi_candidates_entropy(const tg_candidates *candidates, double max, double total)
{
    double moment = 0;
    for (uint32_t i = 0; i < candidates->n; i++) {
        const double x = candidates->entries[i].logit - max;
        const double weight = tgi_expd(x);
        if (weight > 0) /* 0 times infinity must be 0 */
            moment += weight * x;
    }
    const double entropy = log(total) - moment / total;
    return entropy > 0 ? entropy : 0;
}

void tgi_candidates_remove_marked(tg_candidates *candidates, bool marked)
{
    tg_entry *e = candidates->entries;
    uint32_t kept = 0, sorted = 0;
    for (uint32_t i = 0; i < candidates->n; i++) {
        if ((candidates->marks[e[i].token] != 0) == marked)
            continue;
        sorted += i < candidates->sorted;
        swap(&e[kept++], &e[i]);
    }
    candidates->n = kept;
    candidates->sorted = sorted; /* the ones that stay keep their order */
}

uint32_t tgi_top_logits(const float *logits, uint32_t vocab, uint32_t k, tg_entry *top)
{
    tg_candidates all = {.entries = top, .vocab = vocab, .n = 0};
    if (k > vocab)
        k = vocab;
    if (k == 0)
        return 0;
    /* a bound that at least k logits reach: the k-th highest of the maxima of the strides */
    float bound = -INFINITY;
    if (k <= STRIDES / 2 && vocab >= 8 * STRIDES) {
        float best[STRIDES];
        for (uint32_t j = 0; j < STRIDES; j++)
            best[j] = logits[j];
        for (uint32_t i = STRIDES; i + STRIDES <= vocab; i += STRIDES)
            for (uint32_t j = 0; j < STRIDES; j++)
                best[j] = logits[i + j] > best[j] ? logits[i + j] : best[j];
        for (uint32_t j = 0; j < STRIDES; j++)
            top[j] = (tg_entry){best[j], (int32_t)j};
        all.n = STRIDES;
        tgi_candidates_sort(&all, k);
        bound = (float)top[k - 1].logit;
        all.n = 0;
    }
    for (uint32_t i = 0; i < vocab; i++)
        if (logits[i] >= bound)
            top[all.n++] = (tg_entry){logits[i], (int32_t)i};
    all.sorted = 0;
    tgi_candidates_sort(&all, k);
    return k;
}

void tgi_candidates_remove_below(tg_candidates *candidates, double limit)
{
    tg_entry *e = candidates->entries;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < candidates->n; i++)
        if (e[i].logit >= limit)
            swap(&e[kept++], &e[i]);
    candidates->n = kept;
    /* the sorted ones keep their order, and the lowest of them are removed first */
    if (candidates->sorted > kept)
        candidates->sorted = kept;
}
