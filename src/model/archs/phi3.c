/* Phi 3 and 4 mini (Abdin et al. 2024): llama, with query, key and value in one matrix, gate and up
 * in another, and factors of the rotations for short and for long contexts. Files of Phi 3 name a
 * window, which is not applied, as in llama.cpp. */
#include "../arch.h"

const tg_arch tg_arch_phi3 = {
    .name = "phi3",
    .required = TG_NORMS | TG_ATTENTION | TG_UNGATED_FFN,
    .optional = TG_QKV_BIASES,
    .rope_order = TG_ROPE_NEOX,
    .gate_up_fused = true,
};
