/* LFM 2 (Liquid AI 2025): most layers are short convolutions over time, the others attention with
 * normed heads. */
#include "../arch.h"

const tg_arch tg_arch_lfm2 = {
    .name = "lfm2",
    .required = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_CONV,
    .rope_order = TG_ROPE_NEOX,
    .output_norm = "token_embd_norm",
};
