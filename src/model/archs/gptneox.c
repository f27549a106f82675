/* GPT-NeoX and Pythia (Black et al. 2022): attention and feed-forward side by side, each behind its
 * own layer norm, unless the file says otherwise. */
#include "../arch.h"

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    char name[TG_KEY];
    bool side_by_side = true;
    tgi_arch_key(gguf, "use_parallel_residual", name);
    const tg_status status = tgi_gguf_get_bool(gguf, name, &side_by_side, NULL, error);
    hp->parallel = side_by_side ? TG_PARALLEL_NORMS : TG_SEQUENTIAL;
    return status;
}

const tg_arch tg_arch_gptneox = {
    .name = "gptneox",
    .needs = TG_NORMS | TG_NORM_BIASES | TG_ATTENTION | TG_QKV_BIASES | TG_HAS(attn_output_b) |
             TG_PLAIN_FFN | TG_FFN_BIASES,
    .norm = TG_NORM_LAYER,
    .rope = TG_ROPE_NEOX,
    .unit = TG_FFN_GELU,
    .output = TG_OUTPUT_OWN,
    .read = read,
};
