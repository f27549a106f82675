/* In: tokens. Out: the logits of trees, scores and hidden states, in the caller's memory. */
#include "model.h"
#include "score.h"

#include <math.h>
#include <string.h>

tg_status tg_session_decode_tree(tg_session *session, const int32_t *tokens,
                                 const int32_t *positions, const uint32_t *visible, size_t n,
                                 float *logits)
{
    tg_model *model = session->model;
    tg_error *error = &model->error;
    const size_t words = (n + 31) / 32;
    const uint32_t base = session->n_tokens;
    tgi_error_clear(error);
    if (tg_session_pending(session))
        return tgi_fail(error, TG_MODEL_NOT_READY, TG_NO_OFFSET, "%zu tokens have not been run",
                        tg_session_pending(session));
    if (!n || n > TG_BATCH)
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "a tree has 1 to %d tokens, not %zu", TG_BATCH, n);
    tg_status status = tgi_model_check_tokens(model, tokens, n);
    for (size_t i = 0; i < n && !status; i++) {
        if (positions[i] < 0 || (uint32_t)positions[i] >= model->n_ctx)
            status = tgi_fail(error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET,
                              "tree token %zu stands at position %d of %u", i, (int)positions[i],
                              (unsigned)model->n_ctx);
        for (size_t j = i + 1; j < 32 * words && !status; j++)
            if (visible[i * words + j / 32] >> j % 32 & 1)
                status = tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                                  "tree token %zu sees token %zu, which comes after it", i, j);
        if (!status && !(visible[i * words + i / 32] >> i % 32 & 1))
            status = tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                              "tree token %zu does not see itself", i);
    }
    if (!status)
        status = tgi_session_run_pending(session);
    if (!status)
        status = tgi_session_reserve(session, base + (uint32_t)n);
    if (status)
        return status;
    const tg_batch batch = {(uint32_t)n,
                            tokens,
                            positions,
                            base,
                            visible,
                            &session->table,
                            tgi_session_recurrent(session),
                            NULL};
    tgi_model_cancel_batch(model);
    tgi_decode_begin(&model->decoder, &batch);
    tgi_decode_layers(&model->decoder, UINT32_MAX);
    if (tgi_pool_failed(model->pool))
        status = tgi_model_thread_lost(model);
    for (uint32_t i = 0; i < n && !status; i++)
        status = tgi_session_copy_logits(model, i, logits + i * (size_t)model->hparams.n_vocab);
    tgi_kv_truncate(&model->kv, &session->table, base);
    return status;
}

/* Makes the cache and the context ready for n more tokens. */
static tg_status make_room(tg_session *session, const int32_t *tokens, size_t n)
{
    tg_model *model = session->model;
    const tg_status status = tgi_session_run_pending(session);
    if (status)
        return status;
    if (n > model->n_ctx - session->n_tokens)
        return tgi_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET,
                        "%zu more tokens do not fit: %u of %u positions are taken", n,
                        (unsigned)session->n_tokens, (unsigned)model->n_ctx);
    return tgi_model_check_tokens(model, tokens, n);
}

static void append(tg_session *session, const int32_t *tokens, size_t n)
{
    memcpy(session->tokens + session->n_tokens, tokens, n * sizeof *tokens);
    for (size_t i = 0; i < n; i++)
        session->mu[session->n_tokens + i + 1] = session->mu[session->n_tokens];
    session->n_tokens += (uint32_t)n;
}

/* Scores a token by the logits that stand before it, and lists its most probable rivals: top_n of
 * them. */
static tg_status score(tg_model *model, const float *logits, int32_t token, uint32_t top_n,
                       tg_score *out, tg_top *tops)
{
    const uint32_t n_vocab = model->hparams.n_vocab;
    double log_total;
    const tg_status status =
        tgi_score_token(logits, n_vocab, token, out, &log_total, &model->error);
    if (status || !top_n)
        return status;
    const uint32_t n = tgi_sampler_top(model->sampler, logits, top_n, tops);
    for (uint32_t i = 0; i < top_n; i++)
        tops[i] = i < n ? (tg_top){tops[i].token, (float)(tops[i].logprob - log_total)}
                        : (tg_top){-1, NAN};
    return TG_OK;
}

tg_status tg_session_score(tg_session *session, const int32_t *tokens, size_t n, uint32_t top_n,
                           tg_score *scores, tg_top *tops)
{
    tg_model *model = session->model;
    const uint32_t before = session->n_tokens;
    tg_status status = make_room(session, tokens, n);
    if (status || !n)
        return status;
    if (before) {
        status = score(model, session->logits, tokens[0], top_n, &scores[0], tops);
    } else {
        scores[0] = (tg_score){tokens[0], NAN, 0, NAN, NAN};
        for (uint32_t i = 0; i < top_n; i++)
            tops[i] = (tg_top){-1, NAN};
    }
    append(session, tokens, n);
    while (!status && session->n_cached < session->n_tokens) {
        const size_t done = session->n_cached - before; /* of the n tokens */
        const uint32_t batch = n - done < TG_BATCH ? (uint32_t)(n - done) : TG_BATCH;
        uint32_t ran;
        status = tgi_session_run_batch(session, batch, UINT32_MAX, &ran);
        for (uint32_t i = 0; i < batch && done + i + 1 < n && !status; i++) {
            const float *logits = tgi_decode_logits(&model->decoder, i);
            const size_t next = done + i + 1;
            status = !logits ? tgi_model_thread_lost(model)
                             : score(model, logits, tokens[next], top_n, &scores[next],
                                     tops ? tops + next * top_n : NULL);
        }
        if (!status)
            status = tgi_session_store_logits(session, batch);
    }
    if (status) /* nothing was appended; what the cache got is cut again */
        tgi_session_truncate(session, before);
    return status;
}

tg_status tg_session_hidden_states(tg_session *session, const int32_t *tokens, size_t n,
                                   float *states)
{
    tg_model *model = session->model;
    const size_t n_embd = model->hparams.n_embd;
    const uint32_t before = session->n_tokens;
    tg_status status = make_room(session, tokens, n);
    if (status || !n)
        return status;
    append(session, tokens, n);
    while (!status && session->n_cached < session->n_tokens) {
        const size_t done = session->n_cached - before;
        const uint32_t batch = n - done < TG_BATCH ? (uint32_t)(n - done) : TG_BATCH;
        uint32_t ran;
        status = tgi_session_run_batch(session, batch, UINT32_MAX, &ran);
        for (uint32_t i = 0; i < batch && !status; i++)
            memcpy(states + (done + i) * n_embd, tgi_decode_hidden_states(&model->decoder, i),
                   n_embd * sizeof *states);
        if (!status)
            status = tgi_session_store_logits(session, batch);
    }
    if (status)
        tgi_session_truncate(session, before);
    return status;
}
