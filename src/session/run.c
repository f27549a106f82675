/* Runs a session's tokens through the model, batch by batch. */
#include "model.h"

#include <string.h>

void tgi_model_cancel_batch(tg_model *model)
{
    tg_pending_batch *pending = &model->pending_batch;
    if (pending->session && pending->slot != TG_NO_SLOT)
        tgi_recurrent_release(&model->cache.recurrent, pending->slot);
    pending->session = NULL;
}

void tgi_session_cancel_batch(tg_session *session)
{
    if (session->model->pending_batch.session == session)
        tgi_model_cancel_batch(session->model);
}

bool tg_session_has_pending_batch(const tg_session *session)
{
    return session->model->pending_batch.session == session;
}

size_t tg_session_pending(const tg_session *session)
{
    return session->logits_at == session->n_tokens ? 0
                                                   : session->n_tokens - session->cache.n_cached;
}

/* Makes a batch of the session's next n tokens the pending one. */
static tg_status start_batch(tg_session *session, uint32_t n)
{
    tg_model *model = session->model;
    tg_cache *cache = &model->cache;
    tg_pending_batch *pending = &model->pending_batch;
    uint32_t slot;
    tgi_model_cancel_batch(model);
    /* the slot first: evicting a checkpoint can truncate tables */
    tg_status status = tgi_cache_alloc_recurrent(cache, &session->cache, &slot, &model->error);
    if (status)
        return status;
    const uint32_t base = session->cache.n_cached;
    status = tgi_cache_reserve(cache, &session->cache, base + n, &model->error);
    if (status) {
        if (slot != TG_NO_SLOT)
            tgi_recurrent_release(&cache->recurrent, slot);
        return status;
    }
    for (uint32_t i = 0; i < n; i++)
        pending->positions[i] = (int32_t)(base + i);
    pending->session = session;
    pending->slot = slot;
    pending->batch = (tg_batch){
        .n = n,
        .tokens = session->tokens + base,
        .positions = pending->positions,
        .base = base,
        .table = &session->cache.table,
        .state = tgi_cache_recurrent(cache, &session->cache),
        .state_after = slot != TG_NO_SLOT ? tgi_recurrent_at(&cache->recurrent, slot) : NULL,
    };
    tgi_decode_begin(&model->decoder, &pending->batch);
    return TG_OK;
}

tg_status tgi_session_run_batch(tg_session *session, uint32_t n, uint32_t max_layers,
                                uint32_t *n_done)
{
    tg_model *model = session->model;
    tg_pending_batch *pending = &model->pending_batch;
    *n_done = 0;
    if (pending->session != session) {
        const tg_status status = start_batch(session, n < TG_BATCH ? n : TG_BATCH);
        if (status)
            return status;
    }
    const bool done = tgi_decode_layers(&model->decoder, max_layers);
    if (tgi_pool_failed(model->pool)) {
        tgi_model_cancel_batch(model);
        return tgi_model_thread_lost(model);
    }
    if (!done)
        return TG_OK;
    pending->session = NULL;
    session->cache.n_cached += pending->batch.n;
    if (pending->slot != TG_NO_SLOT)
        tgi_checkpoints_append(&model->cache.recurrent, &session->cache.checkpoints,
                               session->cache.n_cached, pending->slot);
    *n_done = pending->batch.n;
    return TG_OK;
}

tg_status tgi_session_copy_logits(tg_model *model, uint32_t row, float *out)
{
    const float *logits = tgi_decode_logits(&model->decoder, row);
    if (!logits)
        return tgi_model_thread_lost(model);
    memcpy(out, logits, model->hparams.n_vocab * sizeof *out);
    return TG_OK;
}

tg_status tgi_session_store_logits(tg_session *session, uint32_t n)
{
    tg_cache_user *user = &session->cache;
    if (user->n_cached != session->n_tokens)
        return TG_OK;
    const tg_status status = tgi_session_copy_logits(session->model, n - 1, session->logits);
    if (status) /* without its logits the last token has to be run again */
        tgi_cache_truncate(&session->model->cache, user, user->n_cached - 1);
    else
        session->logits_at = session->n_tokens;
    return status;
}

tg_status tgi_session_run_pending(tg_session *session)
{
    tg_status status = tg_session_eval(session, SIZE_MAX, 0);
    /* there can be logits although cached positions were evicted */
    while (!status && session->cache.n_cached < session->n_tokens) {
        uint32_t n_done;
        status = tgi_session_run_batch(session, session->n_tokens - session->cache.n_cached,
                                       UINT32_MAX, &n_done);
    }
    return status;
}

tg_status tg_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers)
{
    tgi_error_clear(&session->model->error);
    while (max_tokens && tg_session_pending(session)) {
        size_t n = tg_session_pending(session);
        n = n < max_tokens ? n : max_tokens;
        uint32_t n_done;
        tg_status status = tgi_session_run_batch(session, (uint32_t)n,
                                                 max_layers ? max_layers : UINT32_MAX, &n_done);
        if (!status && n_done)
            status = tgi_session_store_logits(session, n_done);
        if (status || !n_done)
            return status;
        max_tokens -= n_done < max_tokens ? n_done : max_tokens;
    }
    return TG_OK;
}
