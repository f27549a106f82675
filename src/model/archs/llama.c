/* Llama 1 to 3 (Touvron et al. 2023), TinyLlama, SmolLM, Mistral: the plain case. */
#include "../arch.h"

const tg_arch tg_arch_llama = {
    .name = "llama",
    .needs = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .may = TG_QKV_BIASES | TG_HAS(attn_output_b) | TG_FFN_BIASES | TG_HAS(ffn_gate_b),
};
