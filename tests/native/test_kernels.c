/* Tests every row of kernels.def against the scalar row of its kind and type, on random and extreme
 * data, and against itself with other batch sizes. All are tested against double arithmetic, too; a
 * native build has only the scalar rows. Runs natively and in wasm. */
#include "../../src/kernels/kernels.h"
#include "../../src/quant/blocks.h"
#include "quant_reference.h"
#include "random.h"
#include "test.h"

#include <stdlib.h>

static test_random r = {5};

/* |a - b| / scale; 0 if the bits are the same, infinite if only one is a number. */
static double difference(float a, float b, double scale)
{
    if (!memcmp(&a, &b, 4) || (isnan(a) && isnan(b)))
        return 0;
    return isnan(a) || isnan(b) ? INFINITY : fabs((double)a - b) / (scale > 0 ? scale : 1);
}

/* ---- matmul ---- */

#define MAX_TOKENS 9

static void check_matmul(const char *name, tg_quant type, tg_matmul_fn *fn, tg_matmul_fn *scalar,
                         double tolerance)
{
    const tg_quant_row *row = &tg_quants[type];
    const size_t block = row->block;
    for (int round = 0; round < 40; round++) {
        const size_t strips = 1 + random_u32(&r) % 5, n_tokens = 1 + random_u32(&r) % MAX_TOKENS;
        const size_t n_blocks = block == 1 ? 1 + random_u32(&r) % 130 : 1 + random_u32(&r) % 9,
                     cols = n_blocks * block;
        const size_t rows = strips * TG_TILE_ROWS, y_stride = rows + 8;
        uint8_t *file = malloc(n_blocks * row->bytes),
                *tiles = malloc(strips * n_blocks * tgi_quant_tile_bytes(row));
        /* the types with one min in a block multiply the min with the activations' block_sum */
        const bool has_min = row->mins == 1;
        const int min_offset = scales_of(type).m;
        float *m = calloc(rows * n_blocks, sizeof *m), *w = malloc(rows * cols * sizeof *w),
              *x = malloc(n_tokens * cols * sizeof *x);
        float *y = malloc(n_tokens * y_stride * sizeof *y),
              *expected = malloc(n_tokens * y_stride * sizeof *y), one[64];
        tg_act_q8 *act = malloc(n_tokens * (cols / 32 + 1) * sizeof *act);
        const void *input = x;
        size_t stride = cols * sizeof *x;
        for (size_t k = 0; k < rows; k++) {
            for (size_t i = 0; i < n_blocks * row->bytes; i++)
                file[i] = (uint8_t)random_u32(&r);
            /* scales and floats in a normal range, and sometimes extreme codes */
            for (size_t b = 0; b < n_blocks; b++) {
                uint8_t *at = file + b * row->bytes;
                if (block > 1 && round % 4 == 3)
                    memset(at, random_u32(&r) % 2 ? 0x80 : 0x7f, row->bytes);
                set_scale(type, at, random_gauss(&r) * (block > 1 ? 0.01f : 1));
                if (has_min)
                    m[k * n_blocks + b] =
                        tgi_half_to_float((uint16_t)(at[min_offset] | at[min_offset + 1] << 8));
            }
            row->repack(file, n_blocks, (int)(k % TG_TILE_ROWS),
                        tiles + k / TG_TILE_ROWS * n_blocks * tgi_quant_tile_bytes(row));
            row->dequantize(file, n_blocks, w + k * cols);
        }
        for (size_t i = 0; i < n_tokens * cols; i++)
            x[i] = round % 4 == 3 ? (random_u32(&r) % 2 ? 1.0f : -1.0f) : random_gauss(&r);
        if (row->activation == TG_ACT_Q8) {
            tgi_quantize_q8__scalar(x, n_tokens * cols, act);
            input = act;
            stride = cols / 32 * sizeof *act;
        }
        memset(y, 0x55, n_tokens * y_stride * sizeof *y);
        fn(tiles, n_blocks, 0, strips, input, stride, n_tokens, y, y_stride);
        scalar(tiles, n_blocks, 0, strips, input, stride, n_tokens, expected, y_stride);
        for (size_t t = 0; t < n_tokens; t++)
            for (size_t k = 0; k < rows; k++) {
                double truth = 0, scale = 0;
                for (size_t i = 0; i < cols; i++) {
                    const double xi = row->activation == TG_ACT_Q8
                                          ? (double)act[(t * cols + i) / 32].d *
                                                act[(t * cols + i) / 32].q[i % 32]
                                          : (double)x[t * cols + i];
                    truth += w[k * cols + i] * xi;
                    scale += fabs(w[k * cols + i] * xi);
                    if (has_min) {
                        const float mi = m[k * n_blocks + i / 32];
                        truth += mi * (i % 32 ? -xi : act[(t * cols + i) / 32].block_sum - xi);
                        scale += fabs(mi * xi);
                    }
                }
                const float got = y[t * y_stride + k];
                CHECK(difference(got, expected[t * y_stride + k], scale) <= tolerance,
                      "%s: %zu columns, token %zu, row %zu: %.9g, scalar %.9g", name, cols, t, k,
                      got, expected[t * y_stride + k]);
                CHECK(fabs(got - truth) <= 2e-6 * scale,
                      "%s: %zu columns, token %zu, row %zu: %.9g, truth %.9g", name, cols, t, k,
                      got, truth);
            }
        uint32_t untouched;
        memcpy(&untouched, y + rows, 4);
        CHECK(untouched == 0x55555555, "%s writes past its rows", name);
        /* alone, and strip by strip, a token's results are the same bits */
        const size_t t = random_u32(&r) % n_tokens;
        for (size_t s = 0; s < strips; s++)
            fn(tiles, n_blocks, s, s + 1, (const uint8_t *)input + t * stride, stride, 1, one,
               y_stride);
        CHECK(!memcmp(one, y + t * y_stride, rows * sizeof *one),
              "%s: a token alone differs from the same in a batch of %zu", name, n_tokens);
        free(file), free(tiles), free(m), free(w), free(x), free(y), free(expected), free(act);
        if (test_failures > 5)
            return;
    }
}

/* ---- vectors ---- */

/* Checks that `got` is `exact` rounded to nearest in 11 bits: no other multiple of its last place
 * is nearer. */
static void check_eleven_bits(const char *name, float got, float exact)
{
    int exponent;
    frexpf(exact, &exponent);
    const double unit = ldexp(1, exponent - 11), units = exact / unit;
    double nearest = floor(units + 0.5);
    if (nearest - units == 0.5 && fmod(nearest, 2) != 0)
        nearest--;
    CHECK(got == nearest * unit, "%s: %a in 11 bits became %a", name, exact, got);
}

static void check_quantize(const char *name, tg_quantize_fn *fn, tg_quantize_fn *scalar)
{
    for (int round = 0; round < 3000; round++) {
        float x[96];
        tg_act_q8 got[3], expected[3];
        const float size = ldexpf(1, (int)(random_u32(&r) % 60) - 40);
        for (int i = 0; i < 96; i++)
            x[i] = round % 5 == 0   ? 0
                   : round % 5 == 1 ? (float)((int)(random_u32(&r) % 255) - 127) * 0.5f
                                    : random_gauss(&r) * size;
        if (round % 5 == 0 && round % 2)
            x[40] = round % 3 ? INFINITY : NAN;
        if (round % 5 == 4)
            x[3] = 1e-38f, x[35] = 3e38f;
        fn(x, 96, got);
        scalar(x, 96, expected);
        for (int b = 0; b < 3; b++) {
            CHECK(!memcmp(got[b].q, expected[b].q, 32) && !memcmp(got[b].u, expected[b].u, 32),
                  "%s: codes differ in round %d", name, round);
            CHECK(difference(got[b].d, expected[b].d, 1) == 0, "%s: scale %g, scalar %g", name,
                  got[b].d, expected[b].d);
            float max = 0;
            int all = 0;
            for (int i = 0; i < 32; i++) {
                max = fmaxf(max, fabsf(x[32 * b + i]));
                all += got[b].q[i];
            }
            if (isfinite(got[b].d) && got[b].d > 0) {
                check_eleven_bits(name, got[b].d, max / 127);
                check_eleven_bits(name, got[b].block_sum, max / 127 * (float)all);
            }
            for (int k = 0; k < 3; k++) { /* the first half, the last, all */
                int part = 0;
                for (int i = k == 1 ? 16 : 0; i < (k == 0 ? 16 : 32); i++)
                    part += got[b].q[i];
                CHECK(got[b].neg_sums[k] == (float)-part &&
                          difference(got[b].sums[k], got[b].d * (float)part, 1) == 0,
                      "%s: part %d adds up to %d", name, k, part);
            }
            for (int i = 0; i < 32 && isfinite(got[b].d); i++)
                CHECK(fabs(x[32 * b + i] - (double)got[b].q[i] * got[b].d) <=
                          max / 127 * 0.5001 + max * 0x1p-11 + 1e-30,
                      "%s: %g became %d x %g", name, x[32 * b + i], got[b].q[i], got[b].d);
        }
        if (round % 5 == 0 && round % 2)
            CHECK(isnan(got[1].d), "%s: a block that is not finite gets d = NaN", name);
    }
}

static void check_rmsnorm(const char *name, tg_rmsnorm_fn *fn, tg_rmsnorm_fn *scalar,
                          double tolerance)
{
    for (int round = 0; round < 300; round++) {
        float x[200], weight[200], got[200], expected[200];
        const size_t n = 1 + random_u32(&r) % 200;
        const float *w = round % 3 ? weight : NULL;
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = random_gauss(&r) * 3;
            weight[i] = random_gauss(&r);
            sum += (double)x[i] * x[i];
        }
        fn(x, w, 1e-5f, n, got);
        scalar(x, w, 1e-5f, n, expected);
        for (size_t i = 0; i < n; i++) {
            CHECK(difference(got[i], expected[i], fabs(expected[i])) <= tolerance,
                  "%s: n %zu, element %zu", name, n, i);
            const double truth = x[i] / sqrt(sum / (double)n + 1e-5) * (w ? weight[i] : 1);
            CHECK(fabs(got[i] - truth) <= 1e-6 * fabs(truth) + 1e-9, "%s: %g, truth %g", name,
                  got[i], truth);
        }
    }
}

static void check_layernorm(const char *name, tg_layernorm_fn *fn, tg_layernorm_fn *scalar,
                            double tolerance)
{
    for (int round = 0; round < 300; round++) {
        float x[200], weight[200], bias[200], got[200], expected[200];
        const size_t n = 1 + random_u32(&r) % 200;
        const float *w = round % 3 ? weight : NULL, *b = round % 2 ? bias : NULL;
        double mean = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = random_gauss(&r) * 3 + (float)(round % 5);
            weight[i] = random_gauss(&r);
            bias[i] = random_gauss(&r);
            mean += x[i] / (double)n;
        }
        for (size_t i = 0; i < n; i++)
            squares += (x[i] - mean) * (x[i] - mean);
        fn(x, w, b, 1e-5f, n, got);
        scalar(x, w, b, 1e-5f, n, expected);
        for (size_t i = 0; i < n; i++) {
            CHECK(difference(got[i], expected[i], fabs(expected[i])) <= tolerance,
                  "%s: n %zu, element %zu", name, n, i);
            const double scale = 1 / sqrt(squares / (double)n + 1e-5);
            const double truth = (x[i] - mean) * scale * (w ? weight[i] : 1) + (b ? bias[i] : 0);
            /* a mean in floats is off by some of its last bits */
            const double size = (fabs(x[i]) + fabs(mean)) * scale * (w ? fabs(weight[i]) : 1) +
                                (b ? fabs(bias[i]) : 0);
            CHECK(fabs(got[i] - truth) <= 2e-6 * size + 1e-9, "%s: %g, truth %g", name, got[i],
                  truth);
        }
    }
}

/* A gated activation, with and without `up`; truth_of: the activation function. */
static void check_gated(const char *name, tg_swiglu_fn *fn, tg_swiglu_fn *scalar, double tolerance,
                        double (*truth_of)(double))
{
    for (int round = 0; round < 300; round++) {
        float gate[70], up[70], got[70], expected[70];
        const size_t n = 1 + random_u32(&r) % 70;
        const int gated = round % 4 != 0;
        for (size_t i = 0; i < n; i++) {
            gate[i] = got[i] = expected[i] = random_gauss(&r) * (round % 3 ? 4 : 60);
            up[i] = random_gauss(&r);
        }
        fn(got, gated ? up : NULL, n);
        scalar(expected, gated ? up : NULL, n);
        for (size_t i = 0; i < n; i++) {
            /* a result that is near the subnormal floats may become 0 */
            CHECK(fabs(expected[i]) < 1e-35 ||
                      difference(got[i], expected[i], fabs(expected[i])) <= tolerance,
                  "%s: n %zu, element %zu: %g, scalar %g", name, n, i, got[i], expected[i]);
            const double value = truth_of(gate[i]), truth = value * (gated ? up[i] : 1);
            /* a result of e^-k times its argument has the rounding error of k */
            const double k = value != 0 ? fmax(-log(value / gate[i]), 0) : 100;
            CHECK(fabs(got[i] - truth) <= (1e-6 + 2e-7 * k) * fabs(truth) + 1e-30,
                  "%s of %g: %g, truth %g", name, gate[i], got[i], truth);
        }
    }
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double gelu(double x)
{
    return x / (1 + exp(-2 * sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

static void check_softmax(const char *name, tg_softmax_fn *fn, tg_softmax_fn *scalar,
                          double tolerance)
{
    enum { QUERIES = 5 };
    for (int round = 0; round < 500; round++) {
        float scores[QUERIES * TG_KEY_GROUP], got[QUERIES * TG_KEY_GROUP],
            expected[QUERIES * TG_KEY_GROUP];
        float before[QUERIES], max[QUERIES], max_expected[QUERIES], sums[QUERIES],
            sums_expected[QUERIES];
        const size_t n = round % 3 ? 1 + random_u32(&r) % TG_KEY_GROUP : TG_KEY_GROUP,
                     n_queries = 1 + random_u32(&r) % QUERIES;
        for (size_t i = 0; i < QUERIES * TG_KEY_GROUP; i++) /* scores past n may be anything */
            scores[i] = got[i] = expected[i] = i % TG_KEY_GROUP < n
                                                   ? random_gauss(&r) * (round % 7 ? 3 : 60)
                                               : round % 3 ? NAN
                                                           : INFINITY;
        for (size_t q = 0; q < n_queries; q++)
            before[q] = max[q] = max_expected[q] = round % 2 ? -INFINITY : random_gauss(&r) * 10;
        fn(got, n, n_queries, max, sums);
        scalar(expected, n, n_queries, max_expected, sums_expected);
        for (size_t q = 0; q < n_queries; q++) {
            const float *row = scores + q * TG_KEY_GROUP;
            double sum = 0, expected_max = before[q];
            for (size_t i = 0; i < n; i++)
                expected_max = fmax(expected_max, row[i]);
            CHECK(max[q] == expected_max, "%s: maximum %g, truth %g", name, max[q], expected_max);
            CHECK(max[q] == max_expected[q] &&
                      difference(sums[q], sums_expected[q], sums_expected[q]) <= tolerance,
                  "%s: maximum %g and sum %g, scalar %g and %g", name, max[q], sums[q],
                  max_expected[q], sums_expected[q]);
            for (size_t i = 0; i < TG_KEY_GROUP; i++) {
                const double truth = i < n ? exp2((double)(row[i] - max[q]))
                                           : 0; /* the difference rounds to a float */
                const float value = got[q * TG_KEY_GROUP + i];
                sum += truth;
                CHECK(difference(value, expected[q * TG_KEY_GROUP + i], 1) <= tolerance,
                      "%s: n %zu, key %zu", name, n, i);
                CHECK(fabs(value - truth) <= 5e-7 * truth + 1e-37, "%s: %g, truth %g", name, value,
                      truth);
            }
            CHECK(fabs(sums[q] - sum) <= 1e-6 * sum + 1e-35, "%s: sum %g, truth %g", name, sums[q],
                  sum);
        }
    }
}

static void check_values(const char *name, const char *type, tg_values_fn *fn, tg_values_fn *scalar,
                         double tolerance)
{
    enum { MOST = 160, QUERIES = 7 };
    static float truth[MOST * TG_KEY_GROUP], got[QUERIES * MOST], expected[QUERIES * MOST],
        start[QUERIES * MOST];
    static float p[QUERIES * TG_KEY_GROUP];
    static uint16_t halves[MOST * TG_KEY_GROUP];
    static tg_value_q8 blocks[MOST / 32 * TG_KEY_GROUP];
    const int half = !strcmp(type, "f16"), coded = !strcmp(type, "q8_0");
    for (int round = 0; round < 100; round++) {
        const size_t head_dim = coded ? 32 * (1 + random_u32(&r) % 5) : 1 + random_u32(&r) % MOST;
        const size_t n = 1 + random_u32(&r) % TG_KEY_GROUP,
                     n_queries = 1 + random_u32(&r) % QUERIES;
        for (size_t i = 0; i < head_dim * TG_KEY_GROUP; i++) {
            truth[i] = random_gauss(&r);
            halves[i] = tgi_float_to_half(truth[i]);
            if (half)
                truth[i] = tgi_half_to_float(halves[i]);
            if (coded) {
                if (i % 32 == 0)
                    blocks[i / 32].d = random_gauss(&r) * 0.01f;
                blocks[i / 32].q[i % 32] = (int8_t)(random_u32(&r) % 255 - 127);
                truth[i] = blocks[i / 32].d * blocks[i / 32].q[i % 32];
            }
        }
        if (round % 5 == 4) { /* a position whose values are no numbers */
            const size_t i = random_u32(&r) % (n * head_dim);
            halves[i] = tgi_float_to_half(NAN);
            blocks[i / 32].d = coded ? NAN : 0;
            for (size_t k = coded ? i / 32 * 32 : i; k < (coded ? i / 32 * 32 + 32 : i + 1); k++)
                truth[k] = NAN;
        }
        for (size_t i = 0; i < n_queries * head_dim; i++)
            start[i] = got[i] = expected[i] = random_gauss(&r);
        for (size_t j = 0; j < n_queries * TG_KEY_GROUP; j++)
            p[j] = (float)random_unit(&r);
        const void *page = half ? (const void *)halves : coded ? (const void *)blocks : truth;
        fn(page, n, p, n_queries, head_dim, got);
        scalar(page, n, p, n_queries, head_dim, expected);
        for (size_t q = 0; q < n_queries; q++)
            for (size_t i = 0; i < head_dim; i++) {
                const size_t at = q * head_dim + i;
                double sum = start[at], scale = fabs(start[at]);
                for (size_t j = 0; j < n; j++) {
                    sum += (double)p[q * TG_KEY_GROUP + j] * truth[j * head_dim + i];
                    scale += fabs((double)p[q * TG_KEY_GROUP + j] * truth[j * head_dim + i]);
                }
                CHECK(difference(got[at], expected[at], scale) <= tolerance,
                      "%s: head of %zu, query %zu, element %zu", name, head_dim, q, i);
                CHECK(isnan(sum) ? isnan(got[at]) : fabs(got[at] - sum) <= 1e-5 * scale,
                      "%s: %g, truth %g", name, got[at], sum);
            }
        /* alone, a query's results are the same bits */
        const size_t q = random_u32(&r) % n_queries;
        memcpy(expected, start + q * head_dim, head_dim * sizeof *start);
        fn(page, n, p + q * TG_KEY_GROUP, 1, head_dim, expected);
        CHECK(!memcmp(expected, got + q * head_dim, head_dim * sizeof *got),
              "%s: query %zu of %zu differs when it is alone", name, q, n_queries);
    }
}

static void check_delta(const char *name, tg_delta_fn *fn, tg_delta_fn *scalar)
{
    enum { MOST = 48 };
    static float start[MOST * MOST], got[MOST * MOST], expected[MOST * MOST];
    float q[MOST], k[MOST], v[MOST], out[MOST], out_expected[MOST];
    for (int round = 0; round < 100; round++) {
        const size_t n = 4 * (1 + random_u32(&r) % (MOST / 4));
        const float decay = (float)random_unit(&r), beta = (float)random_unit(&r);
        for (size_t i = 0; i < n * n; i++)
            start[i] = got[i] = expected[i] = random_gauss(&r);
        for (size_t i = 0; i < n; i++) {
            q[i] = random_gauss(&r);
            k[i] = random_gauss(&r) / sqrtf((float)n);
            v[i] = random_gauss(&r);
        }
        fn(got, q, k, v, decay, beta, n, out);
        scalar(expected, q, k, v, decay, beta, n, out_expected);
        CHECK(!memcmp(got, expected, n * n * sizeof *got) &&
                  !memcmp(out, out_expected, n * sizeof *out),
              "%s: width %zu", name, n);
        for (size_t j = 0; j < n; j++) {
            double mapped = 0, expected_out = 0, scale = 0;
            for (size_t i = 0; i < n; i++)
                mapped += (double)start[i * n + j] * decay * k[i];
            for (size_t i = 0; i < n; i++) {
                const double truth =
                    (double)start[i * n + j] * decay + k[i] * ((v[j] - mapped) * beta);
                expected_out += truth * q[i];
                scale += fabs(truth * q[i]);
                CHECK(fabs(got[i * n + j] - truth) <= 1e-5, "%s: state %g, truth %g", name,
                      got[i * n + j], truth);
            }
            CHECK(fabs(out[j] - expected_out) <= 1e-5 * (1 + scale), "%s: %g, truth %g", name,
                  out[j], expected_out);
        }
    }
}

/* One function for each kind: name, the function of the row and the scalar one, its type as text,
 * its tolerance. */
#define RUN_quantize(name, type, fn, scalar, tolerance) check_quantize(name, fn, scalar)
#define RUN_rmsnorm(name, type, fn, scalar, tolerance)  check_rmsnorm(name, fn, scalar, tolerance)
#define RUN_layernorm(name, type, fn, scalar, tolerance)                                           \
    check_layernorm(name, fn, scalar, tolerance)
#define RUN_swiglu(name, type, fn, scalar, tolerance)  check_gated(name, fn, scalar, tolerance, silu)
#define RUN_geglu(name, type, fn, scalar, tolerance)   check_gated(name, fn, scalar, tolerance, gelu)
#define RUN_softmax(name, type, fn, scalar, tolerance) check_softmax(name, fn, scalar, tolerance)
#define RUN_values(name, type, fn, scalar, tolerance)                                              \
    check_values(name, type, fn, scalar, tolerance)
#define RUN_delta(name, type, fn, scalar, tolerance) check_delta(name, fn, scalar)
#define RUN_matmul(name, type, fn, scalar, tolerance)                                              \
    check_matmul(name, quant_of(type), fn, scalar, tolerance)

static tg_quant quant_of(const char *suffix)
{
#define TG_PACKED(NAME, suffix_, dot, ...) TG_QUANT(NAME, suffix_)
#define TG_QUANT(NAME, suffix_, ...)                                                               \
    if (!strcmp(suffix, #suffix_))                                                                 \
        return TG_QUANT_##NAME;
#include "../../src/quant/quant.def"
#undef TG_QUANT
#undef TG_PACKED
    return TG_QUANT_COUNT;
}

#define TG_KERNEL(kind, type, variant, tolerance)                                                  \
    static void run_##kind##_##type##__##variant(void)                                             \
    {                                                                                              \
        if (tgi_kernel_runs(#variant))                                                             \
            RUN_##kind(#kind "_" #type "__" #variant, #type, tgi_##kind##_##type##__##variant,     \
                       tgi_##kind##_##type##__scalar, tolerance);                                  \
        else                                                                                       \
            SKIP("this processor's dot product is another");                                       \
    }
#include "../../src/kernels/kernels.def"
#undef TG_KERNEL

static void selection(void)
{
    tg_kernels kernels;
    tgi_kernels_select(&kernels);
#define TG_KERNEL(kind, type, variant, tolerance)                                                  \
    CHECK(kernels.kind##_##type, #kind "_" #type " has a kernel");
#include "../../src/kernels/kernels.def"
#undef TG_KERNEL
    for (int type = 0; type < TG_QUANT_COUNT; type++)
        CHECK(tgi_kernels_matmul(&kernels, (tg_quant)type), "%s has a product",
              tg_quants[type].name);
    printf("    variant %s\n", kernels.variant);
}

static const tg_test tests[] = {
    {"kernels-selection", "every kind and weight type has a kernel", selection},
#define TG_KERNEL(kind, type, variant, tolerance)                                                  \
    {#kind "_" #type "__" #variant, "within " #tolerance " of the scalar reference",               \
     run_##kind##_##type##__##variant},
#include "../../src/kernels/kernels.def"
#undef TG_KERNEL
};
TEST_MAIN(tests)
