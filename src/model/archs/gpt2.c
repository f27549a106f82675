/* GPT-2 (Radford et al. 2019): learned positions, layer norms, GELU, biases everywhere. */
#include "../arch.h"

const tg_arch tg_arch_gpt2 = {
    .name = "gpt2",
    .required = TG_NORMS | TG_NORM_BIASES | TG_ATTENTION | TG_QKV_BIASES | TG_HAS(attn_output_b) |
                TG_UNGATED_FFN | TG_FFN_BIASES,
    .norm = TG_NORM_LAYER,
    .no_rope = true,
    .learned_positions = true,
    .activation = TG_FFN_GELU,
};
