/* Granite 3 as a mixture of experts (IBM 2024), in some of which all tokens take one more. */
#include "../arch.h"

const tg_arch tg_arch_granitemoe = {
    .name = "granitemoe",
    .needs = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .may = TG_QKV_BIASES | TG_HAS(attn_output_b),
    .keys = TG_KEYS_SCALES | TG_KEYS_EXPERTS,
    .experts_sum_to_one = true,
    .read = tgi_arch_read_finetuned,
};
