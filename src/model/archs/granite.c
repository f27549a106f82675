/* Granite 3 (IBM 2024): as llama, with scales of embeddings, scores, residuals and logits. */
#include "../arch.h"

const tg_arch tg_arch_granite = {
    .name = "granite",
    .needs = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .may = TG_QKV_BIASES | TG_HAS(attn_output_b) | TG_FFN_BIASES | TG_HAS(ffn_gate_b),
    .keys = TG_KEYS_SCALES,
    .read = tgi_arch_read_finetuned,
};
