/* Qwen 3 (Yang et al. 2025): each head's query and key are normed before the rotation. */
#include "../arch.h"

const tg_arch tg_arch_qwen3 = {
    .name = "qwen3",
    .required = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .rope_order = TG_ROPE_NEOX,
};
