/* Granite 3 (IBM 2024): llama, with scales of embeddings, scores, residuals and logits. */
#include "../arch.h"

const tg_arch tg_arch_granite = {
    .name = "granite",
    .required = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .optional = TG_QKV_BIASES | TG_HAS(attn_output_b) | TG_FFN_BIASES | TG_HAS(ffn_gate_b),
    .keys = TG_KEYS_SCALES,
    .read = tgi_arch_read_finetuned,
};
