/* Runs the tokens of sessions through the model, batch by batch. A batch has rows of one session or
 * of several. */
#include "model.h"

#include <string.h>

/* The batch is the pending one no more. */
static void end_batch(tg_pending_batch *pending)
{
    pending->batch.n_sequences = pending->n_asked = 0;
}

void tgi_model_cancel_batch(tg_model *model)
{
    tg_pending_batch *pending = &model->pending_batch;
    for (uint32_t i = 0; i < pending->batch.n_sequences; i++)
        if (pending->slots[i] != TG_NO_SLOT)
            tgi_recurrent_release(&model->cache.recurrent, pending->slots[i]);
    end_batch(pending);
}

bool tg_session_has_pending_batch(const tg_session *session)
{
    const tg_pending_batch *pending = &session->model->pending_batch;
    for (uint32_t i = 0; i < pending->batch.n_sequences; i++)
        if (pending->sessions[i] == session)
            return true;
    return false;
}

void tgi_session_cancel_batch(tg_session *session)
{
    if (tg_session_has_pending_batch(session))
        tgi_model_cancel_batch(session->model);
}

size_t tg_session_pending(const tg_session *session)
{
    return session->logits_at == session->n_tokens ? 0
                                                   : session->n_tokens - session->cache.n_cached;
}

/* ---- making a batch ---- */

/* Adds a sequence for n of the session's tokens that are not cached. */
static tg_status add_sequence(tg_session *session, uint32_t n)
{
    tg_model *model = session->model;
    tg_cache *cache = &model->cache;
    tg_pending_batch *pending = &model->pending_batch;
    const uint32_t index = pending->batch.n_sequences;
    uint32_t slot;
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
    session->cache.pinned = true;
    pending->sessions[index] = session;
    pending->slots[index] = slot;
    pending->sequences[index] = (tg_sequence){
        .n = n,
        .base = base,
        .table = &session->cache.table,
        .plan = session->plan,
        .n_text = session->n_tokens,
        .n_streamed = n,
        .state_after = slot != TG_NO_SLOT ? tgi_recurrent_at(&cache->recurrent, slot) : NULL,
    };
    pending->batch.n += n;
    pending->batch.n_sequences++;
    if (session->plan) {
        pending->batch.plans = true;
        pending->whole |= session->plan->has_state;
    }
    return TG_OK;
}

/* Adds the session's draft to its sequence, if there is room beside the tokens of all sequences. */
static void add_draft(tg_session *session, tg_sequence *sequence)
{
    tg_model *model = session->model;
    tg_batch *batch = &model->pending_batch.batch;
    const uint32_t n = tgi_draft_begin(session, TG_BATCH - batch->n);
    if (!n)
        return;
    if (tgi_cache_reserve(&model->cache, &session->cache, sequence->base + sequence->n + n,
                          &model->error)) {
        tgi_error_clear(&model->error);
        tgi_draft_drop(session);
        return;
    }
    sequence->visible = tgi_draft_visible(session);
    sequence->n += n;
    sequence->n_streamed = sequence->n;
    batch->n += n;
}

/* Writes the rows of sequence number `index`, from row `first` on. */
static void write_rows(tg_pending_batch *pending, uint32_t index, uint32_t first)
{
    const tg_session *session = pending->sessions[index];
    tg_sequence *sequence = &pending->sequences[index];
    const uint32_t n = sequence->visible ? 1 : sequence->n; /* tokens of the session */
    sequence->first = first;
    for (uint32_t i = 0; i < n; i++) {
        pending->tokens[first + i] = session->tokens[sequence->base + i];
        pending->positions[first + i] = (int32_t)(sequence->base + i);
    }
    if (sequence->visible)
        tgi_draft_rows(session, pending->tokens + first + 1, pending->positions + first + 1);
    memset(pending->sequence_of + first, (int)index, sequence->n);
}

/* Makes a batch of the next tokens of the sessions the pending one: at most max_tokens tokens, at
 * least one of each session while there is room. Sessions for which the cache has no room beside
 * the others wait. evicted: also the tokens of a session that has its logits and lost positions. */
static tg_status start_batch(tg_session *const *sessions, uint32_t n, uint32_t max_tokens,
                             bool evicted)
{
    tg_model *model = sessions[0]->model;
    tg_pending_batch *pending = &model->pending_batch;
    tg_status status = TG_OK;
    tgi_model_cancel_batch(model);
    pending->batch = (tg_batch){.tokens = pending->tokens,
                                .positions = pending->positions,
                                .sequences = pending->sequences,
                                .sequence_of = pending->sequence_of};
    pending->whole = false;
    uint32_t room = max_tokens < TG_BATCH ? max_tokens : TG_BATCH;
    for (uint32_t i = 0; i < n && room; i++) {
        tg_session *session = sessions[i];
        if (session->plan)
            tgi_plan_begin(session);
        const size_t wanted =
            evicted ? session->n_tokens - session->cache.n_cached : tg_session_pending(session);
        const uint32_t n_after = n - i - 1, /* sessions that come after it */
            free_rows = TG_BATCH - pending->batch.n;
        uint32_t n_tokens = room > n_after ? room - n_after : 1;
        n_tokens = n_tokens < wanted ? n_tokens : (uint32_t)wanted;
        n_tokens = n_tokens < free_rows ? n_tokens : free_rows;
        if (!n_tokens)
            continue;
        if (session->plan)
            n_tokens = tgi_plan_next_batch(session, n_tokens);
        if (n_tokens > free_rows)
            continue;
        status = !n_tokens ? model->error.status : add_sequence(session, n_tokens);
        if (status && !pending->batch.n_sequences)
            break; /* the error of the first */
        if (status)
            tgi_error_clear(&model->error);
        else
            room -= n_tokens < room ? n_tokens : room;
    }
    /* drafts come after the tokens of all: they must not evict what another sequence needs */
    for (uint32_t i = 0; i < pending->batch.n_sequences; i++)
        add_draft(pending->sessions[i], &pending->sequences[i]);
    for (uint32_t i = 0, first = 0; i < pending->batch.n_sequences; i++) {
        write_rows(pending, i, first);
        first += pending->sequences[i].n;
        pending->sessions[i]->cache.pinned = false;
        /* the states, once no slot is taken any more */
        pending->sequences[i].state =
            tgi_cache_recurrent(&model->cache, &pending->sessions[i]->cache);
    }
    if (!pending->batch.n_sequences)
        return status;
    if (pending->batch.plans) {
        status = tgi_plan_reserve(model);
        if (status) {
            tgi_model_cancel_batch(model);
            return status;
        }
    }
    memcpy(pending->asked, sessions, n * sizeof(tg_session *));
    pending->n_asked = n;
    tgi_decode_begin(&model->decoder, &pending->batch);
    return TG_OK;
}

/* ---- running a batch ---- */

/* Counts the batch's tokens as cached. */
static void keep_batch(tg_model *model)
{
    const tg_pending_batch *pending = &model->pending_batch;
    for (uint32_t i = 0; i < pending->batch.n_sequences; i++) {
        tg_cache_user *user = &pending->sessions[i]->cache;
        const tg_sequence *sequence = &pending->sequences[i];
        /* of a tree only the root is a token of the session */
        user->n_cached = sequence->base + (sequence->visible ? 1 : sequence->n);
        if (pending->slots[i] != TG_NO_SLOT)
            tgi_checkpoints_append(&model->cache.recurrent, &user->checkpoints, user->n_cached,
                                   pending->slots[i]);
        if (!sequence->plan)
            continue;
        sequence->plan->n_seen = user->n_cached;
        if (tgi_plan_repeats(sequence->plan, user->n_cached))
            tgi_cache_truncate(&model->cache, user, 0);
    }
}

/* Starts or continues a batch of these sessions, and runs max_layers layers of it at most. *done:
 * whether the last layer has run; then the batch's tokens are cached, and its sequences stay until
 * the next call. */
static tg_status run_layers(tg_session *const *sessions, uint32_t n, uint32_t max_tokens,
                            uint32_t max_layers, bool evicted, bool *done)
{
    tg_model *model = sessions[0]->model;
    tg_pending_batch *pending = &model->pending_batch;
    *done = false;
    if (pending->n_asked != n || memcmp(pending->asked, sessions, n * sizeof *sessions) != 0) {
        const tg_status status = start_batch(sessions, n, max_tokens, evicted);
        if (status || !pending->batch.n_sequences)
            return status;
    }
    *done = tgi_decode_layers(&model->decoder, pending->whole ? UINT32_MAX : max_layers);
    if (tgi_pool_failed(model->pool)) {
        *done = false;
        tgi_model_cancel_batch(model);
        return tgi_model_thread_lost(model);
    }
    if (*done)
        keep_batch(model);
    return TG_OK;
}

tg_status tgi_session_run_batch(tg_session *session, uint32_t n, uint32_t max_layers,
                                uint32_t *n_done)
{
    tg_pending_batch *pending = &session->model->pending_batch;
    bool done;
    *n_done = 0;
    tgi_draft_drop(session); /* the caller reads the rows: they are the session's tokens */
    const tg_status status = run_layers(&session, 1, n, max_layers, true, &done);
    if (!done)
        return status;
    *n_done = pending->batch.n;
    end_batch(pending);
    return TG_OK;
}

/* ---- logits ---- */

/* Adds the rows of the session's last token and of its draft to the n rows so far, and where their
 * logits go. Returns how many rows there are. */
static uint32_t add_rows(tg_session *session, const tg_sequence *sequence, uint32_t n,
                         uint32_t *rows, float **outs)
{
    if (session->cache.n_cached != session->n_tokens)
        return n;
    const uint32_t first = sequence->first;
    rows[n] = sequence->visible ? first : first + sequence->n - 1;
    outs[n++] = session->logits;
    for (uint32_t i = 1; sequence->visible && i < sequence->n; i++) {
        rows[n] = first + i;
        outs[n++] = tgi_draft_logits(session, (int32_t)i - 1);
    }
    return n;
}

/* Stores the logits of the sessions of the batch that have no more tokens to run. */
static tg_status store_logits(tg_model *model, uint32_t n_sequences)
{
    const tg_pending_batch *pending = &model->pending_batch;
    uint32_t rows[TG_BATCH], n = 0;
    float *outs[TG_BATCH];
    for (uint32_t i = 0; i < n_sequences; i++)
        n = add_rows(pending->sessions[i], &pending->sequences[i], n, rows, outs);
    const bool ok = tgi_decode_copy_logits(&model->decoder, rows, n, outs);
    for (uint32_t i = 0; i < n_sequences; i++) {
        tg_session *session = pending->sessions[i];
        if (session->cache.n_cached != session->n_tokens)
            continue;
        if (ok) {
            session->logits_at = session->n_tokens;
            if (pending->sequences[i].visible)
                tgi_draft_has_run(session);
        } else { /* without its logits the last token has to be run again */
            tgi_cache_truncate(&model->cache, &session->cache, session->cache.n_cached - 1);
        }
    }
    return ok ? TG_OK : tgi_model_thread_lost(model);
}

tg_status tgi_session_store_logits(tg_session *session)
{
    return store_logits(session->model, 1);
}

/* ---- the public calls ---- */

tg_status tg_sessions_eval(tg_session *const *sessions, size_t n, size_t max_tokens,
                           uint32_t max_layers)
{
    tg_model *model = sessions[0]->model;
    tg_pending_batch *pending = &model->pending_batch;
    bool done;
    tgi_error_clear(&model->error);
    if (!n || n > TG_BATCH)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "a batch has 1 to %d sessions, not %zu", TG_BATCH, n);
    if (!max_tokens)
        return TG_OK;
    const tg_status status =
        run_layers(sessions, (uint32_t)n, max_tokens < TG_BATCH ? (uint32_t)max_tokens : TG_BATCH,
                   max_layers ? max_layers : UINT32_MAX, false, &done);
    if (!done)
        return status;
    const uint32_t n_sequences = pending->batch.n_sequences;
    end_batch(pending);
    return store_logits(model, n_sequences);
}

tg_status tg_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers)
{
    tgi_error_clear(&session->model->error);
    while (max_tokens && tg_session_pending(session)) {
        const uint32_t n_cached = session->cache.n_cached;
        const tg_status status = tg_sessions_eval(&session, 1, max_tokens, max_layers);
        if (status || tg_session_has_pending_batch(session))
            return status;
        const size_t n_done = session->cache.n_cached - n_cached;
        max_tokens -= n_done < max_tokens ? n_done : max_tokens;
    }
    return TG_OK;
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
