/* OLMo 2 and 3 (OLMo Team 2024): norms after attention and after the feed-forward network instead
 * of before them, and norms over the queries and keys of all heads together. OLMo 3 has a window in
 * three of four layers, whose rotations are not scaled. */
#include "../arch.h"

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)gguf;
    (void)error;
    hp->rope[1].freq_scale = hp->rope[1].attn_factor = 1;
    hp->rope[1].yarn = false;
    return TG_OK;
}

const tg_arch tg_arch_olmo2 = {
    .name = "olmo2",
    .required = TG_POST_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_WINDOW,
    .rope_order = TG_ROPE_NEOX,
    .output = TG_OUTPUT_REQUIRED,
    .qk_norm_full = true,
    .window_period = 4,
    .read = read,
};
