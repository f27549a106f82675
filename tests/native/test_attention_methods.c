/* The numeric cores of the methods on attention (src/methods: keep, recycled, spatten, act): the
 * toy vectors of the specifications, plain forms that sort, and edge cases. */
#include <math.h>

#include "../../src/methods/act.h"
#include "../../src/methods/keep.h"
#include "../../src/methods/recycled.h"
#include "../../src/methods/spatten.h"
#include "random.h"
#include "test.h"

enum { MAX_N = 300 };

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-6;
}

/* ---- keep.h ---- */

/* Whether values[i] is among the k largest, by counting what comes before it. */
static bool plain_kept(const float *values, uint32_t n, uint32_t k, uint32_t i)
{
    uint32_t n_before = 0;
    for (uint32_t j = 0; j < n; j++)
        n_before += values[j] > values[i] || (values[j] == values[i] && j < i);
    return n_before < k;
}

static void test_keep(void)
{
    test_random r = {7};
    float values[MAX_N], work[MAX_N];
    bool kept[MAX_N];
    for (int round = 0; round < 400; round++) {
        const uint32_t n = 1 + random_u32(&r) % MAX_N, k = random_u32(&r) % (n + 2),
                       n_values = 1 + random_u32(&r) % 40;
        for (uint32_t i = 0; i < n; i++) /* few different values: many ties */
            values[i] = round % 2 ? random_gauss(&r) : (float)(random_u32(&r) % n_values);
        tgi_keep_largest(values, n, k, work, kept);
        for (uint32_t i = 0; i < n; i++)
            CHECK(kept[i] == plain_kept(values, n, k, i), "round %d, %u of %u", round, k, n);
    }
}

static void test_counts(void)
{
    CHECK(tgi_kept_count(10, 0.7) == 7);
    CHECK(tgi_kept_count(10, 1 - 0.3) == 7);
    CHECK(tgi_kept_count(1024, 0.9) == 921);
    CHECK(tgi_kept_count(1024, 0.8) == 819);
    CHECK(tgi_kept_count(1024, 0.6) == 614);
    CHECK(tgi_kept_count(1024, 0.3) == 307);
    /* SpAtten's values: 0.3 of the keys that are left */
    CHECK(tgi_kept_count(1024, 0.3) == 307 && tgi_kept_count(921, 0.3) == 276);
    CHECK(tgi_kept_count(819, 0.3) == 245 && tgi_kept_count(614, 0.3) == 184);
    CHECK(tgi_kept_count(307, 0.3) == 92);
    CHECK(tgi_kept_count(7, 1) == 7 && tgi_kept_count(7, 0) == 0 && tgi_kept_count(0, 0.5) == 0);
    CHECK(tgi_kept_count(3, 0.999) == 2);
    for (uint32_t n = 1; n <= MAX_N; n++) /* the same whole numbers as exact fractions give */
        for (uint32_t percent = 0; percent <= 100; percent++)
            CHECK(tgi_kept_count(n, percent / 100.0) == n * percent / 100, "%u %u", n, percent);
}

/* ---- recycled.h ---- */

static void test_recycled_sets(void)
{
    float work[8];
    bool kept[8];
    uint32_t keys[8];
    /* two query heads share the keys: their sum and their largest weight choose differently */
    const float rows[2][8] = {{.5f, .3f, .2f, 0}, {.0f, .3f, .3f, .4f}};
    float sum[4], largest[4];
    tgi_recycled_add_heads(rows[0], 8, 2, 4, false, sum);
    tgi_recycled_add_heads(rows[0], 8, 2, 4, true, largest);
    CHECK(near(sum[0], .5) && near(sum[1], .6) && near(sum[2], .5) && near(sum[3], .4));
    CHECK(near(largest[0], .5) && near(largest[1], .3) && near(largest[2], .3));
    CHECK(near(largest[3], .4));
    CHECK(tgi_recycled_choose(sum, 4, 2, work, kept, keys) == 2);
    CHECK(keys[0] == 0 && keys[1] == 1, "key 0 comes before key 2, which has the same weight");
    CHECK(tgi_recycled_choose(largest, 4, 2, work, kept, keys) == 2);
    CHECK(keys[0] == 0 && keys[1] == 3);
    CHECK(tgi_recycled_choose(sum, 4, 9, work, kept, keys) == 4, "fewer keys than k: all");
    CHECK(keys[3] == 3);

    /* a step appends its own key and drops the one with the least weight */
    uint32_t set[4] = {2, 5, 7, 9};
    CHECK(tgi_recycled_drop(set, 4, 3, (const float[]){.4f, .1f, .3f, .2f}) == 3);
    CHECK(set[0] == 2 && set[1] == 7 && set[2] == 9);
    set[3] = 10;
    CHECK(tgi_recycled_drop(set, 4, 3, (const float[]){.1f, .4f, .1f, .4f}) == 3,
          "ties: the first");
    CHECK(set[0] == 7 && set[1] == 9 && set[2] == 10);
    set[3] = 11;
    CHECK(tgi_recycled_drop(set, 4, 3, (const float[]){.3f, .3f, .3f, .1f}) == 3, "its own");
    CHECK(set[2] == 10);
    CHECK(tgi_recycled_drop(set, 3, 3, (const float[]){0, 0, 0}) == 3, "there is still room");

    const float weights[6] = {.3f, .05f, .25f, .05f, .15f, .2f};
    CHECK(near(tgi_recycled_overlap((const uint32_t[]){0, 1, 2}, 3, weights, 6, 3, work, kept),
               2. / 3));
    CHECK(near(tgi_recycled_overlap((const uint32_t[]){0, 2, 5}, 3, weights, 6, 3, work, kept), 1));
    CHECK(near(tgi_recycled_overlap((const uint32_t[]){1, 3}, 2, weights, 6, 2, work, kept), 0));
    CHECK(near(tgi_recycled_overlap((const uint32_t[]){0, 1, 2}, 3, weights, 3, 9, work, kept), 1),
          "of fewer keys than k");
}

/* The full steps of `n` steps after a prompt, as bits; cosines by step. */
static uint32_t full_steps(const tg_recycled_schedule *schedule, const double *cosines, uint32_t n)
{
    uint32_t full = 0;
    for (uint32_t step = 0, since = 0; step < n; step++) {
        since++;
        if (tgi_recycled_is_full(schedule, since, cosines ? cosines[step] : 0)) {
            full |= UINT32_C(1) << step;
            since = 0;
        }
    }
    return full;
}

static void test_recycled_schedule(void)
{
    CHECK(full_steps(&(tg_recycled_schedule){.every = 1}, NULL, 6) == 0x3f, "every step is full");
    CHECK(full_steps(&(tg_recycled_schedule){.every = 3}, NULL, 9) == 0x124);
    const double cosines[] = {.1, .9, .1, .79, .9, .1, .8, .2, .9, .1};
    /* compared in steps 2 and 4; 4 is full; then in steps 6 and 8, both below */
    CHECK(full_steps(&(tg_recycled_schedule){.check = 2, .threshold = .8}, cosines, 10) == 0x2a8);
    CHECK(full_steps(&(tg_recycled_schedule){.check = 1, .threshold = 2}, cosines, 10) == 0x3ff);
    CHECK(full_steps(&(tg_recycled_schedule){.check = 1, .threshold = -2}, cosines, 10) == 0);
    CHECK(!tgi_recycled_is_full(&(tg_recycled_schedule){.check = 1, .threshold = .8}, 1, .8),
          "a cosine at the threshold goes on");
    const float a[] = {3, 4, 0}, b[] = {4, 3, 0}, c[] = {0, 0, 2}, zero[3] = {0};
    CHECK(near(tgi_recycled_cosine(a, b, 3), .96) && near(tgi_recycled_cosine(a, a, 3), 1));
    CHECK(near(tgi_recycled_cosine(a, c, 3), 0) && near(tgi_recycled_cosine(a, zero, 3), 0));
}

/* ---- spatten.h ---- */

static void test_spatten_scores(void)
{
    double scores[4] = {1, 0, 0, 0};
    const float rows[2][4] = {{.1f, .2f, .3f, .4f}, {.25f, .25f, .25f, .25f}};
    tgi_spatten_score_tokens(scores, rows[0], 4, 2, NULL, 4);
    CHECK(near(scores[0], 1.35) && near(scores[1], .45) && near(scores[3], .65));
    tgi_spatten_score_tokens(scores, rows[0], 4, 1, (const uint32_t[]){1, 3}, 2);
    CHECK(near(scores[0], 1.35) && near(scores[1], .55) && near(scores[3], .85));
    CHECK(near(tgi_spatten_score_head((const float[]){-1, 2, -.5f}, 3), 3.5));
}

static uint32_t alive_bits(const bool *alive, uint32_t n)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < n; i++)
        bits |= (uint32_t)alive[i] << i;
    return bits;
}

static void test_spatten_tokens(void)
{
    const double scores[6] = {.1, .5, .2, .5, .4, 0};
    float work[12];
    bool kept[6], alive[6];
    memset(alive, true, sizeof alive);
    CHECK(tgi_spatten_prune_tokens(scores, 6, 6, 1, 1, work, kept, alive) == 6, "all");
    CHECK(alive_bits(alive, 6) == 0x3f);
    CHECK(tgi_spatten_prune_tokens(scores, 6, 4, 1, 1, work, kept, alive) == 4);
    CHECK(alive_bits(alive, 6) == 0x2b, "the first, the last, and the two of 0.5");
    CHECK(tgi_spatten_prune_tokens(scores, 6, 3, 1, 1, work, kept, alive) == 3);
    CHECK(alive_bits(alive, 6) == 0x23, "of equal scores the first");
    CHECK(tgi_spatten_prune_tokens(scores, 6, 0, 1, 1, work, kept, alive) == 2);
    CHECK(alive_bits(alive, 6) == 0x21, "what must stay stays");
    memset(alive, true, sizeof alive);
    CHECK(tgi_spatten_prune_tokens(scores, 6, 2, 0, 1, work, kept, alive) == 2);
    CHECK(alive_bits(alive, 6) == 0x22, "without the first token");
    memset(alive, true, sizeof alive);
    CHECK(tgi_spatten_prune_tokens(scores, 6, 4, 1, 2, work, kept, alive) == 4);
    CHECK(alive_bits(alive, 6) == 0x33, "the last two stay, and 0.5");
    memset(alive, true, sizeof alive);
    CHECK(tgi_spatten_prune_tokens(scores, 1, 0, 4, 1, work, kept, alive) == 1, "the only token");

    /* a cascade over layers: each set is a part of the one before, with the right count */
    test_random r = {3};
    double random_scores[MAX_N];
    bool now[MAX_N], before[MAX_N], work_kept[MAX_N];
    float memory[2 * MAX_N];
    for (int round = 0; round < 50; round++) {
        const uint32_t n = 8 + random_u32(&r) % (MAX_N - 8);
        for (uint32_t i = 0; i < n; i++)
            random_scores[i] = random_unit(&r);
        memset(now, true, n);
        for (int layer = 1; layer <= 6; layer++) {
            const uint32_t count = tgi_kept_count(n, 1 - layer * .15);
            memcpy(before, now, n);
            for (uint32_t i = 0; i < n; i++) /* importance goes on growing between the layers */
                random_scores[i] += now[i] ? random_unit(&r) : 0;
            const uint32_t n_alive =
                tgi_spatten_prune_tokens(random_scores, n, count, 4, 1, memory, work_kept, now);
            uint32_t found = 0;
            double least = 1e9, most_pruned = 0;
            for (uint32_t i = 0; i < n; i++) {
                found += now[i];
                CHECK(!now[i] || before[i], "token %u is alive again in layer %d", i, layer);
                if (now[i] && i >= 4 && i + 1 < n)
                    least = fmin(least, (float)random_scores[i]);
                else if (before[i] && !now[i])
                    most_pruned = fmax(most_pruned, (float)random_scores[i]);
            }
            CHECK(found == n_alive && found == (count > 5 ? count : 5), "%u of %u", found, n);
            CHECK(now[0] && now[3] && now[n - 1] && least >= most_pruned);
        }
    }
}

static void test_spatten_heads(void)
{
    const double scores[8] = {5, 1, 2, 2, 0, 9, 3, 1};
    float work[16];
    bool kept[8], alive[8];
    memset(alive, true, sizeof alive);
    CHECK(tgi_spatten_prune_heads(scores, 8, 1, 8, work, kept, alive) == 8);
    CHECK(tgi_spatten_prune_heads(scores, 8, 1, 5, work, kept, alive) == 5);
    CHECK(alive_bits(alive, 8) == 0x6d, "5, 2, 2, 9 and 3");
    CHECK(tgi_spatten_prune_heads(scores, 8, 1, 3, work, kept, alive) == 3);
    CHECK(alive_bits(alive, 8) == 0x61);
    CHECK(tgi_spatten_prune_heads(scores, 8, 1, 0, work, kept, alive) == 1, "one head stays");
    CHECK(alive_bits(alive, 8) == 0x20);
    /* heads that share keys: sums 6, 4, 9, 4 of whole groups; 5 heads are two groups */
    memset(alive, true, sizeof alive);
    CHECK(tgi_spatten_prune_heads(scores, 8, 2, 7, work, kept, alive) == 6);
    CHECK(alive_bits(alive, 8) == 0x3f, "of equal groups the first");
    CHECK(tgi_spatten_prune_heads(scores, 8, 2, 5, work, kept, alive) == 4);
    CHECK(alive_bits(alive, 8) == 0x33);
    CHECK(tgi_spatten_prune_heads(scores, 8, 2, 8, work, kept, alive) == 4, "none comes back");
}

static void test_spatten_values(void)
{
    float row[5] = {.1f, .3f, .3f, .2f, .1f}, work[5], high[4];
    bool kept[5];
    tgi_spatten_prune_values(row, 5, 5, work, kept);
    CHECK(row[0] == .1f && row[4] == .1f);
    tgi_spatten_prune_values(row, 5, 4, work, kept);
    CHECK(row[0] == .1f && row[4] == 0, "of equal weights the first, and no new sum");
    tgi_spatten_prune_values(row, 5, 1, work, kept);
    CHECK(row[1] == .3f && row[2] == 0 && row[0] == 0 && row[3] == 0);

    /* 3 bits: multiples of max / 3 */
    tgi_spatten_high_bits((const float[]){3, -1.4f, .4f, 1.6f}, 4, 3, high);
    CHECK(high[0] == 3 && high[1] == -1 && high[2] == 0 && high[3] == 2);
    tgi_spatten_high_bits((const float[]){0, 0}, 2, 6, high);
    CHECK(high[0] == 0 && high[1] == 0);
    test_random r = {11};
    float key[64], rounded[64];
    for (uint32_t bits = 2; bits <= 12; bits++) {
        float max = 0;
        for (int i = 0; i < 64; i++) {
            key[i] = random_gauss(&r);
            max = fmaxf(max, fabsf(key[i]));
        }
        tgi_spatten_high_bits(key, 64, bits, rounded);
        const double step = (double)max / ((1 << (bits - 1)) - 1);
        for (int i = 0; i < 64; i++)
            CHECK(fabs(rounded[i] - key[i]) <= step * .5001, "%u bits", bits);
    }
    CHECK(tgi_spatten_needs_low_bits((const float[]){.04f, .03f}, 2, .05));
    CHECK(!tgi_spatten_needs_low_bits((const float[]){.04f, .06f}, 2, .05));
    CHECK(!tgi_spatten_needs_low_bits((const float[]){.5f, .5f}, 2, .5), "at tau: the high bits");
    CHECK(tgi_spatten_needs_low_bits((const float[]){1, 0}, 2, 1), "tau 1: always");
}

/* ---- act.h ---- */

static const float toy[4][4] = {{1}, {.7f, .3f}, {.5f, .4f, .1f}, {.4f, .45f, .05f, .1f}};

static void test_act_toy(void)
{
    double sums[4] = {0};
    uint32_t counts[4];
    for (uint32_t i = 0; i < 4; i++)
        tgi_act_add_row(sums, toy[i], 0, i + 1);
    tgi_act_count_rows(counts, 4, 0);
    const double means[4] = {.65, 1.15 / 3, .075, .1};
    for (int j = 0; j < 4; j++)
        CHECK(near(sums[j] / counts[j], means[j]) && counts[j] == 4u - (uint32_t)j);
    bool is_sink[4];
    for (int i = 0; i < 2; i++) {
        CHECK(tgi_act_find_sinks(sums, counts, 4, i ? .1 : .2, is_sink) == 1);
        CHECK(!is_sink[0] && is_sink[1] && !is_sink[2] && !is_sink[3], "0.1 is not above 0.1");
    }
    const double expected[4][4] = {
        {1}, {.88, .12}, {.7, .16, .14}, {.596363636, .18, .074545454, .149090909}};
    for (uint32_t i = 0; i < 4; i++) {
        float row[4];
        memcpy(row, toy[i], sizeof row);
        CHECK(tgi_act_calibrate(row, i + 1, is_sink, .4) == (i > 0));
        double sum = 0;
        for (uint32_t j = 0; j <= i; j++) {
            CHECK(near(row[j], expected[i][j]), "row %u, key %u: %f", i, j, row[j]);
            sum += row[j];
        }
        CHECK(near(sum, 1));
        memcpy(row, toy[i], sizeof row);
        CHECK(!tgi_act_calibrate(row, i + 1, is_sink, 1) && !memcmp(row, toy[i], sizeof row),
              "beta 1 changes no bit");
    }
}

static void test_act_edges(void)
{
    const bool both[3] = {true, true, false}, none[3] = {false};
    float row[3] = {.25f, .75f, 0};
    CHECK(!tgi_act_calibrate(row, 2, both, .4), "all weight on sinks: the row stays");
    CHECK(row[0] == .25f && row[1] == .75f);
    CHECK(!tgi_act_calibrate(row, 3, both, .4), "the only other key has no weight to scale");
    CHECK(!tgi_act_calibrate(row, 3, none, .4), "no sinks");
    CHECK(!tgi_act_calibrate(row, 1, both, .4), "a row of one key");
    float zero_beta[3] = {.5f, .25f, .25f};
    CHECK(tgi_act_calibrate(zero_beta, 3, (const bool[]){false, true, false}, 0));
    CHECK(near(zero_beta[0], 2. / 3) && zero_beta[1] == 0 && near(zero_beta[2], 1. / 3));

    /* the first one above theta is left alone, even when it is not token 0 */
    bool is_sink[4];
    const double sums[4] = {.1, .9, .9, .2};
    const uint32_t counts[4] = {2, 2, 2, 0};
    CHECK(tgi_act_find_sinks(sums, counts, 4, .3, is_sink) == 1);
    CHECK(!is_sink[0] && !is_sink[1] && is_sink[2] && !is_sink[3], "no query has seen key 3");
    CHECK(tgi_act_find_sinks(sums, counts, 4, .5, is_sink) == 0 && !is_sink[2]);

    /* a window: a column's mean is over the queries that can see it */
    double window_sums[3] = {0};
    uint32_t window_counts[3];
    tgi_act_add_row(window_sums, (const float[]){1}, 0, 1);
    tgi_act_add_row(window_sums, (const float[]){.5f, .5f}, 0, 2);
    tgi_act_add_row(window_sums, (const float[]){0, .75f, .25f}, 1, 3);
    tgi_act_count_rows(window_counts, 3, 2);
    CHECK(window_counts[0] == 2 && window_counts[1] == 2 && window_counts[2] == 1);
    CHECK(near(window_sums[0] / window_counts[0], .75));
    CHECK(near(window_sums[1] / window_counts[1], .625));
}

static const tg_test tests[] = {
    {"keep", "the largest values equal those that counting finds, ties in order", test_keep},
    {"keep_counts", "counts of ratios are those of exact fractions", test_counts},
    {"recycled_sets", "groups, choice, drop and overlap of keys", test_recycled_sets},
    {"recycled_schedule", "fixed and dynamic schedules, cosines", test_recycled_schedule},
    {"spatten_scores", "importance of tokens and heads", test_spatten_scores},
    {"spatten_tokens", "cascades of tokens are nested and keep what must stay",
     test_spatten_tokens},
    {"spatten_heads", "cascades of heads, alone and in groups", test_spatten_heads},
    {"spatten_values", "pruned values, high bits and low bits", test_spatten_values},
    {"act_toy", "the specification's toy: means, sinks, calibrated rows", test_act_toy},
    {"act_edges", "rows without a change, the first sink, windows", test_act_edges},
};

TEST_MAIN(tests)
