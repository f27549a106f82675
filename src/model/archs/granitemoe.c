/* Granite 3 as a mixture of experts (IBM 2024); in some models there is one more expert that every
 * token uses. */
#include "../arch.h"

const tg_arch tg_arch_granitemoe = {
    .name = "granitemoe",
    .required = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .optional = TG_QKV_BIASES | TG_HAS(attn_output_b),
    .keys = TG_KEYS_SCALES | TG_KEYS_EXPERTS,
    .norm_expert_weights = true,
    .read = tgi_arch_read_finetuned,
};
