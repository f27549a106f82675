/* The life of a model: from options and a file's bytes to a model that is ready to run. */
#include "model.h"
#include "../methods/recycling.h"

#include <stdlib.h>

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
    /* the pool first: its threads use the rest. A thread that does not leave may still do so later,
     * so then nothing is freed. */
    if (!tgi_pool_free(model->pool))
        return;
    free(model->decoder.scratch.rows_memory);
    free(model->memory);
    tgi_sampler_free(model->sampler);
    tgi_grammar_vocabulary_free(model->grammar_vocabulary);
    tgi_recycling_free(model->recycling);
    tgi_weights_free(model->loader);
    free(model->weights.layers);
    free(model->cache.kv.layers);
    tgi_tokenizer_free(model->tokenizer);
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

void tgi_model_layout(tg_model *model, void *base)
{
    tg_arena arena = {base, 0};
    if (model->arch) {
        tgi_weights_layout(model->loader, &arena);
        model->plan.weights = arena.used;
        tgi_kv_layout(&model->cache.kv, model->n_kv, &arena);
        tgi_recurrent_layout(&model->cache.recurrent, &arena);
        model->plan.kv = arena.used - model->plan.weights;
        tgi_decoder_layout(&model->decoder, &arena);
    }
    model->plan.scratch = arena.used - model->plan.weights - model->plan.kv;
}

/* ---- loading ---- */

/* An error while loading is final. */
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
        if (!status && tgi_gguf_done(model->gguf))
            status = tgi_model_read_header(model);
        return loaded(model, status);
    }
    if (model->state != TG_MODEL_WEIGHTS)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "bytes were fed before the memory was allocated or after the end");
    *consumed = n;
    return loaded(model,
                  model->arch ? tgi_weights_feed(model->loader, bytes, n, &model->error) : TG_OK);
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
    /* malloc aligns to 16 bytes; the arena starts at the next multiple of TG_ARENA_ALIGN */
    model->memory = malloc(arena + TG_ARENA_ALIGN);
    model->sampler = tgi_sampler_new(model->hparams.n_vocab, model->n_ctx);
    if (!model->memory || !model->sampler)
        return loaded(model, tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                                      "no memory for the model and its cache: %llu MB",
                                      (unsigned long long)(bytes >> 20)));
    const uint64_t scratch = model->plan.scratch; /* with the sampler's memory */
    const uintptr_t address = (uintptr_t)model->memory + TG_ARENA_ALIGN - 1;
    tgi_model_layout(model, (uint8_t *)(address / TG_ARENA_ALIGN * TG_ARENA_ALIGN));
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
        const tg_status status = tgi_weights_end(model->loader, &model->error);
        if (status)
            return loaded(model, status);
        tgi_decoder_prepare(&model->decoder, model->n_ctx);
    }
    model->state = TG_MODEL_READY;
    return TG_OK;
}

/* ---- what a model is ---- */

static tg_status check_planned(tg_model *model)
{
    tgi_error_clear(&model->error);
    if (model->state < TG_MODEL_PLANNED || model->state == TG_MODEL_FAILED)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "the header is not complete");
    return TG_OK;
}

tg_status tg_model_get_plan(tg_model *model, tg_model_plan *plan)
{
    const tg_status status = check_planned(model);
    if (!status)
        *plan = model->plan;
    return status;
}

tg_status tg_model_get_info(tg_model *model, tg_model_info *info)
{
    const tg_hparams *hp = &model->hparams;
    const tg_kv *kv = &model->cache.kv;
    tg_str name = {"", 0}, architecture = {"", 0}, chat = {NULL, 0};
    bool found;
    const tg_status status = check_planned(model);
    if (status)
        return status;
    /* a key of another type counts as absent */
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
        .n_kv = kv->n_pages * TG_PAGE,
        .n_layer = hp->n_layer,
        .n_embd = hp->n_embd,
        .n_head = hp->n_head,
        .n_head_kv = hp->n_head_kv,
        .n_ff = hp->n_ff,
        .kernel_variant = model->kernels.variant,
        .kernel_dot = model->kernels.dot,
        .cache_type_k = kv->type_k,
        .cache_type_v = kv->type_v,
        .n_states = model->cache.recurrent.n_slots,
        .tied_output = model->weights.tied,
    };
    for (uint32_t i = 0; i < TG_QUANT_COUNT; i++) {
        const char *quant;
        uint32_t n_tensors;
        uint64_t n_params;
        tg_model_get_quant(model, i, &quant, &n_tensors, &n_params);
        info->n_params += n_params;
    }
    /* bytes after the last tensor may be missing or never be read: they do not count */
    tgi_gguf_fingerprint(model->gguf, model->plan.file, info->fingerprint);
    return TG_OK;
}

const char *tg_model_get_key(const tg_model *model, uint32_t index, char *value, size_t capacity)
{
    const tg_gguf_kv *kv = tgi_gguf_kv_at(model->gguf, index);
    if (!kv)
        return NULL;
    tgi_gguf_print(kv, value, capacity);
    return kv->key.data;
}

const char *tg_model_get_key_text(const tg_model *model, uint32_t index)
{
    const tg_gguf_kv *kv = tgi_gguf_kv_at(model->gguf, index);
    return kv && kv->type == TG_GGUF_STRING ? kv->value.string.data : NULL;
}

bool tg_model_get_tensor(const tg_model *model, uint32_t index, tg_tensor_info *info)
{
    if (!tgi_gguf_done(model->gguf) || index >= tgi_gguf_n_tensors(model->gguf))
        return false;
    const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(model->gguf, index);
    *info = (tg_tensor_info){
        .name = tensor->name.data,
        .type = (uint32_t)(tgi_quant_of_ggml(tensor->type) - tg_quants),
        .n_dims = tensor->n_dims,
        .offset = tensor->offset,
        .size = tensor->size,
    };
    for (uint32_t i = 0; i < TG_GGUF_MAX_DIMS; i++)
        info->dims[i] = tensor->dims[i];
    return true;
}

tg_status tg_model_get_quant(tg_model *model, uint32_t index, const char **name,
                             uint32_t *n_tensors, uint64_t *n_params)
{
    tgi_error_clear(&model->error);
    if (index >= TG_QUANT_COUNT || !tgi_gguf_done(model->gguf))
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "no weight type has index %u", (unsigned)index);
    const tg_quant_row *quant = &tg_quants[index];
    *name = quant->name;
    *n_tensors = 0;
    *n_params = 0;
    for (uint32_t i = 0; i < tgi_gguf_n_tensors(model->gguf); i++) {
        const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(model->gguf, i);
        if (tensor->type == quant->ggml) {
            ++*n_tensors;
            *n_params += tensor->size / quant->bytes * quant->block;
        }
    }
    return TG_OK;
}

uint64_t tg_model_n_decoded(const tg_model *model)
{
    return model->decoder.n_decoded;
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
    *ms = model->decoder.scratch.profile.ms[index];
    return names[index];
}

/* ---- threads ---- */

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
