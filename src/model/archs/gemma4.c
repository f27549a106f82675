/* Gemma 4, text models without experts (Gemma Team 2026): gemma 3, with normed values and unscaled
 * scores. Layers with a window have heads and rotations of another width. The last layers read the
 * cache of earlier ones, and tokens have embeddings for each layer. */
#include "../arch.h"

#include <math.h>

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)gguf;
    (void)error;
    hp->embedding_scale = sqrtf((float)hp->n_embd);
    hp->attention_scale = 1;
    hp->rope[1].freq_factors = false;
    return TG_OK;
}

const tg_arch tg_arch_gemma4 = {
    .name = "gemma4",
    .required = TG_NORMS | TG_POST_NORMS | (TG_ATTENTION & ~TG_HAS(attn_v)) | TG_HEAD_NORMS |
                TG_GATED_FFN | TG_PER_LAYER,
    .optional = TG_HAS(attn_v) | TG_HAS(scale),
    .keys = TG_KEYS_CAPS | TG_KEYS_WINDOW | TG_KEYS_LAYERS,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
    .v_norm = true,
    .read = read,
};
