/* SmolLM 3 (Hugging Face 2025): llama, without rotations in every fourth layer. */
#include "../arch.h"

const tg_arch tg_arch_smollm3 = {
    .name = "smollm3",
    .required = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .optional = TG_QKV_BIASES | TG_HAS(attn_output_b) | TG_FFN_BIASES | TG_HAS(ffn_gate_b),
    .nope_period = 4,
};
