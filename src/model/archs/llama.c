/* Llama 1 to 3 (Touvron et al. 2023), TinyLlama, SmolLM, Mistral: the basic architecture. */
#include "../arch.h"

const tg_arch tg_arch_llama = {
    .name = "llama",
    .required = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .optional = TG_QKV_BIASES | TG_HAS(attn_output_b) | TG_FFN_BIASES | TG_HAS(ffn_gate_b),
};
