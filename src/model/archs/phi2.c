/* Phi 1.5 and 2 (Li et al. 2023): attention and feed-forward network in parallel after one layer
 * norm, biases everywhere. */
#include "../arch.h"

const tg_arch tg_arch_phi2 = {
    .name = "phi2",
    .required = TG_HAS(attn_norm) | TG_HAS(attn_norm_b) | TG_ATTENTION | TG_QKV_BIASES |
                TG_HAS(attn_output_b) | TG_UNGATED_FFN | TG_FFN_BIASES,
    .norm = TG_NORM_LAYER,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
    .parallel = TG_PARALLEL_ONE,
    .output = TG_OUTPUT_WITH_BIAS,
};
