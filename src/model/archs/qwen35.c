/* Qwen 3.5 (Qwen Team 2026), the text models without experts: most layers are gated delta nets, the
 * others attention with normed heads and a gate on its output. For text the positions in time,
 * height and width are the same, so that the rotations in sections are the usual ones. */
#include "../arch.h"

const tg_arch tg_arch_qwen35 = {
    .name = "qwen35",
    .required = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_DELTA,
    .rope_order = TG_ROPE_NEOX,
    .ffn_norm = "post_attention_norm.weight",
    .q_gate = true,
};
