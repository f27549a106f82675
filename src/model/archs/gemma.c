/* Gemma (Gemma Team 2024): embeddings times the root of their width, GELU in the gated unit. The
 * file's norms have their 1 added.
 */
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
    .needs = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .rope = TG_ROPE_NEOX,
    .unit = TG_FFN_GELU,
    .read = read,
};
