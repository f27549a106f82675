/* LFM 2 (Liquid AI 2025): short convolutions over time in most layers, attention with normed heads
 * in the others. */
#include "../arch.h"

const tg_arch tg_arch_lfm2 = {
    .name = "lfm2",
    .needs = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_CONV,
    .rope = TG_ROPE_NEOX,
    .output_norm = "token_embd_norm",
};
