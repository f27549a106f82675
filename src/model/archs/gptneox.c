/* GPT-NeoX and Pythia (Black et al. 2022): attention and feed-forward network in parallel, each
 * with its own layer norm, unless the file says otherwise. */
#include "../arch.h"

static tg_status read(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    char name[TG_KEY];
    bool parallel = true;
    tgi_arch_key(gguf, "use_parallel_residual", name);
    const tg_status status = tgi_gguf_get_bool(gguf, name, &parallel, NULL, error);
    hp->parallel = parallel ? TG_PARALLEL_NORMS : TG_SEQUENTIAL;
    return status;
}

const tg_arch tg_arch_gptneox = {
    .name = "gptneox",
    .required = TG_NORMS | TG_NORM_BIASES | TG_ATTENTION | TG_QKV_BIASES | TG_HAS(attn_output_b) |
                TG_UNGATED_FFN | TG_FFN_BIASES,
    .norm = TG_NORM_LAYER,
    .rope_order = TG_ROPE_NEOX,
    .activation = TG_FFN_GELU,
    .output = TG_OUTPUT_REQUIRED,
    .read = read,
};
