/* Gemma (Gemma Team 2024): embeddings are multiplied by sqrt(n_embd), and the feed-forward network
 * uses GELU. The norm weights in the file already include the added 1. */
#include "../arch.h"

#include <math.h>

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)gguf;
    (void)error;
    hp->embedding_scale = sqrtf((float)hp->n_embd);
    return TG_OK;
}

const tg_arch tg_arch_gemma = {
    .name = "gemma",
    .required = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
    .read = read,
};
