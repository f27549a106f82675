/* In: an architecture's description, its hyper-parameters and a file's directory. Out: every tensor
 * declared, and of each layer what it is: its mixer, its window, its rotation. Owns nothing. */
#include "arch.h"

#include <stdio.h>

static bool has(const tg_gguf *gguf, uint32_t layer, const char *tensor)
{
    char name[TG_GGUF_MAX_TENSOR_NAME + 16];
    snprintf(name, sizeof name, "blk.%u.%s", (unsigned)layer, tensor);
    return tgi_gguf_find_tensor(gguf, name) != NULL;
}

/* In a set that has all of `whole`, `part` stands for it. */
static uint64_t replace(uint64_t set, uint64_t whole, uint64_t part)
{
    return (set & whole) == whole ? (set & ~whole) | part : set;
}

typedef struct sets {
    uint64_t needs, may;
} sets;

/* What a layer of this file has. */
static sets tensors_of(const tg_arch *arch, const tg_gguf *gguf, const tg_hparams *hp,
                       const tg_layer *layer, uint32_t index)
{
    sets s = {arch->needs, arch->may};
    if (layer->mixer != TG_ATTENTION_MIXER)
        s = (sets){(s.needs & ~(TG_ATTENTION | TG_HEAD_NORMS)) |
                       (layer->mixer == TG_DELTA_NET_MIXER ? TG_DELTA_NET : TG_CONVOLUTION),
                   s.may & ~TG_QKV_BIASES};
    else if (has(gguf, index, "attn_qkv.weight")) {
        s.needs =
            replace(replace(s.needs, TG_QKV, TG_HAS(attn_qkv)), TG_QKV_BIASES, TG_HAS(attn_qkv_b));
        s.may = replace(s.may, TG_QKV_BIASES, TG_HAS(attn_qkv_b));
    }
    if (layer->kv_shared)
        s.needs &= ~(TG_HAS(attn_k) | TG_HAS(attn_v) | TG_HAS(attn_k_norm));
    if (!hp->n_per_layer)
        s.needs &= ~TG_PER_LAYER;
    if (hp->n_expert)
        s.needs = (s.needs & ~TG_GATED_FFN) | TG_EXPERTS | (hp->n_ff_shared ? TG_SHARED : 0);
    return s;
}

static tg_status want_layer(const tg_arch *arch, tg_weights *list, const tg_gguf *gguf,
                            const tg_hparams *hp, tg_layer *layer, uint32_t index, tg_error *error)
{
    /* the words of layer.def */
    const uint32_t embd = hp->n_embd, q = hp->n_head * layer->head_dim,
                   kv = layer->n_head_kv * layer->head_dim, ff = layer->n_ff;
    const uint32_t q_norm = arch->qk_norm_full ? q : layer->head_dim,
                   k_norm = arch->qk_norm_full ? kv : layer->head_dim;
    const uint32_t queries = hp->gated_heads ? 2 * q : q, channels = tgi_delta_net_channels(hp),
                   delta_heads = hp->delta_heads;
    const uint32_t delta_dim = hp->delta_dim, delta = delta_heads * delta_dim;
    const uint32_t per_layer = hp->n_per_layer;
    const char *ffn_norm_name = arch->ffn_norm ? arch->ffn_norm : "ffn_norm.weight";
    const uint32_t up = layer->gate_up_fused ? 2 * ff : ff, experts = hp->n_expert,
                   ff_expert = hp->n_ff_expert;
    const uint32_t ff_shared = hp->n_ff_shared, conv = hp->n_conv;
    static const char *const unused[] = {"attn_k.weight", "attn_v.weight", "attn_k_norm.weight"};
    const sets wanted = tensors_of(arch, gguf, hp, layer, index);
    char name[TG_GGUF_MAX_TENSOR_NAME + 16];
    tg_status status = TG_OK;
#define WANT(field, tensor, call)                                                                  \
    if (!status && ((wanted.needs & TG_HAS(field)) ||                                              \
                    ((wanted.may & TG_HAS(field)) && has(gguf, index, tensor)))) {                 \
        snprintf(name, sizeof name, "blk.%u.%s", (unsigned)index, tensor);                         \
        status = call;                                                                             \
    }
#define TG_LAYER_VECTOR(field, tensor, rows, length)                                               \
    WANT(field, tensor, tgi_weights_want_table(list, name, (rows), (length), &layer->field, error))
#define TG_LAYER_MATRIX(field, tensor, rows, cols, stack)                                          \
    WANT(field, tensor,                                                                            \
         tgi_weights_want_stack(list, name, (rows), (cols), (stack), &layer->field, error))
#include "layer_tensors.def"
#undef TG_LAYER_VECTOR
#undef TG_LAYER_MATRIX
#undef WANT
    if (layer->kv_shared) /* what they would be computed with is in some files */
        for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++) {
            snprintf(name, sizeof name, "blk.%u.%s", (unsigned)index, unused[i]);
            tgi_weights_skip(list, name);
        }
    /* parts of a matrix begin where a strip of tiles does */
    if (!status && ((layer->attn_qkv.rows && (q % TG_TILE_ROWS || kv % TG_TILE_ROWS)) ||
                    (layer->gate_up_fused && ff % TG_TILE_ROWS) ||
                    (experts && (ff_expert % TG_TILE_ROWS || embd % TG_TILE_ROWS)) ||
                    (layer->conv_in.rows && embd % TG_TILE_ROWS) || per_layer % TG_TILE_ROWS))
        return tgi_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "blk.%u: several matrices lie in one tensor, of which not each has a "
                        "multiple of %d rows",
                        (unsigned)index, TG_TILE_ROWS);
    return status;
}

tg_status tgi_arch_want_tensors(const tg_arch *arch, tg_weights *list, const tg_gguf *gguf,
                                const tg_hparams *hp, tg_arch_weights *w, tg_error *error)
{
    char name[TG_GGUF_MAX_TENSOR_NAME];
    tg_status status = tgi_weights_want_matrix(list, "token_embd.weight", hp->n_vocab, hp->n_embd,
                                               &w->token_embd, error);
    if (!status && hp->positions)
        status = tgi_weights_want_matrix(list, "position_embd.weight", hp->n_ctx_train, hp->n_embd,
                                         &w->position_embd, error);
    const char *norm = arch->output_norm ? arch->output_norm : "output_norm";
    if (!status && !arch->norm_plain) {
        snprintf(name, sizeof name, "%s.weight", norm);
        status = tgi_weights_want_vector(list, name, hp->n_embd, &w->output_norm, error);
    }
    if (!status && arch->norm == TG_NORM_LAYER && !arch->norm_plain)
        status =
            tgi_weights_want_vector(list, "output_norm.bias", hp->n_embd, &w->output_norm_b, error);
    if (!status && hp->n_per_layer) {
        const uint32_t all = hp->n_layer * hp->n_per_layer; /* below 2^27 */
        status = tgi_weights_want_matrix(list, "per_layer_token_embd.weight", hp->n_vocab, all,
                                         &w->per_layer, error);
        if (!status)
            status = tgi_weights_want_matrix(list, "per_layer_model_proj.weight", all, hp->n_embd,
                                             &w->per_layer_proj, error);
        if (!status)
            status = tgi_weights_want_vector(list, "per_layer_proj_norm.weight", hp->n_per_layer,
                                             &w->per_layer_norm, error);
    }
    w->tied = arch->output == TG_OUTPUT_MAYBE && !tgi_gguf_find_tensor(gguf, "output.weight");
    if (!status && !w->tied)
        status = tgi_weights_want_matrix(list, "output.weight", hp->n_vocab, hp->n_embd, &w->output,
                                         error);
    if (!status && (arch->output == TG_OUTPUT_BIASED || tgi_gguf_find_tensor(gguf, "output.bias")))
        status = tgi_weights_want_vector(list, "output.bias", hp->n_vocab, &w->output_b, error);
    const struct {
        const char *name;
        tg_vector *out;
    } factors[] = {{"rope_freqs.weight", &w->rope_freqs},
                   {"rope_factors_long.weight", &w->rope_long},
                   {"rope_factors_short.weight", &w->rope_short}};
    for (size_t i = 0; i < sizeof factors / sizeof factors[0] && !status; i++)
        if (!arch->unrotated && tgi_gguf_find_tensor(gguf, factors[i].name))
            status = tgi_weights_want_vector(list, factors[i].name, hp->rotations[0].dim / 2,
                                             factors[i].out, error);
    for (uint32_t i = 0; i < hp->n_layer && !status; i++) {
        tg_layer *layer = &w->layers[i];
        const bool windowed = tgi_arch_windowed(gguf, hp, i);
        const uint32_t n_own = hp->n_layer - hp->n_shared;
        layer->window = windowed ? hp->window : 0;
        layer->rotation = windowed ? 1 : 0;
        if (arch->unrotated || !(hp->rotations[layer->rotation].base > 0) ||
            (hp->nope_period && (i + 1) % hp->nope_period == 0))
            layer->rotation = TG_NO_ROPE;
        layer->gate_up_fused = arch->gate_up_fused && !has(gguf, i, "ffn_gate.weight");
        layer->n_head_kv = tgi_arch_layer_value(gguf, "attention.head_count_kv", i, hp->n_head_kv);
        layer->head_dim = windowed ? hp->head_dim_windowed : hp->head_dim;
        layer->n_ff = tgi_arch_layer_value(gguf, "feed_forward_length", i, hp->n_ff);
        layer->kv_shared = i >= n_own;
        layer->kv_source = layer->kv_shared ? n_own - (windowed ? 2 : 1) : i;
        layer->mixer = TG_ATTENTION_MIXER;
        if ((arch->keys & TG_KEYS_CONV) && !layer->n_head_kv)
            layer->mixer = TG_CONV_MIXER;
        if (hp->attention_period && (i + 1) % hp->attention_period != 0)
            layer->mixer = TG_DELTA_NET_MIXER;
        const tg_layer *source = &w->layers[layer->kv_source];
        if (source->n_head_kv != layer->n_head_kv || source->head_dim != layer->head_dim)
            return tgi_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                            "blk.%u has the cache of blk.%u, whose keys have another shape",
                            (unsigned)i, (unsigned)layer->kv_source);
        status = want_layer(arch, list, gguf, hp, layer, i, error);
    }
    if (hp->n_layer_unused)
        tgi_weights_skip_layers(list, hp->n_layer);
    return status;
}
