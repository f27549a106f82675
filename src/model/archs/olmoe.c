/* OLMoE (Muennighoff et al. 2024): a mixture of experts, with norms over the queries and keys of
 * all heads together. */
#include "../arch.h"

const tg_arch tg_arch_olmoe = {
    .name = "olmoe",
    .required = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_EXPERTS,
    .rope_order = TG_ROPE_NEOX,
    .output = TG_OUTPUT_REQUIRED,
    .qk_norm_full = true,
};
