/* In: options and a file's bytes. Out: a model ready to run. The model owns the header, the
 * vocabulary, the sampler and one arena with the weights, the cache and all scratch memory. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_CTX                                                                            \
    4096u /* positions, when the caller does not say and the model was trained for more */
#define DEFAULT_BRANCHES 1024u /* positions in the cache for branches, likewise */
#define MAX_CTX          (1u << 20)
/* Memory for recurrent states: as many as fit into it, within limits. With a few a session that
 * goes back runs little again. */
#define STATE_BYTES (128u << 20)
#define MIN_STATES  4u
#define MAX_STATES  64u

tg_model *tg_model_new(const tg_model_options *options)
{
    tg_model *model = calloc(1, sizeof *model);
    if (!model)
        return NULL;
    tgi_error_clear(&model->error);
    model->options = *options;
    model->gguf = tgi_gguf_new(options->file_size);
    model->pool = tgi_pool_new(options->n_threads < 1 ? 1 : options->n_threads);
    if (!model->gguf || !model->pool) {
        tgi_gguf_free(model->gguf);
        tgi_pool_free(model->pool);
        free(model);
        return NULL;
    }
    tgi_kernels_select(&model->kernels);
    return model;
}

void tg_model_free(tg_model *model)
{
    if (!model)
        return;
    if (!tgi_pool_free(model->pool)) /* first: its threads use the rest, and one that does not go
                                        may do so later */
        return;
    free(model->memory);
    tgi_sampler_free(model->sampler);
    tgi_weights_free(model->list);
    free(model->weights.layers);
    free(model->kv.layers);
    tgi_tokenizer_free(model->tokens);
    tgi_gguf_free(model->gguf);
    free(model);
}

const tg_error *tg_model_error(const tg_model *model)
{
    return &model->error;
}

tg_model_state tg_model_get_state(const tg_model *model)
{
    return model->state;
}

/* Counts (memory NULL) or places the arena; the plan's weights, kv and scratch get their sizes. */
static void place(tg_model *model, void *memory)
{
    tg_arena arena = {memory, 0};
    if (model->arch) {
        tgi_weights_layout(model->list, &arena);
        model->plan.weights = arena.used;
        tgi_kv_layout(&model->kv, model->n_kv, &arena);
        tgi_recurrent_layout(&model->states, &arena);
        model->plan.kv = arena.used - model->plan.weights;
        tgi_decoder_layout(&model->decoder, &arena);
    }
    model->plan.scratch = arena.used - model->plan.weights - model->plan.kv;
}

/* The width of heads that are no multiple of `elements`, or 0. */
static uint32_t odd_heads(const tg_hparams *hp, uint32_t elements)
{
    return hp->head_dim % elements            ? hp->head_dim
           : hp->head_dim_windowed % elements ? hp->head_dim_windowed
                                              : 0;
}

/* What the caller chose, or else a type as exact as most weights are: floats for floats; for
 * quantized weights q8_0, the smallest, and by far the fastest over a long context (npm run bench
 * -- --only growth). It costs little beside 8-bit activations: the built-in model's mean KL to a
 * float64 pass is 2.4e-4 with it and 1.6e-4 with f32. */
static tg_cache_type cache_type(const tg_model *model, tg_cache_type wanted)
{
    if (wanted != TG_CACHE_AUTO)
        return wanted;
    const tg_layer *layer = model->weights.layers; /* the first that has attention, if any */
    for (uint32_t i = 1; layer->mixer != TG_ATTENTION_MIXER && i < model->hparams.n_layer; i++)
        layer++;
    switch (layer->attn_qkv.rows ? layer->attn_qkv.quant : layer->attn_q.quant) {
    case TG_QUANT_F32:
        return TG_CACHE_F32;
    case TG_QUANT_F16:
    case TG_QUANT_BF16:
        return TG_CACHE_F16;
    default:
        return odd_heads(&model->hparams, tg_kv_type_table[TG_CACHE_Q8_0].elements) ? TG_CACHE_F16
                                                                                    : TG_CACHE_Q8_0;
    }
}

/* The cache's layout and what the decoder works with: from the hyper-parameters and options. */
static tg_status set_up(tg_model *model)
{
    const tg_model_options *options = &model->options;
    const tg_hparams *hp = &model->hparams;
    if (options->n_ctx > MAX_CTX || options->n_kv > 2 * MAX_CTX)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "n_ctx is %u and n_kv %u; the most are %u and %u", (unsigned)options->n_ctx,
                        (unsigned)options->n_kv, MAX_CTX, 2 * MAX_CTX);
    model->kv.type_k = cache_type(model, options->cache_type_k);
    model->kv.type_v = cache_type(model, options->cache_type_v);
    const uint32_t odd_k = odd_heads(hp, tg_kv_type_table[model->kv.type_k].elements);
    const uint32_t odd_v = odd_heads(hp, tg_kv_type_table[model->kv.type_v].elements);
    if (odd_k || odd_v)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "the model's heads are %u wide: that is no multiple of 32, as the cache "
                        "type q8_0 needs it",
                        (unsigned)(odd_k ? odd_k : odd_v));
    model->n_ctx = options->n_ctx                      ? options->n_ctx
                   : hp->n_ctx_train < DEFAULT_MAX_CTX ? hp->n_ctx_train
                                                       : DEFAULT_MAX_CTX;
    if (hp->positions && model->n_ctx > hp->n_ctx_train)
        return tgi_fail(
            &model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
            "n_ctx is %u; the model has learned its %u positions one by one and has no others",
            (unsigned)model->n_ctx, (unsigned)hp->n_ctx_train);
    model->n_kv =
        options->n_kv
            ? options->n_kv
            : model->n_ctx + (model->n_ctx < DEFAULT_BRANCHES ? model->n_ctx : DEFAULT_BRANCHES);
    model->kv.n_layer = hp->n_layer;
    uint64_t floats = 0;
    for (uint32_t i = 0; i < hp->n_layer; i++) {
        tg_layer *layer = &model->weights.layers[i];
        if (layer->mixer == TG_ATTENTION_MIXER)
            model->kv.layers[i] = (tg_kv_layer){.n_head = layer->kv_shared ? 0 : layer->n_head_kv,
                                                .head_dim = layer->head_dim};
        else if (layer->mixer == TG_CONV_MIXER)
            model->kv.layers[i] = (tg_kv_layer){.state = hp->n_embd};
        else {
            layer->state_at = (size_t)floats;
            floats += tgi_delta_net_state_size(hp);
        }
    }
    if (floats > INT32_MAX / sizeof(float))
        return tgi_fail(&model->error, TG_MODEL_TOO_LARGE, TG_NO_OFFSET,
                        "a recurrent state has %llu floats", (unsigned long long)floats);
    model->states.floats = (size_t)floats;
    if (floats) {
        const size_t fit = STATE_BYTES / (model->states.floats * sizeof(float));
        model->states.n_slots = fit < MIN_STATES   ? MIN_STATES
                                : fit > MAX_STATES ? MAX_STATES
                                                   : (uint32_t)fit;
    }
    model->decoder.weights = &model->weights;
    model->decoder.forward.kernels = &model->kernels;
    model->decoder.forward.hparams = hp;
    model->decoder.forward.kv = &model->kv;
    model->decoder.forward.pool = model->pool;
    model->decoder.forward.clock = options->clock;
    return TG_OK;
}

/* The header is complete: everything that can be wrong with it is found here, before any memory for
 * weights. */
static tg_status read_header(tg_model *model)
{
    tg_error *error = &model->error;
    tg_status status = TG_OK;
    if (!model->options.vocab_only)
        status = tgi_arch_find(model->gguf, &model->arch, error);
    if (!status)
        status = tgi_tokenizer_new(model->gguf, &model->tokens, error);
    if (status)
        return status;
    model->hparams.n_vocab = tgi_tokenizer_count(model->tokens);
    if (model->arch) {
        status = tgi_arch_read_hparams(model->arch, model->gguf, &model->hparams, error);
        if (status)
            return status;
        model->list = tgi_weights_new(model->gguf);
        model->weights.layers = calloc(model->hparams.n_layer, sizeof *model->weights.layers);
        model->kv.layers = calloc(model->hparams.n_layer, sizeof *model->kv.layers);
        if (!model->list || !model->weights.layers || !model->kv.layers)
            return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                            "no memory for the list of tensors");
        status = tgi_arch_want_tensors(model->arch, model->list, model->gguf, &model->hparams,
                                       &model->weights, error);
        if (!status)
            status = tgi_weights_check_all_wanted(model->list, error);
        if (!status)
            status = set_up(model);
        if (status)
            return status;
    }
    place(model, NULL);
    model->plan.scratch += tgi_sampler_memory(model->hparams.n_vocab, model->n_ctx);
    model->plan.header = tgi_gguf_memory(model->gguf) + tgi_tokenizer_memory(model->tokens) +
                         (model->list ? tgi_weights_memory(model->list) : 0);
    model->plan.file =
        model->options.file_size ? model->options.file_size : tgi_gguf_file_end(model->gguf);
    model->state = TG_MODEL_PLANNED;
    return TG_OK;
}

/* Loading errors are final: the state says so from then on. */
static tg_status loaded(tg_model *model, tg_status status)
{
    if (status)
        model->state = TG_MODEL_FAILED;
    return status;
}

tg_status tg_model_feed(tg_model *model, const uint8_t *bytes, size_t n, size_t *consumed)
{
    *consumed = 0;
    if (model->state == TG_MODEL_FAILED)
        return model->error.status;
    if (model->state == TG_MODEL_HEADER) {
        tg_status status = tgi_gguf_feed(model->gguf, bytes, n, consumed, &model->error);
        model->fed += *consumed;
        if (!status && tgi_gguf_done(model->gguf))
            status = read_header(model);
        return loaded(model, status);
    }
    if (model->state != TG_MODEL_WEIGHTS)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "bytes were fed before the memory was allocated or after the end");
    *consumed = n;
    model->fed += n;
    return loaded(model,
                  model->arch ? tgi_weights_feed(model->list, bytes, n, &model->error) : TG_OK);
}

tg_status tg_model_get_plan(tg_model *model, tg_model_plan *plan)
{
    tgi_error_clear(&model->error);
    if (model->state < TG_MODEL_PLANNED || model->state == TG_MODEL_FAILED)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "the header is not complete");
    *plan = model->plan;
    return TG_OK;
}

tg_status tg_model_allocate(tg_model *model)
{
    const uint64_t bytes = model->plan.weights + model->plan.kv + model->plan.scratch;
    if (model->state != TG_MODEL_PLANNED)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "there is no plan to allocate");
    if (bytes > SIZE_MAX / 2)
        return loaded(model, tgi_fail(&model->error, TG_MODEL_TOO_LARGE, TG_NO_OFFSET,
                                      "the model and its cache need %llu MB",
                                      (unsigned long long)(bytes >> 20)));
    const size_t arena = (size_t)(bytes - tgi_sampler_memory(model->hparams.n_vocab, model->n_ctx));
    /* malloc aligns to 16 at least; the arena's lines are kept by starting at the next of them */
    model->memory = malloc(arena + TG_ARENA_ALIGN);
    model->sampler = tgi_sampler_new(model->hparams.n_vocab, model->n_ctx);
    if (!model->memory || !model->sampler)
        return loaded(model, tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                                      "no memory for the model and its cache: %llu MB",
                                      (unsigned long long)(bytes >> 20)));
    const uint64_t scratch = model->plan.scratch;
    place(model, (uint8_t *)(((uintptr_t)model->memory + TG_ARENA_ALIGN - 1) / TG_ARENA_ALIGN *
                             TG_ARENA_ALIGN));
    model->plan.scratch = scratch;
    model->state = TG_MODEL_WEIGHTS;
    return TG_OK;
}

tg_status tg_model_finish(tg_model *model)
{
    if (model->state == TG_MODEL_FAILED)
        return model->error.status;
    if (model->state == TG_MODEL_HEADER)
        return loaded(model, tgi_gguf_end(model->gguf, &model->error));
    if (model->state != TG_MODEL_WEIGHTS)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "the model was not allocated");
    if (model->arch) {
        const tg_status status = tgi_weights_end(model->list, &model->error);
        if (status)
            return loaded(model, status);
        tgi_decoder_prepare(&model->decoder, model->n_ctx);
    }
    model->state = TG_MODEL_READY;
    return TG_OK;
}

tg_status tg_model_get_info(tg_model *model, tg_model_info *info)
{
    const tg_hparams *hp = &model->hparams;
    tg_str name = {"", 0}, architecture = {"", 0}, chat = {NULL, 0};
    bool found;
    tgi_error_clear(&model->error);
    if (model->state < TG_MODEL_PLANNED || model->state == TG_MODEL_FAILED)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "the header is not complete");
    /* a key of another type reads as absent */
    tgi_gguf_get_string(model->gguf, "tokenizer.chat_template", &chat, &found, NULL);
    tgi_gguf_get_string(model->gguf, "general.name", &name, &found, NULL);
    tgi_gguf_get_string(model->gguf, "general.architecture", &architecture, &found, NULL);
    *info = (tg_model_info){
        .architecture = architecture.data,
        .name = name.data,
        .chat_template = chat.data,
        .n_vocab = hp->n_vocab,
        .n_ctx_train = hp->n_ctx_train,
        .n_ctx = model->n_ctx,
        .n_kv = model->kv.n_pages * TG_PAGE,
        .n_layer = hp->n_layer,
        .n_embd = hp->n_embd,
        .n_head = hp->n_head,
        .n_head_kv = hp->n_head_kv,
        .n_ff = hp->n_ff,
        .kernel_variant = model->kernels.variant,
        .kernel_dot = model->kernels.dot,
        .cache_type_k = model->kv.type_k,
        .cache_type_v = model->kv.type_v,
        .tied_output = model->weights.tied,
    };
    for (uint32_t i = 0; i < TG_QUANT_COUNT; i++) {
        const char *quant;
        uint32_t tensors;
        uint64_t params;
        tg_model_get_quant(model, i, &quant, &tensors, &params);
        info->n_params += params;
    }
    tgi_gguf_fingerprint(model->gguf,
                         model->options.file_size ? model->options.file_size : model->fed,
                         info->fingerprint);
    return TG_OK;
}

tg_status tg_model_get_quant(tg_model *model, uint32_t index, const char **name, uint32_t *tensors,
                             uint64_t *params)
{
    tgi_error_clear(&model->error);
    if (index >= TG_QUANT_COUNT || !tgi_gguf_done(model->gguf))
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "no weight type has index %u", (unsigned)index);
    *name = tg_quants[index].name;
    *tensors = 0;
    *params = 0;
    for (uint32_t i = 0; i < tgi_gguf_n_tensors(model->gguf); i++) {
        const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(model->gguf, i);
        if (tensor->type == tg_quants[index].ggml) {
            ++*tensors;
            *params += tensor->size / tg_quants[index].bytes * tg_quants[index].block;
        }
    }
    return TG_OK;
}

uint64_t tg_model_n_decoded(const tg_model *model)
{
    return model->decoder.decoded;
}

/* ---- tokens ---- */

/* The vocabulary can be asked from TG_MODEL_PLANNED on. */
static tg_status with_vocabulary(tg_model *model)
{
    tgi_error_clear(&model->error);
    return model->tokens ? TG_OK
                         : tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                                    "the header is not complete");
}

static tg_status with_token(tg_model *model, int32_t id)
{
    const tg_status status = with_vocabulary(model);
    if (status)
        return status;
    return tgi_model_check_tokens(model, &id, 1);
}

tg_status tgi_model_check_tokens(tg_model *model, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (uint32_t)ids[i] >= model->hparams.n_vocab)
            return tgi_fail(&model->error, TG_TOKEN_OUT_OF_RANGE, TG_NO_OFFSET,
                            "token %d is not in the vocabulary of %u", (int)ids[i],
                            (unsigned)model->hparams.n_vocab);
    return TG_OK;
}

tg_status tg_model_tokenize(tg_model *model, const char *text, size_t length, unsigned flags,
                            int32_t *ids, uint32_t *ends, size_t capacity, size_t *n)
{
    const tg_status status = with_vocabulary(model);
    return status ? status
                  : tgi_tokenizer_encode(model->tokens, text, length, flags, ids, ends, capacity, n,
                                         &model->error);
}

tg_status tg_model_detokenize(tg_model *model, const int32_t *ids, size_t n_ids, char *text,
                              size_t capacity, size_t *n)
{
    const tg_status status = with_vocabulary(model);
    return status
               ? status
               : tgi_tokenizer_decode(model->tokens, ids, n_ids, text, capacity, n, &model->error);
}

tg_status tg_model_sequence_breakers(tg_model *model, const char *text, size_t length, int32_t *ids,
                                     size_t capacity, size_t *n)
{
    const tg_status status = with_vocabulary(model);
    return status ? status
                  : tgi_tokenizer_sequence_breakers(model->tokens, text, length, ids, capacity, n,
                                                    &model->error);
}

tg_status tg_model_token_bytes(tg_model *model, int32_t id, const char **bytes, size_t *length)
{
    const tg_status status = with_token(model, id);
    if (!status) {
        const tg_str view = tgi_tokenizer_bytes(model->tokens, id);
        *bytes = view.data;
        *length = view.length;
    }
    return status;
}

tg_status tg_model_token_piece(tg_model *model, int32_t id, const char **text, size_t *length)
{
    const tg_status status = with_token(model, id);
    if (!status) {
        const tg_str view = tgi_tokenizer_piece(model->tokens, id);
        *text = view.data;
        *length = view.length;
    }
    return status;
}

tg_status tg_model_token_flags(tg_model *model, int32_t id, uint32_t *kind, bool *eog)
{
    const tg_status status = with_token(model, id);
    if (!status) {
        *kind = tgi_tokenizer_token_type(model->tokens, id);
        *eog = tgi_tokenizer_is_eog(model->tokens, id);
    }
    return status;
}

const char *tg_model_get_profile(const tg_model *model, uint32_t index, double *ms)
{
    static const char *const names[] = {
#define TG_STEP(name, what) #name,
#include "../layers/profile.def"
#undef TG_STEP
    };
    if (index >= TG_STEP_COUNT)
        return NULL;
    *ms = model->decoder.forward.times[index];
    return names[index];
}

void tg_model_thread_main(tg_model *model, uint32_t thread)
{
    tgi_pool_thread_main(model->pool, thread);
}

void tg_model_thread_died(tg_model *model)
{
    tgi_pool_fail(model->pool);
}

tg_status tgi_model_thread_lost(tg_model *model)
{
    return tgi_fail(&model->error, TG_THREAD_LOST, TG_NO_OFFSET,
                    "a thread of the model died or did not move for %d s: load the model again",
                    TG_POOL_PATIENCE);
}

int32_t tg_model_bos(const tg_model *model)
{
    return model->tokens ? tgi_tokenizer_bos(model->tokens) : -1;
}

int32_t tg_model_eos(const tg_model *model)
{
    return model->tokens ? tgi_tokenizer_eos(model->tokens) : -1;
}
