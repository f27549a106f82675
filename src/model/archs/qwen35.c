/* Qwen 3.5 (Qwen Team 2026), the text models without experts: gated delta nets in most layers, in
 * the others attention with normed heads and a gate on what it finds. A text's tokens stand at the
 * same place in time, height and width, so that its rotations in sections are the usual ones. */
#include "../arch.h"

const tg_arch tg_arch_qwen35 = {
    .name = "qwen35",
    .needs = TG_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_DELTA,
    .rope = TG_ROPE_NEOX,
    .ffn_norm = "post_attention_norm.weight",
    .gated_heads = true,
};
