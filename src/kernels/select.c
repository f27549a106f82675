/* Chooses the kernels to use: of the rows in kernels.def that this build contains, the fastest that
 * work on this CPU. */
#include "kernels.h"

#include <string.h>

typedef enum dot_kind {
#define TG_DOT(NAME, name) DOT_##NAME,
#include "dot_kinds.def"
#undef TG_DOT
} dot_kind;

#ifdef __wasm_relaxed_simd__
#include <wasm_simd128.h>

/* Runs one instruction to find out. Its operands come from volatile memory, so that no compiler
 * computes the result itself. */
static dot_kind probe(void)
{
    static const volatile int8_t first[16] = {127, 127,  127, 127,  -128, -128, -128, -128,
                                              127, -128, 127, -128, 1,    2,    3,    4};
    static const volatile uint8_t second[16] = {200, 200, 200, 200, 255, 255, 255, 255,
                                                255, 255, 128, 128, 129, 130, 131, 132};
    int8_t a[16], b[16];
    int32_t result[4], as_unsigned[4] = {0}, as_signed[4] = {0};
    int is_unsigned = 1, is_signed = 1;
    for (int i = 0; i < 16; i++) {
        a[i] = first[i];
        b[i] = (int8_t)second[i];
        as_unsigned[i / 4] += a[i] * (uint8_t)b[i];
        as_signed[i / 4] += a[i] * b[i];
    }
    wasm_v128_store(result, wasm_i32x4_relaxed_dot_i8x16_i7x16_add(
                                wasm_v128_load(a), wasm_v128_load(b), wasm_i32x4_const_splat(0)));
    for (int i = 0; i < 4; i++) {
        is_unsigned &= result[i] == as_unsigned[i];
        is_signed &= result[i] == as_signed[i];
    }
    return is_unsigned ? DOT_UNSIGNED : is_signed ? DOT_SIGNED : DOT_OTHER;
}
#else
static dot_kind probe(void)
{
    return DOT_NONE;
}
#endif

bool tgi_kernel_runs(const char *variant)
{
    return !strcmp(variant, "relaxed_unsigned") ? probe() == DOT_UNSIGNED
           : !strcmp(variant, "relaxed_signed") ? probe() == DOT_SIGNED
                                                : true;
}

/* Whether a variant can be the fastest on this CPU: relaxed_pairs is where the dot product of four
 * bytes is made of several instructions. */
static bool is_fast(const char *variant)
{
    return strcmp(variant, "relaxed_pairs") != 0 || probe() == DOT_OTHER;
}

bool tgi_must_prefetch = true;

void tgi_kernels_select(tg_kernels *kernels)
{
    tgi_must_prefetch = probe() != DOT_OTHER;
#if defined(__wasm_relaxed_simd__)
    kernels->variant = "relaxed";
#elif defined(__wasm_simd128__)
    kernels->variant = "simd128";
#else
    kernels->variant = "scalar";
#endif
    static const char *const dot_names[] = {
#define TG_DOT(NAME, name) [DOT_##NAME] = name,
#include "dot_kinds.def"
#undef TG_DOT
    };
    kernels->dot = dot_names[probe()];
    /* in the list's order, so that the last row that runs wins */
#define TG_KERNEL(kind, type, variant, tolerance)                                                  \
    if (tgi_kernel_runs(#variant) && is_fast(#variant))                                            \
        kernels->kind##_##type = tgi_##kind##_##type##__##variant;
#include "kernels.def"
#undef TG_KERNEL
}

tg_matmul_fn *tgi_kernels_matmul(const tg_kernels *kernels, tg_quant quant)
{
    switch (quant) {
#define TG_QUANT(NAME, suffix, ...)                                                                \
    case TG_QUANT_##NAME:                                                                          \
        return kernels->matmul_##suffix;
#define TG_PACKED(NAME, suffix, dot, ...) TG_QUANT(NAME, suffix)
#include "../quant/quant.def"
#undef TG_QUANT
#undef TG_PACKED
    case TG_QUANT_COUNT:
        break;
    }
    return NULL;
}
