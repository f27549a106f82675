/* Gemma 2 (Gemma Team 2024): gemma, with norms after attention and after the feed-forward network,
 * soft caps on scores and logits, and a window in every second layer. */
#include "../arch.h"

#include <math.h>

#define LAYERS_27B 46 /* only this size divides scores by sqrt(n_embd / n_head) */

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)gguf;
    (void)error;
    hp->embedding_scale = sqrtf((float)hp->n_embd);
    if (hp->n_layer == LAYERS_27B)
        hp->attention_scale = 1 / sqrtf((float)(hp->n_embd / hp->n_head));
    return TG_OK;
}

const tg_arch tg_arch_gemma2 = {
    .name = "gemma2",
    .required = TG_NORMS | TG_POST_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .keys = TG_KEYS_CAPS | TG_KEYS_WINDOW,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
    .window = 4096,
    .window_period = 2,
    .attention_softcap = 50,
    .logit_softcap = 30,
    .read = read,
};
