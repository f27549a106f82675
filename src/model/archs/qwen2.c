/* Qwen 2 and 2.5 (Yang et al. 2024): queries, keys and values have biases. */
#include "../arch.h"

const tg_arch tg_arch_qwen2 = {
    .name = "qwen2",
    .required = TG_NORMS | TG_ATTENTION | TG_QKV_BIASES | TG_GATED_FFN,
    .rope_order = TG_ROPE_NEOX,
};
