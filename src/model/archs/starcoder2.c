/* StarCoder 2 (Lozhkov et al. 2024): layer norms, GELU, biases everywhere. */
#include "../arch.h"

const tg_arch tg_arch_starcoder2 = {
    .name = "starcoder2",
    .required = TG_NORMS | TG_NORM_BIASES | TG_ATTENTION | TG_HAS(attn_output_b) | TG_UNGATED_FFN |
                TG_FFN_BIASES,
    .optional = TG_QKV_BIASES,
    .norm = TG_NORM_LAYER,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
};
