/* Phi 3 and 4 mini (Abdin et al. 2024): as llama, with query, key and value in one matrix, gate and
 * up in another, and factors of rotations for short and for long contexts. The window that files of
 * the first one name is not applied, as in llama.cpp. */
#include "../arch.h"

const tg_arch tg_arch_phi3 = {
    .name = "phi3",
    .needs = TG_NORMS | TG_ATTENTION | TG_PLAIN_FFN,
    .may = TG_QKV_BIASES,
    .rope = TG_ROPE_NEOX,
    .gate_up_fused = true,
};
