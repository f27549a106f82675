/* In: the rows of kernels.def that this build has. Out: the table of kernels to use, filled for the caller. Owns nothing. */
#include "kernels.h"

void tg_kernels_select(tg_kernels *kernels)
{
#if defined(__wasm_relaxed_simd__)
    kernels->variant = "relaxed";
#elif defined(__wasm_simd128__)
    kernels->variant = "simd128";
#else
    kernels->variant = "scalar";
#endif
    /* in the list's order, so that the last row of a kind and type stays */
#define TG_KERNEL(kind, type, variant, tolerance) kernels->kind##_##type = tg_##kind##_##type##__##variant;
#include "kernels.def"
#undef TG_KERNEL
}

tg_matmul_fn *tg_kernels_matmul(const tg_kernels *kernels, tg_quant quant)
{
    switch (quant) {
#define TG_QUANT(NAME, suffix, ggml, elements, bytes, tile_bytes, activation)                                                    \
    case TG_QUANT_##NAME:                                                                                                        \
        return kernels->matmul_##suffix;
#include "../quant/quant.def"
#undef TG_QUANT
    case TG_QUANT_COUNT:
        break;
    }
    return NULL;
}
