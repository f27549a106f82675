/* OLMo 2 and 3 (OLMo Team 2024): norms after attention and feed-forward instead of before them, and
 * of all heads' queries and keys together. The third has windows in three layers of four, whose
 * rotations nothing scales. */
#include "../arch.h"

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    (void)gguf;
    (void)error;
    hp->rotations[1].scale = hp->rotations[1].magnitude = 1;
    hp->rotations[1].yarn = false;
    return TG_OK;
}

const tg_arch tg_arch_olmo2 = {
    .name = "olmo2",
    .needs = TG_POST_NORMS | TG_ATTENTION | TG_HEAD_NORMS | TG_GATED_FFN,
    .keys = TG_KEYS_WINDOW,
    .rope = TG_ROPE_NEOX,
    .output = TG_OUTPUT_OWN,
    .qk_norm_full = true,
    .window_period = 4,
    .read = read,
};
