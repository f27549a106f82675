/* In: tokens and sampling requests. Out: logits, traces and scores. A session owns its tokens, page table and logits in one
 * allocation; the pages belong to the model. */
#include "model.h"
#include "score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pages for n_ctx positions and, past them, for the batch of a tree. */
static uint32_t table_capacity(const tg_model *model)
{
    return (model->n_ctx + TG_BATCH + TG_PAGE - 1) / TG_PAGE;
}

static tg_session *allocate(tg_model *model)
{
    const size_t vocab = model->hparams.n_vocab, n_ctx = model->n_ctx, pages = table_capacity(model);
    tg_session *session = malloc(sizeof *session + (vocab + n_ctx + pages) * 4);
    if (session) {
        *session = (tg_session){.model = model};
        session->logits = (float *)(session + 1);
        session->tokens = (int32_t *)(session->logits + vocab);
        session->table.pages = (uint32_t *)(session->tokens + n_ctx);
    } else {
        tg_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a session of %u positions", (unsigned)model->n_ctx);
    }
    return session;
}

/* Ends the session's batch that is under way, if there is one. */
static void land(tg_session *session)
{
    if (session->model->flight.session == session)
        session->model->flight.session = NULL;
}

tg_status tg_session_new(tg_model *model, tg_session **out)
{
    tg_error_clear(&model->error);
    if (model->state != TG_MODEL_READY || !model->arch)
        return tg_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                       model->options.vocab_only ? "a model loaded with vocab_only has no sessions"
                                                 : "the model is not complete");
    *out = allocate(model);
    return model->error.status;
}

void tg_session_free(tg_session *session)
{
    if (!session)
        return;
    land(session);
    tg_kv_cut(&session->model->kv, &session->table, 0);
    free(session);
}

tg_status tg_session_fork(const tg_session *session, tg_session **out)
{
    tg_model *model = session->model;
    tg_error_clear(&model->error);
    tg_session *fork = allocate(model);
    if (!fork)
        return model->error.status;
    memcpy(fork->tokens, session->tokens, session->n_tokens * sizeof *fork->tokens);
    memcpy(fork->logits, session->logits, model->hparams.n_vocab * sizeof *fork->logits);
    fork->n_tokens = session->n_tokens;
    fork->n_cached = session->n_cached;
    fork->logits_at = session->logits_at;
    tg_kv_share(&model->kv, &session->table, &fork->table);
    tg_kv_cut(&model->kv, &fork->table, fork->n_cached); /* a batch that is not through has pages past them: they stay its own */
    *out = fork;
    return TG_OK;
}

const int32_t *tg_session_tokens(const tg_session *session, size_t *n)
{
    *n = session->n_tokens;
    return session->tokens;
}

/* Keeps the first n tokens. Without the logits that follow them the last is run again: its logits come out the same. */
static void keep(tg_session *session, uint32_t n)
{
    land(session);
    session->n_tokens = n;
    if (session->logits_at != n)
        session->logits_at = 0;
    const uint32_t most = n && !session->logits_at ? n - 1 : n;
    if (session->n_cached > most)
        session->n_cached = most;
    tg_kv_cut(&session->model->kv, &session->table, session->n_cached);
}

tg_status tg_session_sync(tg_session *session, const int32_t *tokens, size_t n)
{
    tg_model *model = session->model;
    tg_error_clear(&model->error);
    if (n > model->n_ctx)
        return tg_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET, "%zu tokens do not fit into a context of %u", n,
                       (unsigned)model->n_ctx);
    const tg_status status = tg_model_check_tokens(model, tokens, n);
    if (status)
        return status;
    uint32_t common = 0;
    while (common < n && common < session->n_tokens && tokens[common] == session->tokens[common])
        common++;
    memcpy(session->tokens + common, tokens + common, (n - common) * sizeof *tokens);
    if (session->n_cached > common)
        session->n_cached = common;
    if (session->logits_at > common)
        session->logits_at = 0;
    keep(session, (uint32_t)n);
    return TG_OK;
}

tg_status tg_session_rewind(tg_session *session, size_t n)
{
    tg_error *error = &session->model->error;
    tg_error_clear(error);
    if (n > session->n_tokens)
        return tg_fail(error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET, "cannot keep %zu tokens of %u", n,
                       (unsigned)session->n_tokens);
    keep(session, (uint32_t)n);
    return TG_OK;
}

tg_status tg_session_force(tg_session *session, int32_t token)
{
    tg_model *model = session->model;
    tg_error_clear(&model->error);
    if (session->n_tokens == model->n_ctx)
        return tg_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET, "the context of %u positions is full",
                       (unsigned)model->n_ctx);
    const tg_status status = tg_model_check_tokens(model, &token, 1);
    if (status)
        return status;
    session->tokens[session->n_tokens++] = token;
    return TG_OK;
}

size_t tg_session_pending(const tg_session *session)
{
    return session->n_tokens - session->n_cached;
}

/* Goes on with the session's batch, or begins one of the next n tokens, at most TG_BATCH, and runs at most `layers` layers of it.
 * *ran: the tokens of the batch when that was its last layer, and their keys and values are in the cache; else 0. */
static tg_status run(tg_session *session, uint32_t n, uint32_t layers, uint32_t *ran)
{
    tg_model *model = session->model;
    tg_flight *flight = &model->flight;
    *ran = 0;
    if (flight->session != session) {
        const uint32_t base = session->n_cached;
        const tg_status status = tg_kv_reserve(&model->kv, &session->table, base, base + n, &model->error);
        if (status)
            return status;
        for (uint32_t i = 0; i < n; i++)
            flight->positions[i] = (int32_t)(base + i);
        flight->batch = (tg_batch){n, session->tokens + base, flight->positions, base, NULL, &session->table};
        flight->session = session;
        tg_decode_begin(&model->decoder, &flight->batch);
    }
    const bool through = tg_decode_layers(&model->decoder, layers);
    if (tg_pool_failed(model->pool)) {
        flight->session = NULL;
        return tg_model_lost(model);
    }
    if (!through)
        return TG_OK;
    flight->session = NULL;
    session->n_cached += flight->batch.n;
    *ran = flight->batch.n;
    return TG_OK;
}

/* Copies the logits of a row of the batch just run: n_vocab floats. */
static tg_status copy_logits(tg_model *model, uint32_t row, float *to)
{
    const float *logits = tg_decode_logits(&model->decoder, row);
    if (!logits)
        return tg_model_lost(model);
    memcpy(to, logits, model->hparams.n_vocab * sizeof *to);
    return TG_OK;
}

/* Keeps the logits of the batch's last row, once no token is pending. */
static tg_status keep_logits(tg_session *session, uint32_t n)
{
    if (session->n_cached != session->n_tokens)
        return TG_OK;
    const tg_status status = copy_logits(session->model, n - 1, session->logits);
    if (status)
        session->n_cached--; /* the last token still has to be run: without its logits it does not count */
    else
        session->logits_at = session->n_tokens;
    return status;
}

tg_status tg_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers)
{
    tg_error_clear(&session->model->error);
    while (max_tokens && tg_session_pending(session)) {
        size_t n = tg_session_pending(session);
        n = n < max_tokens ? n : max_tokens;
        n = n < TG_BATCH ? n : TG_BATCH;
        uint32_t ran;
        tg_status status = run(session, (uint32_t)n, max_layers ? max_layers : UINT32_MAX, &ran);
        if (!status && ran)
            status = keep_logits(session, ran);
        if (status || !ran)
            return status;
        max_tokens -= ran < max_tokens ? ran : max_tokens;
    }
    return TG_OK;
}

bool tg_session_in_flight(const tg_session *session)
{
    return session->model->flight.session == session;
}

/* Every token has been run, and there is one. */
static tg_status with_logits(const tg_session *session)
{
    tg_error *error = &session->model->error;
    tg_error_clear(error);
    if (!session->n_tokens)
        return tg_fail(error, TG_SESSION_EMPTY, TG_NO_OFFSET, "the session has no token: there are no logits before the first");
    if (tg_session_pending(session))
        return tg_fail(error, TG_MODEL_NOT_READY, TG_NO_OFFSET, "%zu tokens have not been run", tg_session_pending(session));
    return TG_OK;
}

tg_status tg_session_logits(tg_session *session, const float **logits)
{
    const tg_status status = with_logits(session);
    *logits = status ? NULL : session->logits;
    return status;
}

tg_status tg_session_sample(tg_session *session, const tg_sample_request *request, const tg_trace **trace)
{
    const tg_status status = with_logits(session);
    if (status)
        return status;
    tg_sample_request here = *request;
    here.position = session->n_tokens;
    return tg_sample(session->model->sampler, session->logits, &here, trace, &session->model->error);
}

tg_status tg_session_decode_tree(tg_session *session, const int32_t *tokens, const int32_t *positions, const uint32_t *visible,
                                 size_t n, float *logits)
{
    tg_model *model = session->model;
    tg_error *error = &model->error;
    const size_t words = (n + 31) / 32;
    const uint32_t base = session->n_cached;
    tg_error_clear(error);
    if (tg_session_pending(session))
        return tg_fail(error, TG_MODEL_NOT_READY, TG_NO_OFFSET, "%zu tokens have not been run", tg_session_pending(session));
    if (!n || n > TG_BATCH)
        return tg_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "a tree has 1 to %d tokens, not %zu", TG_BATCH, n);
    tg_status status = tg_model_check_tokens(model, tokens, n);
    for (size_t i = 0; i < n && !status; i++) {
        if (positions[i] < 0 || (uint32_t)positions[i] >= model->n_ctx)
            status = tg_fail(error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET, "tree token %zu stands at position %d of %u", i,
                             (int)positions[i], (unsigned)model->n_ctx);
        for (size_t j = i + 1; j < 32 * words && !status; j++)
            if (visible[i * words + j / 32] >> j % 32 & 1)
                status = tg_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "tree token %zu sees token %zu, which comes after it",
                                 i, j);
        if (!status && !(visible[i * words + i / 32] >> i % 32 & 1))
            status = tg_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "tree token %zu does not see itself", i);
    }
    if (!status)
        status = tg_kv_reserve(&model->kv, &session->table, base, base + (uint32_t)n, error);
    if (status)
        return status;
    const tg_batch batch = {(uint32_t)n, tokens, positions, base, visible, &session->table};
    model->flight.session = NULL;
    tg_decode_begin(&model->decoder, &batch);
    tg_decode_layers(&model->decoder, UINT32_MAX);
    if (tg_pool_failed(model->pool))
        status = tg_model_lost(model);
    for (uint32_t i = 0; i < n && !status; i++)
        status = copy_logits(model, i, logits + i * (size_t)model->hparams.n_vocab);
    tg_kv_cut(&model->kv, &session->table, base);
    return status;
}

tg_status tg_session_score(tg_session *session, const int32_t *tokens, size_t n, tg_score *scores)
{
    tg_model *model = session->model;
    const uint32_t n_vocab = model->hparams.n_vocab, before = session->n_tokens;
    tg_status status = tg_session_eval(session, SIZE_MAX, 0);
    if (!status && n > model->n_ctx - before)
        status = tg_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET, "%zu more tokens do not fit: %u of %u positions are taken",
                         n, (unsigned)before, (unsigned)model->n_ctx);
    if (!status)
        status = tg_model_check_tokens(model, tokens, n);
    if (status || !n)
        return status;
    if (before)
        status = tg_score_token(session->logits, n_vocab, tokens[0], &scores[0], &model->error);
    else
        scores[0] = (tg_score){tokens[0], NAN, 0, NAN, NAN};
    memcpy(session->tokens + before, tokens, n * sizeof *tokens);
    session->n_tokens += (uint32_t)n;
    while (!status && tg_session_pending(session)) {
        const size_t done = session->n_cached - before; /* of the n tokens */
        const uint32_t batch = n - done < TG_BATCH ? (uint32_t)(n - done) : TG_BATCH;
        uint32_t ran;
        status = run(session, batch, UINT32_MAX, &ran);
        for (uint32_t i = 0; i < batch && done + i + 1 < n && !status; i++) {
            const float *logits = tg_decode_logits(&model->decoder, i);
            status = !logits ? tg_model_lost(model)
                             : tg_score_token(logits, n_vocab, tokens[done + i + 1], &scores[done + i + 1], &model->error);
        }
        if (!status)
            status = keep_logits(session, batch);
    }
    if (status) /* nothing was appended; what the cache got is cut again */
        keep(session, before);
    return status;
}
