/* Declares every tensor of an architecture, and sets the properties of each layer: its mixer, its
 * window, its rotation, whose cache it reads. */
#include "arch.h"

#include <stdio.h>

static bool has(const tg_gguf *gguf, uint32_t layer, const char *tensor)
{
    char name[TG_GGUF_MAX_TENSOR_NAME + 16];
    snprintf(name, sizeof name, "blk.%u.%s", (unsigned)layer, tensor);
    return tgi_gguf_find_tensor(gguf, name) != NULL;
}

/* In a set that contains all of `whole`, replaces it by `part`. */
static uint64_t replace(uint64_t set, uint64_t whole, uint64_t part)
{
    return (set & whole) == whole ? (set & ~whole) | part : set;
}

typedef struct tensor_sets {
    uint64_t required, optional;
} tensor_sets;

/* What a layer without keys and values of its own does not read. */
#define KV_TENSORS                                                                                 \
    (TG_HAS(attn_k) | TG_HAS(attn_v) | TG_HAS(attn_k_b) | TG_HAS(attn_v_b) | TG_HAS(attn_k_norm))

/* The tensors of one layer, by its mixer and by what the file has. */
static tensor_sets tensors_of(const tg_arch *arch, const tg_gguf *gguf, const tg_hparams *hp,
                              const tg_layer *layer, uint32_t index)
{
    tensor_sets s = {arch->required, arch->optional};
    if (layer->mixer != TG_ATTENTION_MIXER)
        s = (tensor_sets){(s.required & ~(TG_ATTENTION | TG_HEAD_NORMS)) |
                              (layer->mixer == TG_DELTA_NET_MIXER ? TG_DELTA_NET : TG_CONVOLUTION),
                          s.optional & ~TG_QKV_BIASES};
    else if (has(gguf, index, "attn_qkv.weight")) {
        s.required = replace(replace(s.required, TG_QKV, TG_HAS(attn_qkv)), TG_QKV_BIASES,
                             TG_HAS(attn_qkv_b));
        s.optional = replace(s.optional, TG_QKV_BIASES, TG_HAS(attn_qkv_b));
    }
    if (layer->kv_shared)
        s = (tensor_sets){s.required & ~KV_TENSORS, s.optional & ~KV_TENSORS};
    if (!hp->n_embd_per_layer)
        s.required &= ~TG_PER_LAYER;
    if (hp->n_expert)
        s.required =
            (s.required & ~TG_GATED_FFN) | TG_EXPERTS | (hp->n_ff_shexp ? TG_SHARED_EXPERT : 0);
    return s;
}

static tg_status declare_layer(const tg_arch *arch, tg_weight_loader *loader, const tg_gguf *gguf,
                               const tg_hparams *hp, tg_layer *layer, uint32_t index,
                               tg_error *error)
{
    /* the variables of layer_tensors.def */
    const uint32_t embd = hp->n_embd, q = hp->n_head * layer->head_dim,
                   kv = layer->n_head_kv * layer->head_dim, ff = layer->n_ff;
    const uint32_t q_norm = arch->qk_norm_full ? q : layer->head_dim,
                   k_norm = arch->qk_norm_full ? kv : layer->head_dim;
    const uint32_t queries = hp->q_gate ? 2 * q : q, channels = tgi_delta_net_channels(hp),
                   delta_n_head = hp->delta_n_head;
    const uint32_t delta_head_dim = hp->delta_head_dim, delta = delta_n_head * delta_head_dim;
    const uint32_t per_layer = hp->n_embd_per_layer;
    const char *ffn_norm_name = arch->ffn_norm ? arch->ffn_norm : "ffn_norm.weight";
    const uint32_t up = layer->gate_up_fused ? 2 * ff : ff, experts = hp->n_expert,
                   ff_expert = hp->n_ff_expert;
    const uint32_t ff_shared = hp->n_ff_shexp, conv = hp->conv_taps;
    static const char *const not_needed[] = {"attn_k.weight", "attn_v.weight", "attn_k.bias",
                                             "attn_v.bias", "attn_k_norm.weight"};
    const tensor_sets sets = tensors_of(arch, gguf, hp, layer, index);
    char name[TG_GGUF_MAX_TENSOR_NAME + 16];
    tg_status status = TG_OK;
#define DECLARE(field, tensor, call)                                                               \
    if (!status && ((sets.required & TG_HAS(field)) ||                                             \
                    ((sets.optional & TG_HAS(field)) && has(gguf, index, tensor)))) {              \
        snprintf(name, sizeof name, "blk.%u.%s", (unsigned)index, tensor);                         \
        status = call;                                                                             \
    }
#define TG_LAYER_VECTOR(field, tensor, rows, length)                                               \
    DECLARE(field, tensor,                                                                         \
            tgi_weights_declare_table(loader, name, (rows), (length), &layer->field, error))
#define TG_LAYER_MATRIX(field, tensor, rows, cols, stack)                                          \
    DECLARE(                                                                                       \
        field, tensor,                                                                             \
        tgi_weights_declare_stack(loader, name, (rows), (cols), (stack), &layer->field, error))
#include "layer_tensors.def"
#undef TG_LAYER_VECTOR
#undef TG_LAYER_MATRIX
#undef DECLARE
    if (layer->kv_shared) /* some files have keys and values, which nothing reads */
        for (size_t i = 0; i < sizeof not_needed / sizeof not_needed[0]; i++) {
            snprintf(name, sizeof name, "blk.%u.%s", (unsigned)index, not_needed[i]);
            tgi_weights_skip(loader, name);
        }
    /* a part of a matrix must start at a strip of tiles */
    if (!status && ((layer->attn_qkv.rows && (q % TG_TILE_ROWS || kv % TG_TILE_ROWS)) ||
                    (layer->gate_up_fused && ff % TG_TILE_ROWS) ||
                    (experts && (ff_expert % TG_TILE_ROWS || embd % TG_TILE_ROWS)) ||
                    (layer->conv_in.rows && embd % TG_TILE_ROWS) || per_layer % TG_TILE_ROWS))
        return tgi_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "blk.%u: one tensor holds several matrices, and the rows of one of "
                        "them are no multiple of %d",
                        (unsigned)index, TG_TILE_ROWS);
    return status;
}

/* The tensors outside the layers. */
static tg_status declare_globals(const tg_arch *arch, tg_weight_loader *loader, const tg_gguf *gguf,
                                 const tg_hparams *hp, tg_model_weights *w, tg_error *error)
{
    char name[TG_GGUF_MAX_TENSOR_NAME];
    const uint32_t n_vocab = hp->n_vocab, n_embd = hp->n_embd;
    tg_status status = tgi_weights_declare_matrix(loader, "token_embd.weight", n_vocab, n_embd,
                                                  &w->token_embd, error);
    if (!status && hp->learned_positions)
        status = tgi_weights_declare_matrix(loader, "position_embd.weight", hp->n_ctx_train, n_embd,
                                            &w->position_embd, error);
    const char *norm = arch->output_norm ? arch->output_norm : "output_norm";
    if (!status && !arch->norm_without_weights) {
        snprintf(name, sizeof name, "%s.weight", norm);
        status = tgi_weights_declare_vector(loader, name, n_embd, &w->output_norm, error);
    }
    if (!status && arch->norm == TG_NORM_LAYER && !arch->norm_without_weights)
        status = tgi_weights_declare_vector(loader, "output_norm.bias", n_embd, &w->output_norm_b,
                                            error);
    w->tied =
        arch->output == TG_OUTPUT_TIED_IF_ABSENT && !tgi_gguf_find_tensor(gguf, "output.weight");
    if (!status && !w->tied)
        status =
            tgi_weights_declare_matrix(loader, "output.weight", n_vocab, n_embd, &w->output, error);
    if (!status &&
        (arch->output == TG_OUTPUT_WITH_BIAS || tgi_gguf_find_tensor(gguf, "output.bias")))
        status = tgi_weights_declare_vector(loader, "output.bias", n_vocab, &w->output_b, error);
    return status;
}

/* The tables of embeddings for each layer. */
static tg_status declare_per_layer(tg_weight_loader *loader, const tg_hparams *hp,
                                   tg_model_weights *w, tg_error *error)
{
    const uint32_t all = hp->n_layer * hp->n_embd_per_layer; /* below 2^27 */
    tg_status status = tgi_weights_declare_matrix(
        loader, "per_layer_token_embd.weight", hp->n_vocab, all, &w->per_layer_token_embd, error);
    if (!status)
        status = tgi_weights_declare_matrix(loader, "per_layer_model_proj.weight", all, hp->n_embd,
                                            &w->per_layer_model_proj, error);
    if (!status)
        status = tgi_weights_declare_vector(loader, "per_layer_proj_norm.weight",
                                            hp->n_embd_per_layer, &w->per_layer_proj_norm, error);
    return status;
}

/* The factors of the rotations that the file has. */
static tg_status declare_rope_factors(tg_weight_loader *loader, const tg_gguf *gguf,
                                      const tg_hparams *hp, tg_model_weights *w, tg_error *error)
{
    const struct {
        const char *name;
        tg_vector *out;
    } factors[] = {{"rope_freqs.weight", &w->rope_freqs},
                   {"rope_factors_long.weight", &w->rope_long},
                   {"rope_factors_short.weight", &w->rope_short}};
    tg_status status = TG_OK;
    for (size_t i = 0; i < sizeof factors / sizeof factors[0] && !status; i++)
        if (tgi_gguf_find_tensor(gguf, factors[i].name))
            status = tgi_weights_declare_vector(loader, factors[i].name, hp->rope[0].dim / 2,
                                                factors[i].out, error);
    return status;
}

/* Sets the properties of layer i; those of the layers before it must be set. */
static tg_status set_properties(const tg_arch *arch, const tg_gguf *gguf, const tg_hparams *hp,
                                tg_layer *layers, uint32_t i, tg_error *error)
{
    tg_layer *layer = &layers[i];
    const bool has_window = tgi_arch_has_window(gguf, hp, i);
    const uint32_t n_own_kv = hp->n_layer - hp->n_layer_kv_shared;
    layer->window = has_window ? hp->window : 0;
    layer->rope = has_window ? 1 : 0;
    if (arch->no_rope || !(hp->rope[layer->rope].freq_base > 0) ||
        (hp->nope_period && (i + 1) % hp->nope_period == 0))
        layer->rope = TG_NO_ROPE;
    layer->gate_up_fused = arch->gate_up_fused && !has(gguf, i, "ffn_gate.weight");
    layer->n_head_kv = tgi_arch_layer_value(gguf, "attention.head_count_kv", i, hp->n_head_kv);
    layer->head_dim = has_window ? hp->head_dim_swa : hp->head_dim;
    layer->n_ff = tgi_arch_layer_value(gguf, "feed_forward_length", i, hp->n_ff);
    layer->mixer = TG_ATTENTION_MIXER;
    if ((arch->keys & TG_KEYS_CONV) && !layer->n_head_kv)
        layer->mixer = TG_CONV_MIXER;
    if (tgi_arch_is_recurrent(gguf, hp, i))
        layer->mixer = TG_DELTA_NET_MIXER;
    /* of the layers with a cache of their own, the last has no window and the one before it has */
    layer->kv_shared = i >= n_own_kv;
    layer->kv_source = layer->kv_shared ? n_own_kv - (has_window ? 2 : 1) : i;
    const tg_layer *source = &layers[layer->kv_source];
    if (source->n_head_kv != layer->n_head_kv || source->head_dim != layer->head_dim)
        return tgi_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "blk.%u has the cache of blk.%u, whose keys have another shape",
                        (unsigned)i, (unsigned)layer->kv_source);
    return TG_OK;
}

tg_status tgi_arch_declare_tensors(const tg_arch *arch, tg_weight_loader *loader,
                                   const tg_gguf *gguf, const tg_hparams *hp, tg_model_weights *w,
                                   tg_error *error)
{
    tg_status status = declare_globals(arch, loader, gguf, hp, w, error);
    if (!status && hp->n_embd_per_layer)
        status = declare_per_layer(loader, hp, w, error);
    if (!status && !arch->no_rope)
        status = declare_rope_factors(loader, gguf, hp, w, error);
    for (uint32_t i = 0; i < hp->n_layer && !status; i++) {
        status = set_properties(arch, gguf, hp, w->layers, i, error);
        if (!status)
            status = declare_layer(arch, loader, gguf, hp, &w->layers[i], i, error);
    }
    if (hp->n_layer_nextn)
        tgi_weights_skip_layers(loader, hp->n_layer);
    return status;
}
