/* The logits of a tree of tokens after a session's prefix, in one batch. */
#include "model.h"

static bool bit(const uint32_t *row, size_t i)
{
    return row[i / 32] >> i % 32 & 1;
}

/* Each token has a position in the context, sees itself, and sees no token after it. */
static tg_status check_tree(tg_model *model, const int32_t *positions, const uint32_t *visible,
                            size_t n)
{
    tg_error *error = &model->error;
    const size_t words = (n + 31) / 32;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *row = visible + i * words;
        if (positions[i] < 0 || (uint32_t)positions[i] >= model->n_ctx)
            return tgi_fail(error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET,
                            "tree token %zu has position %d; the context has %u", i,
                            (int)positions[i], (unsigned)model->n_ctx);
        for (size_t j = i + 1; j < 32 * words; j++)
            if (bit(row, j))
                return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                                "tree token %zu sees token %zu, which comes after it", i, j);
        if (!bit(row, i))
            return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                            "tree token %zu does not see itself", i);
    }
    return TG_OK;
}

tg_status tg_session_decode_tree(tg_session *session, const int32_t *tokens,
                                 const int32_t *positions, const uint32_t *visible, size_t n,
                                 float *logits)
{
    tg_model *model = session->model;
    tg_cache *cache = &model->cache;
    const uint32_t base = session->n_tokens;
    tgi_error_clear(&model->error);
    if (tg_session_pending(session))
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "%zu tokens have not been run", tg_session_pending(session));
    if (!n || n > TG_BATCH)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "a tree has 1 to %d tokens, not %zu", TG_BATCH, n);
    tg_status status = tgi_model_check_tokens(model, tokens, n);
    if (!status)
        status = check_tree(model, positions, visible, n);
    if (!status)
        status = tgi_session_run_pending(session);
    if (status)
        return status;
    tgi_model_cancel_batch(model);
    status = tgi_cache_reserve(cache, &session->cache, base + (uint32_t)n, &model->error);
    if (status)
        return status;
    const tg_batch batch = {
        .n = (uint32_t)n,
        .tokens = tokens,
        .positions = positions,
        .base = base,
        .visible = visible,
        .table = &session->cache.table,
        .state = tgi_cache_recurrent(cache, &session->cache),
    };
    tgi_decode_begin(&model->decoder, &batch);
    tgi_decode_layers(&model->decoder, UINT32_MAX);
    if (tgi_pool_failed(model->pool))
        status = tgi_model_thread_lost(model);
    for (uint32_t i = 0; i < n && !status; i++)
        status = tgi_session_copy_logits(model, i, logits + i * (size_t)model->hparams.n_vocab);
    tgi_kv_truncate(&cache->kv, &session->cache.table, base);
    return status;
}
