/* StableLM (Bellagente et al. 2024) up to 3 billion parameters: llama with layer norms, and
 * rotations of a part of each head. */
#include "../arch.h"

const tg_arch tg_arch_stablelm = {
    .name = "stablelm",
    .required = TG_NORMS | TG_NORM_BIASES | TG_ATTENTION | TG_GATED_FFN,
    .optional = TG_QKV_BIASES,
    .norm = TG_NORM_LAYER,
    .rope_order = TG_ROPE_NEOX,
    .output = TG_OUTPUT_REQUIRED,
};
