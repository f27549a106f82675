/* GPT-2 (Radford et al. 2019): learned positions, layer norms, GELU, biases everywhere. */
#include "../arch.h"

const tg_arch tg_arch_gpt2 = {
    .name = "gpt2",
    .needs = TG_NORMS | TG_NORM_BIASES | TG_ATTENTION | TG_QKV_BIASES | TG_HAS(attn_output_b) |
             TG_PLAIN_FFN | TG_FFN_BIASES,
    .norm = TG_NORM_LAYER,
    .unrotated = true,
    .positions = true,
    .unit = TG_FFN_GELU,
};
