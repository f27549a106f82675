/* OLMo (Groeneveld et al. 2024): layer norms without weights; queries, keys and values may be
 * clamped. */
#include "../arch.h"

const tg_arch tg_arch_olmo = {
    .name = "olmo",
    .required = TG_ATTENTION | TG_GATED_FFN,
    .keys = TG_KEYS_CLAMP,
    .norm = TG_NORM_LAYER,
    .norm_without_weights = true,
};
