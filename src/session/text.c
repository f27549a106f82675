/* The vocabulary of a model: text to tokens and back. Available from TG_MODEL_PLANNED on. */
#include "model.h"

static tg_status check_vocabulary(tg_model *model)
{
    tgi_error_clear(&model->error);
    if (model->tokenizer)
        return TG_OK;
    return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET, "the header is not complete");
}

static tg_status check_token(tg_model *model, int32_t id)
{
    const tg_status status = check_vocabulary(model);
    return status ? status : tgi_model_check_tokens(model, &id, 1);
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
    const tg_status status = check_vocabulary(model);
    if (status)
        return status;
    if (ends && (uint64_t)length > UINT32_MAX)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "the text has %zu bytes; positions in it are 32-bit numbers", length);
    return tgi_tokenizer_encode(model->tokenizer, text, length, flags, ids, ends, capacity, n,
                                &model->error);
}

tg_status tg_model_detokenize(tg_model *model, const int32_t *ids, size_t n_ids, char *text,
                              size_t capacity, size_t *n)
{
    const tg_status status = check_vocabulary(model);
    if (status)
        return status;
    return tgi_tokenizer_decode(model->tokenizer, ids, n_ids, text, capacity, n, &model->error);
}

tg_status tg_model_sequence_breakers(tg_model *model, const char *text, size_t length, int32_t *ids,
                                     size_t capacity, size_t *n)
{
    const tg_status status = check_vocabulary(model);
    if (status)
        return status;
    return tgi_tokenizer_sequence_breakers(model->tokenizer, text, length, ids, capacity, n,
                                           &model->error);
}

tg_status tg_model_token_bytes(tg_model *model, int32_t id, const char **bytes, size_t *length)
{
    const tg_status status = check_token(model, id);
    if (!status) {
        const tg_str view = tgi_tokenizer_bytes(model->tokenizer, id);
        *bytes = view.data;
        *length = view.length;
    }
    return status;
}

tg_status tg_model_token_piece(tg_model *model, int32_t id, const char **text, size_t *length)
{
    const tg_status status = check_token(model, id);
    if (!status) {
        const tg_str view = tgi_tokenizer_piece(model->tokenizer, id);
        *text = view.data;
        *length = view.length;
    }
    return status;
}

tg_status tg_model_token_flags(tg_model *model, int32_t id, uint32_t *type, bool *eog)
{
    const tg_status status = check_token(model, id);
    if (!status) {
        *type = tgi_tokenizer_token_type(model->tokenizer, id);
        *eog = tgi_tokenizer_is_eog(model->tokenizer, id);
    }
    return status;
}

const char *tg_model_get_warning(const tg_model *model, uint32_t index)
{
    uint32_t n = 0;
    for (const char *text; model->tokenizer && (text = tgi_tokenizer_warning(model->tokenizer, n));
         n++)
        if (n == index)
            return text;
    return index - n < model->warnings.n ? model->warnings.texts[index - n] : NULL;
}

int32_t tg_model_bos(const tg_model *model)
{
    return model->tokenizer ? tgi_tokenizer_bos(model->tokenizer) : -1;
}

int32_t tg_model_eos(const tg_model *model)
{
    return model->tokenizer ? tgi_tokenizer_eos(model->tokenizer) : -1;
}
