/* Gemma 3, text (Gemma Team 2025): gemma 2 without soft caps, with norms of each head's query and
 * key. Five of six layers have a window; their rotations have their own base and are not scaled. */
#include "../arch.h"

#include <math.h>

#define LAYERS_27B 62 /* only this size divides scores by sqrt(n_embd / n_head) */

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)error;
    char name[TG_KEY];
    hp->embedding_scale = sqrtf((float)hp->n_embd);
    if (hp->n_layer == LAYERS_27B)
        hp->attention_scale = 1 / sqrtf((float)(hp->n_embd / hp->n_head));
    tgi_arch_key(gguf, "rope.freq_base_swa", name);
    if (hp->window && !tgi_gguf_find(gguf, name))
        hp->rope[1].freq_base = 10000;
    hp->rope[1].freq_scale = 1;
    return TG_OK;
}

const tg_arch tg_arch_gemma3 = {
    .name = "gemma3",
    .required = TG_NORMS | TG_POST_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_CAPS | TG_KEYS_WINDOW,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
    .window_period = 6,
    .read = read,
};
