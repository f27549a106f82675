/* OLMoE (Muennighoff et al. 2024): a mixture of experts, with norms of all heads' queries and keys
 * together. */
#include "../arch.h"

const tg_arch tg_arch_olmoe = {
    .name = "olmoe",
    .needs = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_EXPERTS,
    .rope = TG_ROPE_NEOX,
    .output = TG_OUTPUT_OWN,
    .qk_norm_full = true,
};
