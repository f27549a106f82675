/* A microbenchmark of every kernel of this build, and of the limits of the machine. The argument is
 * "limits", "memory" (reading memory, for programs that are started together) or a part of a
 * kernel's name; without one, everything runs. Prints one JSON object a line: {"kind", "type",
 * "variant", "shape", "rate", "unit", "gbs"}, and for a matmul: "limit", the shape of the limit of
 * its multiplications ("" for scalar), "from_memory", whether its weights come from memory, and
 * "chosen", whether this build runs this variant on this CPU. Each figure is the best of several
 * rounds, because other programs can only make a round slower. */
#include "../../src/kernels/kernels.h"
#include "../../src/kernels/simd.h"
#include "../native/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wasm_simd128.h>

#define ROUNDS      7
#define ROUND_TIME  0.02 /* minimum seconds of a round */
#define WARM_TIME   0.15
#define SHARED_TIME 3.0                 /* seconds */
#define MEMORY      ((size_t)160 << 20) /* bytes: more than the caches hold */
#define HEAD        64                  /* elements of an attention head */
#define COLS        576 /* of the matrices: rows of a 135M model, and of a 115M model */
#define LONG_COLS   768 /* for types with blocks of 256 */

static test_random random_state = {7};
static volatile float sink;

static double seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The shortest time of work(context) in ROUNDS rounds. It is called through a volatile
 * pointer: a kernel that became part of main would stay in the code that a just-in-time compiler
 * made first, since main is entered once. */
static double best(void (*function)(void *), void *context)
{
    void (*volatile work)(void *) = function;
    double min = 1e9, start = seconds();
    long times = 0;
    do { /* until the just-in-time compiler has optimized it */
        work(context);
        times++;
    } while (seconds() - start < WARM_TIME);
    times = (long)((double)times * ROUND_TIME / WARM_TIME) + 1;
    for (int i = 0; i < ROUNDS; i++) {
        start = seconds();
        for (long k = 0; k < times; k++)
            work(context);
        const double each = (seconds() - start) / (double)times;
        if (each < min)
            min = each;
    }
    return min;
}

typedef struct row {
    const char *kind, *type, *variant, *shape;
    double rate; /* a second */
    const char *unit;
    double bytes; /* of weights, a second */
    const char *limit;
    bool from_memory, chosen;
} row;

static void report(row r)
{
    printf("{\"kind\": \"%s\", \"type\": \"%s\", \"variant\": \"%s\", \"shape\": \"%s\", \"rate\": "
           "%.2f, \"unit\": \"%s\", \"gbs\": %.2f",
           r.kind, r.type, r.variant, r.shape, r.rate / 1e9, r.unit, r.bytes / 1e9);
    if (r.limit)
        printf(", \"limit\": \"%s\", \"from_memory\": %s, \"chosen\": %s", r.limit,
               r.from_memory ? "true" : "false", r.chosen ? "true" : "false");
    printf("}\n");
    fflush(stdout);
}

static void report_limit(const char *variant, const char *name, double rate, const char *unit)
{
    report((row){.kind = "limit",
                 .type = "",
                 .variant = variant,
                 .shape = name,
                 .rate = rate,
                 .unit = unit});
}

static uint8_t *memory; /* MEMORY bytes */

/* Fills the memory with weights of a usual size, because subnormal numbers, for example, are slow.
 * In types with blocks, codes and scales get arbitrary values. */
static void fill(const char *type)
{
    enum { PATTERN = 1 << 20 };
    for (size_t i = 0; i < PATTERN / 4; i++) {
        const float weights[2] = {0.04f * random_gauss(&random_state),
                                  0.04f * random_gauss(&random_state)};
        const uint16_t halves[2] = {tgi_float_to_half(weights[0]), tgi_float_to_half(weights[1])};
        uint32_t bits[2];
        memcpy(bits, weights, sizeof bits);
        const uint16_t upper[2] = {(uint16_t)(bits[0] >> 16), (uint16_t)(bits[1] >> 16)};
        memcpy(memory + 4 * i,
               !strcmp(type, "f32")    ? (const void *)weights
               : !strcmp(type, "bf16") ? upper
                                       : halves,
               4);
    }
    for (size_t at = PATTERN; at < MEMORY; at += PATTERN)
        memcpy(memory + at, memory, PATTERN);
}

/* ---- limits ---- */

static void read_memory(void *context)
{
    v128_t sum[4] = {wasm_i32x4_const_splat(0)};
    (void)context;
    for (const uint8_t *at = memory, *end = memory + MEMORY; at < end; at += 64)
        for (int i = 0; i < 4; i++)
            sum[i] = wasm_v128_xor(sum[i], wasm_v128_load(at + 16 * i));
    sink = wasm_f32x4_extract_lane(
        wasm_v128_xor(wasm_v128_xor(sum[0], sum[1]), wasm_v128_xor(sum[2], sum[3])), 0);
}

#define STEPS 4096
/* STEPS times `chains` independent operations on vectors that lie in registers or the nearest
 * cache. How many chains keep the units busiest depends on latencies and on how many registers the
 * compiler finds: each is measured, and the highest rate is the limit. Where two instructions make
 * one operation, no two chains share a factor, or the compiler would multiply once for both. */
#define ARITHMETIC_OF(name, operation, factor, chains)                                             \
    static void name##_##chains(void *context)                                                     \
    {                                                                                              \
        v128_t sum[chains];                                                                        \
        const uint8_t *at = context;                                                               \
        for (int i = 0; i < chains; i++)                                                           \
            sum[i] = wasm_v128_load(at + 16 * i);                                                  \
        for (int k = 0; k < STEPS; k++) {                                                          \
            const v128_t a = wasm_v128_load(at + (k & 63) * 16);                                   \
            for (int i = 0; i < chains; i++)                                                       \
                sum[i] = operation(a, wasm_v128_load(at + 1024 + 16 * (factor)), sum[i]);          \
        }                                                                                          \
        for (int i = 1; i < chains; i++)                                                           \
            sum[0] = wasm_v128_xor(sum[0], sum[i]);                                                \
        sink = wasm_f32x4_extract_lane(sum[0], 0);                                                 \
    }
#define ARITHMETIC(name, operation, factor)                                                        \
    ARITHMETIC_OF(name, operation, factor, 6)                                                      \
    ARITHMETIC_OF(name, operation, factor, 8)                                                      \
    ARITHMETIC_OF(name, operation, factor, 10)                                                     \
    ARITHMETIC_OF(name, operation, factor, 12)                                                     \
    static void (*const name[])(void *) = {name##_6, name##_8, name##_10, name##_12};
static const int chains[] = {6, 8, 10, 12};
#define ADD_DOT_16(a, b, c) wasm_i32x4_add(c, wasm_i32x4_dot_i16x8(a, b))
#define MUL_ADD(a, b, c)    wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
ARITHMETIC(dots_16, ADD_DOT_16, i)
ARITHMETIC(multiply_adds, MUL_ADD, i)
#ifdef __wasm_relaxed_simd__
ARITHMETIC(dots_8, wasm_i32x4_relaxed_dot_i8x16_i7x16_add, i & 3)
ARITHMETIC(fused_multiply_adds, wasm_f32x4_relaxed_madd, i & 3)
#endif

/* Operations on vectors a second, by as many chains as are fastest. */
static double fastest(void (*const work[])(void *))
{
    double rate = 0;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        const double this_rate = (double)chains[i] * STEPS / best(work[i], memory);
        if (this_rate > rate)
            rate = this_rate;
    }
    return rate;
}

#ifdef __wasm_relaxed_simd__
/* The same for sums of 16 bits, as relaxed_pairs adds: four products of two bytes in each, then one
 * addition to sums of 32 bits. */
#define PAIR_STEPS 4
#define PAIRS_OF(chains)                                                                           \
    static void pairs_##chains(void *context)                                                      \
    {                                                                                              \
        v128_t sum[chains];                                                                        \
        const uint8_t *at = context;                                                               \
        const v128_t ones = TG_OPAQUE_I32(0x00010001);                                             \
        for (int i = 0; i < chains; i++)                                                           \
            sum[i] = wasm_v128_load(at + 16 * i);                                                  \
        for (int k = 0; k < STEPS; k += PAIR_STEPS) {                                              \
            v128_t a[PAIR_STEPS];                                                                  \
            for (int step = 0; step < PAIR_STEPS; step++)                                          \
                a[step] = wasm_v128_load(at + ((k + step) & 63) * 16);                             \
            for (int i = 0; i < chains; i++) {                                                     \
                v128_t pairs = wasm_i32x4_const_splat(0);                                          \
                for (int step = 0; step < PAIR_STEPS; step++)                                      \
                    pairs = wasm_i16x8_add(                                                        \
                        pairs, wasm_i16x8_relaxed_dot_i8x16_i7x16(                                 \
                                   a[step], wasm_v128_load(at + 1024 + 16 * (4 * i + step))));     \
                sum[i] = wasm_i32x4_add(sum[i], wasm_i32x4_dot_i16x8(pairs, ones));                \
            }                                                                                      \
        }                                                                                          \
        for (int i = 1; i < chains; i++)                                                           \
            sum[0] = wasm_v128_xor(sum[0], sum[i]);                                                \
        sink = wasm_f32x4_extract_lane(sum[0], 0);                                                 \
    }
PAIRS_OF(6)
PAIRS_OF(8)
PAIRS_OF(10)
PAIRS_OF(12)
static void (*const pairs[])(void *) = {pairs_6, pairs_8, pairs_10, pairs_12};
#endif

/* The names of the limits of multiplication. */
#define DOT_16    "16-bit dot"
#define MULTIPLY  "float multiply, add"
#define DOT_8     "8-bit dot"
#define DOT_PAIRS "8-bit dot of pairs"
#define FUSED     "float fused"

static void limits(void)
{
    report_limit("", "memory read", (double)MEMORY / best(read_memory, NULL), "GB/s");
    report_limit("simd128", DOT_16, 8 * fastest(dots_16), "GMAC/s");
    report_limit("simd128", MULTIPLY, 4 * fastest(multiply_adds), "GMAC/s");
#ifdef __wasm_relaxed_simd__
    report_limit("relaxed", DOT_8, 16 * fastest(dots_8), "GMAC/s");
    report_limit("relaxed_pairs", DOT_PAIRS, 16 * fastest(pairs), "GMAC/s");
    report_limit("relaxed", FUSED, 4 * fastest(fused_multiply_adds), "GMAC/s");
#endif
}

/* ---- matmul ---- */

/* By variant: the limit of multiplication with quantized activations, and with floats. A variant
 * that is not here does not compile. */
typedef struct multiply_limit {
    const char *dot, *floats;
} multiply_limit;

static const multiply_limit limit_scalar = {"", ""};
static const multiply_limit limit_simd128 = {DOT_16, MULTIPLY};
#ifdef __wasm_relaxed_simd__
static const multiply_limit limit_relaxed = {DOT_8, FUSED};
static const multiply_limit limit_relaxed_signed = {DOT_8, ""};
static const multiply_limit limit_relaxed_unsigned = {DOT_8, ""};
static const multiply_limit limit_relaxed_pairs = {DOT_PAIRS, ""};
#endif

typedef struct matmul_case {
    tg_matmul_fn *fn;
    size_t n_blocks, strips, stride, tokens;
    const void *x;
    float *y;
} matmul_case;

static void multiply(void *context)
{
    const matmul_case *p = context;
    p->fn(memory, p->n_blocks, 0, p->strips, p->x, p->stride, p->tokens, p->y,
          p->strips * TG_TILE_ROWS);
}

static void bench_matmul(const char *type, const char *variant, tg_quant quant, tg_matmul_fn *fn,
                         multiply_limit limit, bool chosen)
{
    static float x[64 * LONG_COLS];
    static tg_act_q8 act[64 * LONG_COLS / 32];
    const tg_quant_row *type_row = &tg_quants[quant];
    const size_t cols = type_row->block > 32 ? LONG_COLS : COLS,
                 strip = cols / type_row->block * tgi_quant_tile_bytes(type_row);
    const struct {
        const char *shape;
        size_t strips, tokens, cols;
    } shapes[] = {{"1 token, from memory", MEMORY / strip, 1, cols},
                  {"1 token, from cache", 48, 1, cols},
                  {"64 tokens", 384, 64, cols},
                  {"a page of keys, 3 queries", TG_KEY_GROUP / TG_TILE_ROWS, 3, HEAD},
                  {"a page of keys, 12 queries", TG_KEY_GROUP / TG_TILE_ROWS, 12, HEAD}};
    for (int i = 0; i < 64 * LONG_COLS; i++)
        x[i] = random_gauss(&random_state);
    tgi_quantize_q8__scalar(x, 64 * LONG_COLS, act);
    fill(type);
    float *y =
        malloc(MEMORY / strip * TG_TILE_ROWS * sizeof *y + 64 * 384 * TG_TILE_ROWS * sizeof *y);
    for (size_t i = 0; y && i < sizeof shapes / sizeof shapes[0]; i++) {
        const int quantized = type_row->activation == TG_ACT_Q8;
        if (shapes[i].cols % type_row->block) /* keys are not cached in this type */
            continue;
        matmul_case p = {fn,
                         shapes[i].cols / type_row->block,
                         shapes[i].strips,
                         quantized ? cols / 32 * sizeof *act : cols * sizeof *x,
                         shapes[i].tokens,
                         quantized ? (const void *)act : x,
                         y};
        if (!strcmp(variant, "scalar")) /* slow, and the same from everywhere */
            p.strips = 48;
        const double time = best(multiply, &p);
        const double rows = (double)(p.strips * TG_TILE_ROWS);
        report((row){.kind = "matmul",
                     .type = type,
                     .variant = variant,
                     .shape = shapes[i].shape,
                     .rate = rows * (double)(shapes[i].cols * p.tokens) / time,
                     .unit = "GMAC/s",
                     .bytes = rows / TG_TILE_ROWS * (double)strip * (double)shapes[i].cols /
                              (double)cols / time,
                     .limit = quantized ? limit.dot : limit.floats,
                     .from_memory = p.strips == MEMORY / strip,
                     .chosen = chosen});
    }
    free(y);
}

/* ---- vectors ---- */

#define DELTA           128  /* width of a head's state in Qwen 3.5 */
#define N               1536 /* the longest row of a 135M model */
#define SOFTMAX_QUERIES 12
#define QUERIES         3 /* that share a key-value head */

typedef struct vectors {
    tg_quantize_fn *quantize;
    tg_rmsnorm_fn *rmsnorm;
    tg_layernorm_fn *layernorm;
    tg_swiglu_fn *gated;
    tg_softmax_fn *softmax;
    tg_values_fn *values;
    tg_delta_fn *delta;
} vectors;

static float in[N], weight[N], out[N];
static tg_act_q8 codes[N / 32];

static void run_quantize(void *context)
{
    ((vectors *)context)->quantize(in, N, codes);
}

static void run_rmsnorm(void *context)
{
    ((vectors *)context)->rmsnorm(in, weight, 1e-5f, N, out);
}

static void run_layernorm(void *context)
{
    ((vectors *)context)->layernorm(in, weight, weight, 1e-5f, N, out);
}

static void run_gated(void *context) /* swiglu and geglu */
{
    memcpy(out, in, sizeof in);
    ((vectors *)context)->gated(out, weight, N);
}

static void run_softmax(void *context)
{
    float max[SOFTMAX_QUERIES] = {0}, sum[SOFTMAX_QUERIES];
    memcpy(out, in, SOFTMAX_QUERIES * TG_KEY_GROUP * sizeof *in);
    ((vectors *)context)->softmax(out, TG_KEY_GROUP, SOFTMAX_QUERIES, max, sum);
}

static void run_values(void *context)
{
    ((vectors *)context)->values(memory, TG_KEY_GROUP, weight, QUERIES, HEAD, out);
}

static void run_delta(void *context)
{
    ((vectors *)context)
        ->delta((float *)(void *)memory, in, in + DELTA, in + 2 * DELTA, 0.9f, 0.5f, DELTA, out);
}

static void bench_vector(const char *kind, const char *type, const char *variant,
                         void (*run)(void *), vectors kernels, size_t n)
{
    for (int i = 0; i < N; i++) {
        in[i] = random_gauss(&random_state);
        weight[i] = (float)random_unit(&random_state);
    }
    fill(type);
    report((row){.kind = kind,
                 .type = type,
                 .variant = variant,
                 .shape = n == N               ? "a row of 1536"
                          : n == DELTA * DELTA ? "a head of 128"
                          : n == TG_KEY_GROUP * SOFTMAX_QUERIES
                              ? "a page of 32, 12 queries"
                              : "32 positions, head of 64, 3 queries",
                 .rate = (double)n / best(run, &kernels),
                 .unit = "Gelement/s"});
}

#define RUN_matmul(type, variant, fn)                                                              \
    bench_matmul(#type, #variant, quant_of(#type), fn, limit_##variant, chosen.matmul_##type == fn)
#define RUN_quantize(type, variant, fn)                                                            \
    bench_vector("quantize", #type, #variant, run_quantize, (vectors){.quantize = fn}, N)
#define RUN_rmsnorm(type, variant, fn)                                                             \
    bench_vector("rmsnorm", #type, #variant, run_rmsnorm, (vectors){.rmsnorm = fn}, N)
#define RUN_layernorm(type, variant, fn)                                                           \
    bench_vector("layernorm", #type, #variant, run_layernorm, (vectors){.layernorm = fn}, N)
#define RUN_swiglu(type, variant, fn)                                                              \
    bench_vector("swiglu", #type, #variant, run_gated, (vectors){.gated = fn}, N)
#define RUN_geglu(type, variant, fn)                                                               \
    bench_vector("geglu", #type, #variant, run_gated, (vectors){.gated = fn}, N)
#define RUN_softmax(type, variant, fn)                                                             \
    bench_vector("softmax", #type, #variant, run_softmax, (vectors){.softmax = fn},                \
                 TG_KEY_GROUP *SOFTMAX_QUERIES)
#define RUN_values(type, variant, fn)                                                              \
    bench_vector("values", #type, #variant, run_values, (vectors){.values = fn},                   \
                 TG_KEY_GROUP *HEAD *QUERIES)

#define RUN_delta(type, variant, fn)                                                               \
    bench_vector("delta", #type, #variant, run_delta, (vectors){.delta = fn}, DELTA *DELTA)

static tg_kernels chosen;

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

/* The highest rate of reading memory in the middle half of SHARED_TIME, when all programs that were
 * started together read. (The best of a few short rounds could be one before the others start.) */
static void memory_shared(void)
{
    void (*volatile work)(void *) = read_memory;
    const double start = seconds(), end = start + SHARED_TIME;
    double max = 0;
    for (double part = seconds(); part < end; part = seconds()) {
        long times = 0;
        double now = part;
        for (; now < part + SHARED_TIME / 16; now = seconds(), times++)
            work(NULL);
        const double rate = (double)times * MEMORY / (now - part);
        if (part > start + SHARED_TIME / 4 && now < end - SHARED_TIME / 4 && rate > max)
            max = rate;
    }
    report_limit("", "memory read", max, "GB/s");
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "";
    memory = malloc(MEMORY);
    if (!memory)
        return 1;
    memset(memory, 1, MEMORY);
    tgi_kernels_select(&chosen);
    if (!strcmp(filter, "memory"))
        memory_shared();
    else if (strstr("limits", filter))
        limits();
#define TG_KERNEL(kind, type, variant, tolerance)                                                  \
    if (tgi_kernel_runs(#variant) && strstr(#kind " " #type " " #variant, filter))                 \
        RUN_##kind(type, variant, tgi_##kind##_##type##__##variant);
#include "../../src/kernels/kernels.def"
#undef TG_KERNEL
    return 0;
}
