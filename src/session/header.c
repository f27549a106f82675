/* From a complete header to the plan of memory: hyper-parameters, tensors, the context's length,
 * the caches' types and sizes. */
#include "model.h"
#include "../model/key_reader.h"

#include <stdio.h>
#include <stdlib.h>

/* Positions of a session when the caller does not say and the model was trained for more. */
#define DEFAULT_MAX_CTX 4096u
/* Further positions of the cache, for branches, when the caller does not say. */
#define DEFAULT_MAX_BRANCHES 1024u
#define MAX_CTX              (1u << 20)

/* The memory for recurrent states, and the bounds on their number. With a few of them a session
 * that goes back runs few tokens again. */
#define RECURRENT_BYTES (128u << 20)
#define MIN_SLOTS       4u
#define MAX_SLOTS       64u

/* The head_dim of layers that is no multiple of the type's block; 0: every head_dim is. */
static uint32_t unfit_head_dim(const tg_hparams *hp, tg_cache_type type)
{
    const uint32_t elements = tg_kv_type_table[type].elements;
    return hp->head_dim % elements       ? hp->head_dim
           : hp->head_dim_swa % elements ? hp->head_dim_swa
                                         : 0;
}

/* The caller's choice, or else a type as exact as most weights are: floats for floats, and q8_0
 * for quantized weights. q8_0 is the smallest type, and by far the fastest over a long context (npm
 * run bench -- --only growth). It costs little beside 8-bit activations: the built-in model's mean
 * KL divergence from a float64 pass is 2.4e-4 with it and 1.6e-4 with f32. */
static tg_cache_type choose_cache_type(const tg_model *model, tg_cache_type wanted)
{
    if (wanted != TG_CACHE_AUTO)
        return wanted;
    const tg_layer *layer = model->weights.layers; /* the first that has attention, if any has */
    for (uint32_t i = 1; layer->mixer != TG_ATTENTION_MIXER && i < model->hparams.n_layer; i++)
        layer++;
    switch (layer->attn_qkv.rows ? layer->attn_qkv.quant : layer->attn_q.quant) {
    case TG_QUANT_F32:
        return TG_CACHE_F32;
    case TG_QUANT_F16:
    case TG_QUANT_BF16:
        return TG_CACHE_F16;
    default:
        return unfit_head_dim(&model->hparams, TG_CACHE_Q8_0) ? TG_CACHE_F16 : TG_CACHE_Q8_0;
    }
}

/* Positions of a session and of the cache. */
static tg_status set_context(tg_model *model)
{
    const tg_model_options *options = &model->options;
    const tg_hparams *hp = &model->hparams;
    if (options->n_ctx > MAX_CTX || options->n_kv > 2 * MAX_CTX)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "n_ctx is %u and n_kv %u; at most they are %u and %u",
                        (unsigned)options->n_ctx, (unsigned)options->n_kv, MAX_CTX, 2 * MAX_CTX);
    model->n_ctx = hp->n_ctx_train < DEFAULT_MAX_CTX ? hp->n_ctx_train : DEFAULT_MAX_CTX;
    if (options->n_ctx)
        model->n_ctx = options->n_ctx;
    if (hp->learned_positions && model->n_ctx > hp->n_ctx_train)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "n_ctx is %u; the model has a learned vector for each of %u positions and "
                        "no others",
                        (unsigned)model->n_ctx, (unsigned)hp->n_ctx_train);
    const uint32_t branches =
        model->n_ctx < DEFAULT_MAX_BRANCHES ? model->n_ctx : DEFAULT_MAX_BRANCHES;
    model->n_kv = options->n_kv ? options->n_kv : model->n_ctx + branches;
    return TG_OK;
}

/* The layout of the cache of keys and values. */
static tg_status set_kv(tg_model *model)
{
    const tg_hparams *hp = &model->hparams;
    tg_kv *kv = &model->cache.kv;
    kv->type_k = choose_cache_type(model, model->options.cache_type_k);
    kv->type_v = choose_cache_type(model, model->options.cache_type_v);
    const uint32_t unfit_k = unfit_head_dim(hp, kv->type_k),
                   unfit_v = unfit_head_dim(hp, kv->type_v);
    if (unfit_k || unfit_v)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "the model's heads are %u wide: the cache type q8_0 needs a multiple of 32",
                        (unsigned)(unfit_k ? unfit_k : unfit_v));
    kv->n_layer = hp->n_layer;
    for (uint32_t i = 0; i < hp->n_layer; i++) {
        const tg_layer *layer = &model->weights.layers[i];
        if (layer->mixer == TG_ATTENTION_MIXER)
            kv->layers[i] = (tg_kv_layer){.n_head = layer->kv_shared ? 0 : layer->n_head_kv,
                                          .head_dim = layer->head_dim};
        else if (layer->mixer == TG_CONV_MIXER)
            kv->layers[i] = (tg_kv_layer){.conv_dim = hp->n_embd};
    }
    return TG_OK;
}

/* The layout of the recurrent cache. */
static tg_status set_recurrent(tg_model *model)
{
    const tg_hparams *hp = &model->hparams;
    tg_recurrent_cache *recurrent = &model->cache.recurrent;
    uint64_t size = 0; /* floats of a state */
    for (uint32_t i = 0; i < hp->n_layer; i++) {
        tg_layer *layer = &model->weights.layers[i];
        if (layer->mixer == TG_DELTA_NET_MIXER) {
            layer->recurrent_offset = (size_t)size;
            size += tgi_delta_net_state_size(hp);
        }
    }
    if (size > INT32_MAX / sizeof(float))
        return tgi_fail(&model->error, TG_MODEL_TOO_LARGE, TG_NO_OFFSET,
                        "a recurrent state has %llu floats", (unsigned long long)size);
    recurrent->state_size = (size_t)size;
    if (size) {
        const size_t fit = RECURRENT_BYTES / (recurrent->state_size * sizeof(float));
        recurrent->n_slots = fit < MIN_SLOTS   ? MIN_SLOTS
                             : fit > MAX_SLOTS ? MAX_SLOTS
                                               : (uint32_t)fit;
    }
    return TG_OK;
}

static void set_decoder(tg_model *model)
{
    tg_decoder *decoder = &model->decoder;
    decoder->weights = &model->weights;
    decoder->scratch.kernels = &model->kernels;
    decoder->scratch.hparams = &model->hparams;
    decoder->scratch.kv = &model->cache.kv;
    decoder->scratch.pool = model->pool;
    decoder->scratch.profile.clock = model->options.clock;
}

/* Everything of a model with weights: all but the vocabulary. */
static tg_status read_arch(tg_model *model)
{
    tg_error *error = &model->error;
    tg_hparams *hp = &model->hparams;
    tg_status status = tgi_arch_read_hparams(model->arch, model->gguf, hp, error);
    if (status)
        return status;
    model->loader = tgi_weights_new(model->gguf);
    model->weights.layers = calloc(hp->n_layer, sizeof *model->weights.layers);
    model->cache.kv.layers = calloc(hp->n_layer, sizeof *model->cache.kv.layers);
    if (!model->loader || !model->weights.layers || !model->cache.kv.layers)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for the list of tensors");
    status = tgi_arch_declare_tensors(model->arch, model->loader, model->gguf, hp, &model->weights,
                                      error);
    if (!status)
        status = tgi_weights_check_all_declared(model->loader, error);
    if (!status)
        status = set_context(model);
    if (!status)
        status = set_kv(model);
    if (!status)
        status = set_recurrent(model);
    set_decoder(model);
    return status;
}

/* Refuses a part of a model that llama-gguf-split has cut into several files. The first part has
 * all keys, which is enough for vocab_only; the others have hardly any. In a file that was joined
 * again split.count is 0, or all tensors are there. */
static tg_status check_whole(tg_model *model)
{
    enum { NUMBER, COUNT, TENSORS, N };
    static const char *const keys[N] = {"split.no", "split.count", "split.tensors.count"};
    const uint32_t here = tgi_gguf_n_tensors(model->gguf);
    uint32_t split[N] = {0}; /* 0: the file does not have the key */
    bool found[N];
    char which[48] = "a part", tensors[48] = "";
    for (int i = 0; i < N; i++) {
        const tg_status status = tgi_gguf_get_u32(model->gguf, keys[i], 0, UINT32_MAX, &split[i],
                                                  &found[i], &model->error);
        if (status)
            return status;
    }
    const bool first = !split[NUMBER];
    const bool whole = found[COUNT]
                           ? split[COUNT] < 2 || (first && split[TENSORS] && split[TENSORS] <= here)
                           : first && split[TENSORS] <= here;
    if (whole || (first && model->options.vocab_only))
        return TG_OK;
    if (!found[NUMBER] && split[COUNT])
        snprintf(which, sizeof which, "one of %u parts", (unsigned)split[COUNT]);
    else if (split[NUMBER] < split[COUNT])
        snprintf(which, sizeof which, "part %u of %u", (unsigned)split[NUMBER] + 1,
                 (unsigned)split[COUNT]);
    if (split[TENSORS])
        snprintf(tensors, sizeof tensors, ", with %u of its %u tensors", (unsigned)here,
                 (unsigned)split[TENSORS]);
    return tgi_fail(&model->error, TG_MODEL_SPLIT, TG_NO_OFFSET,
                    "the file is %s of a split model%s: join all parts to one file with "
                    "llama-gguf-split --merge",
                    which, tensors);
}

/* The number of tokens is that of the list; a key that says something else is only a warning. */
static void check_vocab_size(tg_model *model)
{
    char key[TG_KEY], value[32];
    tgi_arch_key(model->gguf, "vocab_size", key);
    const tg_gguf_kv *kv = tgi_gguf_find(model->gguf, key);
    uint32_t n;
    if (kv && (tgi_gguf_value_u32(kv, 0, UINT32_MAX, &n, NULL) || n != model->hparams.n_vocab)) {
        tgi_gguf_print(kv, value, sizeof value);
        tgi_warn(&model->warnings, "%s is %s, but tokenizer.ggml.tokens has %u tokens, which count",
                 key, value, (unsigned)model->hparams.n_vocab);
    }
}

tg_status tgi_model_read_header(tg_model *model)
{
    tg_status status = check_whole(model);
    if (!status && !model->options.vocab_only)
        status = tgi_arch_find(model->gguf, &model->arch, &model->error);
    if (!status)
        status = tgi_tokenizer_new(model->gguf, &model->tokenizer, &model->error);
    if (status)
        return status;
    model->hparams.n_vocab = tgi_tokenizer_count(model->tokenizer);
    if (model->arch) {
        check_vocab_size(model);
        status = read_arch(model);
        if (status)
            return status;
    }
    tgi_model_layout(model, NULL);
    model->plan.scratch += tgi_sampler_memory(model->hparams.n_vocab, model->n_ctx);
    model->plan.header = tgi_gguf_memory(model->gguf) + tgi_tokenizer_memory(model->tokenizer) +
                         (model->loader ? tgi_weights_memory(model->loader) : 0);
    model->plan.file = tgi_gguf_file_end(model->gguf);
    model->state = TG_MODEL_PLANNED;
    return TG_OK;
}
