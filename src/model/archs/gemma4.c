/* Gemma 4, text without experts (Gemma Team 2026): as gemma 3, with normed values, scores that are
 * not divided, heads and rotations of another width in layers with a window, late layers that
 * attend to what earlier ones have cached, and embeddings for each layer. */
#include "../arch.h"

#include <math.h>

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)gguf;
    (void)error;
    hp->embedding_scale = sqrtf((float)hp->n_embd);
    hp->attention_scale = 1;
    hp->rotations[1].factors = false;
    return TG_OK;
}

const tg_arch tg_arch_gemma4 = {
    .name = "gemma4",
    .needs = TG_NORMS | TG_POST_NORMS | (TG_ATTENTION & ~TG_HAS(attn_v)) | TG_HEAD_NORMS |
             TG_GATED_FFN | TG_PER_LAYER,
    .may = TG_HAS(attn_v) | TG_HAS(scale),
    .keys = TG_KEYS_CAPS | TG_KEYS_WINDOW | TG_KEYS_VARIED,
    .rope = TG_ROPE_NEOX,
    .unit = TG_FFN_GELU,
    .v_norm = true,
    .read = read,
};
