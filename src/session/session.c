/* Sessions: their life, their tokens, and sampling from their logits. */
#include "model.h"
#include "../methods/ngram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

tg_session *tgi_session_allocate(tg_model *model)
{
    const size_t n_vocab = model->hparams.n_vocab, n_ctx = model->n_ctx;
    /* pages for n_ctx positions and, after them, for the batch of a tree */
    const size_t max_pages = tgi_kv_n_pages(model->n_ctx + TG_BATCH);
    tg_session *session =
        malloc(sizeof *session + (n_ctx + 1) * sizeof(double) + n_vocab * sizeof(float) +
               n_ctx * sizeof(int32_t) + max_pages * sizeof(uint32_t));
    if (!session) {
        tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                 "no memory for a session of %u positions", (unsigned)model->n_ctx);
        return NULL;
    }
    *session = (tg_session){.model = model};
    session->mu = (double *)(session + 1);
    session->mu[0] = NAN;
    session->logits = (float *)(session->mu + n_ctx + 1);
    session->tokens = (int32_t *)(session->logits + n_vocab);
    session->cache.table.pages = (uint32_t *)(session->tokens + n_ctx);
    tgi_cache_add_user(&model->cache, &session->cache);
    return session;
}

tg_status tg_session_new(tg_model *model, tg_session **out)
{
    tgi_error_clear(&model->error);
    if (model->state != TG_MODEL_READY || !model->arch)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        model->options.vocab_only ? "a model loaded with vocab_only has no sessions"
                                                  : "the model is not complete");
    *out = tgi_session_allocate(model);
    return model->error.status;
}

void tg_session_free(tg_session *session)
{
    if (!session)
        return;
    tgi_session_cancel_batch(session);
    tgi_cache_remove_user(&session->model->cache, &session->cache);
    tgi_draft_free(session);
    tgi_ngram_free(session->ngram);
    tgi_plan_free(session->plan);
    free(session);
}

tg_status tg_session_fork(const tg_session *session, tg_session **out)
{
    tg_model *model = session->model;
    tgi_error_clear(&model->error);
    tg_session *fork = tgi_session_allocate(model);
    if (!fork)
        return model->error.status;
    if (session->plan) {
        fork->plan = tgi_plan_copy(session->plan, &model->error);
        if (!fork->plan) {
            tg_session_free(fork);
            return model->error.status;
        }
    }
    memcpy(fork->tokens, session->tokens, session->n_tokens * sizeof *fork->tokens);
    memcpy(fork->logits, session->logits, model->hparams.n_vocab * sizeof *fork->logits);
    memcpy(fork->mu, session->mu, (session->n_tokens + 1) * sizeof *fork->mu);
    fork->n_tokens = session->n_tokens;
    fork->logits_at = session->logits_at;
    fork->n_discarded = session->n_discarded;
    fork->n_keep = session->n_keep;
    tgi_cache_share(&model->cache, &session->cache, &fork->cache);
    *out = fork;
    return TG_OK;
}

void tg_session_release_cache(tg_session *session)
{
    tgi_session_cancel_batch(session);
    tgi_draft_drop(session);
    tgi_cache_truncate(&session->model->cache, &session->cache, 0);
}

/* ---- tokens ---- */

const int32_t *tg_session_tokens(const tg_session *session, size_t *n)
{
    *n = session->n_tokens;
    return session->tokens;
}

void tgi_session_truncate(tg_session *session, uint32_t n)
{
    tgi_session_cancel_batch(session);
    tgi_draft_drop(session);
    session->n_tokens = n;
    if (session->plan && n < session->plan->n_prompt)
        session->plan->n_prompt = 0; /* the text at the next run is the prompt */
    if (n <= session->n_keep)        /* what is left is all in front of the removed tokens */
        session->n_discarded = session->n_keep = 0;
    if (session->logits_at != n)
        session->logits_at = 0;
    tgi_cache_truncate(&session->model->cache, &session->cache,
                       n && !session->logits_at ? n - 1 : n);
}

void tgi_session_put_tokens(tg_session *session, uint32_t at, const int32_t *tokens, size_t n)
{
    memcpy(session->tokens + at, tokens, n * sizeof *tokens);
    for (size_t i = 0; i < n; i++)
        session->mu[at + i + 1] = session->mu[at];
    session->n_tokens = at + (uint32_t)n;
}

tg_status tg_session_sync(tg_session *session, const int32_t *tokens, size_t n)
{
    tg_model *model = session->model;
    tgi_error_clear(&model->error);
    if (n > model->n_ctx)
        return tgi_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET,
                        "%zu tokens do not fit into a context of %u", n, (unsigned)model->n_ctx);
    const tg_status status = tgi_model_check_tokens(model, tokens, n);
    if (status)
        return status;
    uint32_t common = 0;
    while (common < n && common < session->n_tokens && tokens[common] == session->tokens[common])
        common++;
    tgi_session_put_tokens(session, common, tokens + common, n - common);
    if (common <= session->n_keep)
        session->n_discarded = session->n_keep = 0;
    tgi_cache_truncate(&model->cache, &session->cache, common);
    if (session->logits_at > common)
        session->logits_at = 0;
    tgi_session_truncate(session, (uint32_t)n);
    return TG_OK;
}

tg_status tg_session_rewind(tg_session *session, size_t n)
{
    tg_error *error = &session->model->error;
    tgi_error_clear(error);
    if (n > session->n_tokens)
        return tgi_fail(error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET,
                        "cannot keep %zu tokens of %u", n, (unsigned)session->n_tokens);
    tgi_session_truncate(session, (uint32_t)n);
    return TG_OK;
}

tg_status tg_session_append(tg_session *session, int32_t token)
{
    tg_model *model = session->model;
    tgi_error_clear(&model->error);
    if (session->n_tokens == model->n_ctx)
        return tgi_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET,
                        "the context of %u positions is full", (unsigned)model->n_ctx);
    const tg_status status = tgi_model_check_tokens(model, &token, 1);
    if (status)
        return status;
    tgi_session_put_tokens(session, session->n_tokens, &token, 1);
    tgi_draft_accept(session);
    return TG_OK;
}

tg_status tg_session_accept(tg_session *session, const tg_trace *trace)
{
    const double mu = trace->mu;
    const tg_status status = tg_session_append(session, trace->token);
    if (!status)
        session->mu[session->n_tokens] = mu;
    return status;
}

tg_status tg_session_shift(tg_session *session, size_t n_keep, size_t n_discard)
{
    tg_error *error = &session->model->error;
    tgi_error_clear(error);
    if (n_keep > session->n_tokens || n_discard > session->n_tokens - n_keep)
        return tgi_fail(error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET,
                        "cannot keep %zu tokens and discard %zu of %u", n_keep, n_discard,
                        (unsigned)session->n_tokens);
    if (!n_discard)
        return TG_OK;
    if (session->plan)
        return tgi_fail(error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "a session with edits cannot drop tokens: its edits name positions");
    const uint32_t n_left = session->n_tokens - (uint32_t)n_discard,
                   n_after = n_left - (uint32_t)n_keep;
    const uint32_t n_discarded = session->n_discarded + (uint32_t)n_discard;
    /* the fewest tokens that any shift has kept are in front of all removed ones */
    const uint32_t min_keep =
        session->n_discarded && session->n_keep < n_keep ? session->n_keep : (uint32_t)n_keep;
    memmove(session->tokens + n_keep, session->tokens + n_keep + n_discard,
            n_after * sizeof *session->tokens);
    memmove(session->mu + n_keep, session->mu + n_keep + n_discard,
            (n_after + 1) * sizeof *session->mu);
    session->logits_at = 0;
    tgi_cache_truncate(&session->model->cache, &session->cache, (uint32_t)n_keep);
    tgi_session_truncate(session, n_left);
    session->n_discarded = n_discarded;
    session->n_keep = min_keep;
    return TG_OK;
}

uint32_t tg_session_n_discarded(const tg_session *session)
{
    return session->n_discarded;
}

/* ---- logits and sampling ---- */

/* Checks that there is a token, and that all tokens have been run. */
static tg_status check_logits(const tg_session *session)
{
    tg_error *error = &session->model->error;
    tgi_error_clear(error);
    if (!session->n_tokens)
        return tgi_fail(error, TG_SESSION_EMPTY, TG_NO_OFFSET,
                        "the session has no token: there are no logits before the first");
    if (tg_session_pending(session))
        return tgi_fail(error, TG_MODEL_NOT_READY, TG_NO_OFFSET, "%zu tokens have not been run",
                        tg_session_pending(session));
    return TG_OK;
}

tg_status tg_session_logits(tg_session *session, const float **logits)
{
    const tg_status status = check_logits(session);
    *logits = status ? NULL : session->logits;
    return status;
}

tg_status tg_session_sample(tg_session *session, const tg_sample_request *request,
                            const tg_trace **trace)
{
    const tg_status status = check_logits(session);
    if (status)
        return status;
    tg_sample_request r = *request;
    r.position = (uint64_t)session->n_discarded + session->n_tokens;
    r.context = session->tokens;
    r.n_context = session->n_tokens;
    r.mu = session->mu[session->n_tokens];
    return tgi_sample(session->model->sampler, session->logits, &r, trace, &session->model->error);
}

const tg_sampler *tg_session_sampler(const tg_session *session)
{
    return session->model->sampler;
}
