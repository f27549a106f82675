/* Scores of tokens under the model's distributions, and hidden states: a session appends the tokens
 * and runs them. */
#include "model.h"

#include <math.h>
#include <string.h>

tg_status tgi_measure_logits(tg_model *model, const float *logits, tg_distribution *out)
{
    const uint32_t n_vocab = model->hparams.n_vocab;
    float max = -INFINITY;
    for (uint32_t i = 0; i < n_vocab; i++) {
        if (!(logits[i] < INFINITY)) /* NaN, too */
            return tgi_fail(&model->error, TG_LOGITS_NOT_FINITE, TG_NO_OFFSET,
                            "the logit of token %u is %f", (unsigned)i, (double)logits[i]);
        if (logits[i] > max)
            max = logits[i];
    }
    if (max == -INFINITY)
        return tgi_fail(&model->error, TG_NO_CANDIDATES, TG_NO_OFFSET,
                        "all %u logits are -infinity", (unsigned)n_vocab);
    double sum = 0, weighted = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        const double x = (double)logits[i] - max, e = exp(x);
        sum += e;
        if (e > 0)
            weighted += e * x;
    }
    const double log_total = log(sum);
    /* -sum p log p, log p = x - log_total */
    *out = (tg_distribution){max, sum, log_total, log_total - weighted / sum};
    return TG_OK;
}

void tgi_list_top(tg_model *model, const float *logits, const tg_distribution *distribution,
                  uint32_t top_n, tg_top *top)
{
    const double log_sum = distribution->max + distribution->log_total;
    const uint32_t n = tgi_sampler_top(model->sampler, logits, top_n, top);
    for (uint32_t i = 0; i < top_n; i++)
        top[i] =
            i < n ? (tg_top){top[i].token, (float)(top[i].logprob - log_sum)} : (tg_top){-1, NAN};
}

/* Scores a token under logits [n_vocab] and lists the top_n most probable tokens; sums are in
 * double. */
static tg_status score_and_list(tg_model *model, const float *logits, int32_t token, uint32_t top_n,
                                tg_score *out, tg_top *top)
{
    tg_distribution d;
    const tg_status status = tgi_measure_logits(model, logits, &d);
    if (status)
        return status;
    const float logit = logits[token];
    double above = 0;
    int32_t rank = 0, equal = 0; /* equal: the token itself, too */
    for (uint32_t i = 0; i < model->hparams.n_vocab; i++) {
        equal += logits[i] == logit;
        if (logits[i] > logit) {
            above += exp((double)logits[i] - d.max);
            rank++;
        }
    }
    *out = (tg_score){
        .token = token,
        .logprob = (float)((double)logit - d.max - d.log_total),
        .rank = rank,
        .entropy = (float)d.entropy,
        .top_mass = (float)(above / d.sum),
        .tied = equal - 1,
    };
    if (top_n)
        tgi_list_top(model, logits, &d, top_n, top);
    return TG_OK;
}

/* Appends n tokens, after running all tokens before them. */
static tg_status append_tokens(tg_session *session, const int32_t *tokens, size_t n)
{
    tg_model *model = session->model;
    tg_status status = tgi_session_run_pending(session);
    if (status)
        return status;
    if (n > model->n_ctx - session->n_tokens)
        return tgi_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET,
                        "%zu more tokens do not fit: %u of %u positions are taken", n,
                        (unsigned)session->n_tokens, (unsigned)model->n_ctx);
    status = tgi_model_check_tokens(model, tokens, n);
    if (status || !n)
        return status;
    tgi_session_put_tokens(session, session->n_tokens, tokens, n);
    return TG_OK;
}

tg_status tg_session_score(tg_session *session, const int32_t *tokens, size_t n, uint32_t top_n,
                           tg_score *scores, tg_top *tops)
{
    tg_model *model = session->model;
    const uint32_t before = session->n_tokens;
    tg_status status = append_tokens(session, tokens, n);
    if (status || !n)
        return status;
    if (before) {
        status = score_and_list(model, session->logits, tokens[0], top_n, &scores[0], tops);
    } else {
        scores[0] = (tg_score){tokens[0], NAN, 0, NAN, NAN, 0};
        for (uint32_t i = 0; i < top_n; i++)
            tops[i] = (tg_top){-1, NAN};
    }
    while (!status && session->cache.n_cached < session->n_tokens) {
        /* of the n tokens; negative when edits let the session run again from its first token */
        const int64_t done = (int64_t)session->cache.n_cached - before;
        uint32_t n_batch;
        status = tgi_session_run_batch(session, session->n_tokens - session->cache.n_cached,
                                       UINT32_MAX, &n_batch);
        for (uint32_t i = 0; i < n_batch && done + i + 1 < (int64_t)n && !status; i++) {
            if (done + i < 0)
                continue;
            const float *logits = tgi_decode_logits(&model->decoder, i);
            const size_t next = (size_t)(done + i + 1);
            status = !logits ? tgi_model_thread_lost(model)
                             : score_and_list(model, logits, tokens[next], top_n, &scores[next],
                                              tops ? tops + next * top_n : NULL);
        }
        if (!status)
            status = tgi_session_store_logits(session);
    }
    if (status) /* an error appends nothing */
        tgi_session_truncate(session, before);
    return status;
}

tg_status tg_model_output_rows(tg_model *model, const int32_t *tokens, size_t n, float *rows)
{
    tgi_error_clear(&model->error);
    if (model->state != TG_MODEL_READY || !model->arch)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        model->options.vocab_only ? "a model loaded with vocab_only has no weights"
                                                  : "the model is not complete");
    const tg_status status = tgi_model_check_tokens(model, tokens, n);
    const tg_matrix *matrix = tgi_output_matrix(model->decoder.weights);
    for (size_t i = 0; i < n && !status; i++)
        tgi_matrix_row(matrix, (uint32_t)tokens[i], rows + i * model->hparams.n_embd);
    return status;
}

/* Checks the hidden state of token number `index` of a text: [n_embd]. */
static tg_status check_finite(tg_model *model, const float *state, size_t index)
{
    for (uint32_t i = 0; i < model->hparams.n_embd; i++)
        if (!isfinite(state[i]))
            return tgi_fail(&model->error, TG_LOGITS_NOT_FINITE, TG_NO_OFFSET,
                            "element %u of the hidden state of token %zu is %f", (unsigned)i, index,
                            (double)state[i]);
    return TG_OK;
}

tg_status tg_session_hidden_states(tg_session *session, const int32_t *tokens, size_t n,
                                   float *states)
{
    tg_model *model = session->model;
    const size_t n_embd = model->hparams.n_embd;
    const uint32_t before = session->n_tokens;
    tg_status status = append_tokens(session, tokens, n);
    if (status || !n)
        return status;
    while (!status && session->cache.n_cached < session->n_tokens) {
        const int64_t done = (int64_t)session->cache.n_cached - before;
        uint32_t n_batch;
        status = tgi_session_run_batch(session, session->n_tokens - session->cache.n_cached,
                                       UINT32_MAX, &n_batch);
        for (uint32_t i = 0; i < n_batch && !status; i++) {
            if (done + i < 0)
                continue;
            const float *state = tgi_decode_hidden_states(&model->decoder, i);
            memcpy(states + (size_t)(done + i) * n_embd, state, n_embd * sizeof *states);
            status = check_finite(model, state, (size_t)(before + done + i));
        }
        if (!status)
            status = tgi_session_store_logits(session);
    }
    if (status)
        tgi_session_truncate(session, before);
    return status;
}
