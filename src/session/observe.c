/* Sessions with plans: their edits, their observations, and what their batches need. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* The most bytes of rows of attention in a batch of one session; longer texts run fewer tokens. */
#define MAX_ROWS_BYTES (UINT64_C(8) << 20)

/* ---- layers and edits ---- */

bool tg_model_get_layer(const tg_model *model, uint32_t index, tg_layer_info *info)
{
    static const char *const mixers[] = {
        [TG_ATTENTION_MIXER] = "attention",
        [TG_CONV_MIXER] = "convolution",
        [TG_DELTA_NET_MIXER] = "delta_net",
    };
    if (model->state != TG_MODEL_READY || !model->arch || index >= model->hparams.n_layer)
        return false;
    const tg_layer *layer = &model->weights.layers[index];
    const bool attention = layer->mixer == TG_ATTENTION_MIXER;
    *info = (tg_layer_info){.mixer = mixers[layer->mixer],
                            .n_head_kv = attention ? layer->n_head_kv : 0,
                            .head_dim = attention ? layer->head_dim : 0,
                            .window = attention ? layer->window : 0};
    return true;
}

static tg_plan_facts plan_model(const tg_model *model)
{
    return (tg_plan_facts){&model->hparams, model->weights.layers, model->n_ctx};
}

tg_status tg_session_set_edits(tg_session *session, const tg_edit *edits, size_t n)
{
    tg_model *model = session->model;
    const tg_plan_facts facts = plan_model(model);
    tgi_error_clear(&model->error);
    if (session->n_tokens)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "edits are for a session without tokens; this one has %u",
                        (unsigned)session->n_tokens);
    tg_plan *plan = n ? tgi_plan_new(&facts, edits, n, &model->error) : NULL;
    if (n && !plan)
        return model->error.status;
    tgi_plan_free(session->plan);
    session->plan = plan;
    return TG_OK;
}

bool tg_session_get_edit_report(const tg_session *session, size_t index, tg_edit_report *report)
{
    const tg_plan *plan = session->plan;
    if (!plan || index >= plan->n_edits)
        return false;
    *report = (tg_edit_report){.kind = plan->edits[index].kind};
    for (uint32_t r = 0; r < plan->n_rules; r++)
        if (plan->rules[r].edit == &plan->edits[index] && plan->rules[r].kind->report)
            plan->rules[r].kind->report(&plan->rules[r], report->counts);
    return true;
}

/* ---- batches ---- */

uint32_t tgi_plan_next_batch(const tg_session *session, uint32_t max_tokens)
{
    tg_model *model = session->model;
    const tg_scratch *s = &model->decoder.scratch;
    const uint32_t base = session->cache.n_cached, available = session->n_tokens - base;
    uint32_t n = max_tokens < available ? max_tokens : available, from = 0;
    n = n < TG_BATCH ? n : TG_BATCH;
    while (n > 1 && tgi_rows_bytes(session->plan, s, base, n) > MAX_ROWS_BYTES)
        n /= 2;
    const bool any = n > 0;
    n = tgi_plan_batch(session->plan, base, n, available, &from);
    if (any && !n)
        tgi_fail(&model->error, TG_POSITION_OUT_OF_RANGE, TG_NO_OFFSET,
                 "the edit copy_residual from position %u needs the tokens up to it: the session "
                 "has %u",
                 (unsigned)from, (unsigned)session->n_tokens);
    return n;
}

void tgi_plan_begin(tg_session *session)
{
    tg_plan *plan = session->plan;
    if (!plan->n_prompt)
        plan->n_prompt = session->n_tokens;
    if (!plan->has_state || plan->n_seen == session->cache.n_cached)
        return;
    tgi_cache_truncate(&session->model->cache, &session->cache, 0);
    tgi_plan_reset(plan);
}

tg_status tgi_plan_reserve(tg_model *model)
{
    tg_scratch *s = &model->decoder.scratch;
    const tg_batch *batch = &model->pending_batch.batch;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch->n_sequences; i++) {
        const tg_sequence *sequence = &batch->sequences[i];
        const uint64_t needed =
            sequence->plan ? tgi_rows_bytes(sequence->plan, s, sequence->base, sequence->n) : 0;
        bytes = needed > bytes ? needed : bytes;
    }
    model->decoder.at_boundary = tgi_plan_at_boundary;
    model->decoder.context = model;
    if (bytes <= s->rows_bytes)
        return TG_OK;
    const uint64_t all = bytes * tgi_pool_n_threads(s->pool);
    free(s->rows_memory);
    s->rows_bytes = 0;
    s->rows_memory = all <= SIZE_MAX / 2 ? malloc((size_t)all) : NULL;
    if (!s->rows_memory)
        return tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for rows of attention over %u positions",
                        (unsigned)model->n_ctx);
    s->rows_bytes = (size_t)bytes;
    return TG_OK;
}

/* ---- observations ---- */

/* The rows of the sequence that run positions of the list, from *next on, at most TG_LOGIT_ROWS;
 * index[i]: the position's index in the list. */
static uint32_t next_rows(const tg_sequence *sequence, const uint32_t *list, uint32_t n,
                          uint32_t *next, uint32_t *rows, uint32_t *index)
{
    uint32_t n_rows = 0;
    for (; *next < n && n_rows < TG_LOGIT_ROWS; ++*next) {
        const uint32_t position = list[*next];
        if (position < sequence->base || position - sequence->base >= sequence->n)
            continue;
        rows[n_rows] = sequence->first + position - sequence->base;
        index[n_rows++] = *next;
    }
    return n_rows;
}

/* Measures the lens's logits of the position with this index, at lens_layers[layer]. */
static tg_status measure_lens(tg_model *model, const tg_observation *seen, const float *logits,
                              size_t layer, uint32_t position)
{
    const size_t at = layer * seen->n_lens_positions + position;
    tg_distribution d;
    const tg_status status = tgi_measure_logits(model, logits, &d);
    if (status)
        return status;
    seen->lens_entropies[at] = (float)d.entropy;
    if (seen->lens_top_n)
        tgi_list_top(model, logits, &d, seen->lens_top_n, seen->lens_tops + at * seen->lens_top_n);
    for (uint32_t i = 0; i < seen->n_lens_targets; i++) {
        const float logit = logits[seen->lens_targets[i]];
        int32_t rank = 0;
        for (uint32_t k = 0; k < model->hparams.n_vocab; k++)
            rank += logits[k] > logit;
        seen->lens_scores[at * seen->n_lens_targets + i] =
            (tg_lens_target){(float)((double)logit - d.max - d.log_total), rank};
    }
    return TG_OK;
}

static void report_lens(tg_model *model, const tg_sequence *sequence, uint32_t boundary)
{
    const tg_observation *seen = sequence->plan->observation;
    const int64_t layer = tgi_index_of(seen->lens_layers, seen->n_lens_layers, boundary);
    if (layer < 0)
        return;
    const size_t stride = tgi_padded(model->hparams.n_vocab);
    uint32_t rows[TG_LOGIT_ROWS], index[TG_LOGIT_ROWS], next = 0, n;
    bool prepared = false;
    while ((n = next_rows(sequence, seen->lens_positions, seen->n_lens_positions, &next, rows,
                          index)) > 0) {
        const float *logits = tgi_decode_lens(&model->decoder, rows, n, prepared);
        prepared = true;
        for (uint32_t i = 0; logits && i < n; i++)
            if (measure_lens(model, seen, logits + i * stride, (size_t)layer, index[i]))
                return; /* the model's error says why; tg_session_observe looks */
    }
}

void tgi_plan_at_boundary(void *context, uint32_t boundary)
{
    tg_model *model = context;
    const tg_batch *batch = &model->pending_batch.batch;
    tgi_plan_boundary(&model->decoder.scratch, boundary);
    for (uint32_t i = 0; i < batch->n_sequences; i++) {
        const tg_sequence *sequence = &batch->sequences[i];
        if (sequence->plan && sequence->plan->observation)
            report_lens(model, sequence, boundary);
    }
}

static tg_status report_logits(tg_model *model, const tg_observation *seen,
                               const tg_sequence *sequence)
{
    uint32_t rows[TG_LOGIT_ROWS], index[TG_LOGIT_ROWS], next = 0, n;
    while ((n = next_rows(sequence, seen->logit_positions, seen->n_logit_positions, &next, rows,
                          index)) > 0) {
        float *outs[TG_LOGIT_ROWS];
        for (uint32_t i = 0; i < n; i++)
            outs[i] = seen->logits + (size_t)index[i] * model->hparams.n_vocab;
        if (!tgi_decode_copy_logits(&model->decoder, rows, n, outs))
            return tgi_model_thread_lost(model);
    }
    return TG_OK;
}

/* Layers of attention and of heads' outputs must have attention, and the outputs one width. */
static tg_status check_layers(tg_model *model, const char *what, const uint32_t *layers, uint32_t n,
                              bool one_width)
{
    for (uint32_t i = 0; i < n; i++) {
        tg_layer_info info, first;
        if (!tg_model_get_layer(model, layers[i], &info))
            return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                            "%s: the model has no layer %u", what, (unsigned)layers[i]);
        if (!info.n_head_kv)
            return tgi_fail(&model->error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                            "%s: layer %u is a %s and has no attention", what, (unsigned)layers[i],
                            info.mixer);
        tg_model_get_layer(model, layers[0], &first);
        if (one_width && info.head_dim != first.head_dim)
            return tgi_fail(&model->error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                            "%s: heads have %u values in layer %u and %u in layer %u; ask for "
                            "layers of one width",
                            what, (unsigned)first.head_dim, (unsigned)layers[0],
                            (unsigned)info.head_dim, (unsigned)layers[i]);
    }
    return TG_OK;
}

static tg_status check_observation(tg_model *model, const tg_observation *seen)
{
    tg_status status =
        check_layers(model, "attention", seen->attention_layers, seen->n_attention_layers, false);
    if (!status)
        status =
            check_layers(model, "head_outputs", seen->output_layers, seen->n_output_layers, true);
    if (!status)
        status = tgi_model_check_tokens(model, seen->lens_targets, seen->n_lens_targets);
    for (uint32_t i = 0; i < seen->n_attention_queries && !status; i++)
        if (seen->attention_queries[i] >= seen->n_keys)
            status = tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                              "attention: the row of position %u has only %u columns",
                              (unsigned)seen->attention_queries[i], (unsigned)seen->n_keys);
    return status;
}

tg_status tg_session_next_batch(tg_session *session, uint32_t max_tokens, uint32_t *first,
                                uint32_t *n)
{
    tg_error *error = &session->model->error;
    tgi_error_clear(error);
    if (session->plan)
        tgi_plan_begin(session);
    *first = session->cache.n_cached;
    const uint32_t left = session->n_tokens - *first;
    *n = left < max_tokens ? left : max_tokens;
    *n = *n < TG_BATCH ? *n : TG_BATCH;
    if (session->plan && *n)
        *n = tgi_plan_next_batch(session, *n);
    return error->status;
}

/* Runs a batch under the session's plan, which has the observation. */
static tg_status observe(tg_session *session, const tg_observation *observation,
                         uint32_t max_tokens, uint32_t *n_done)
{
    tg_model *model = session->model;
    const tg_pending_batch *pending = &model->pending_batch;
    tgi_session_cancel_batch(session); /* one that began without the observation */
    tg_status status = tgi_session_run_batch(session, max_tokens, UINT32_MAX, n_done);
    if (!status)
        status = model->error.status; /* of the lens */
    if (!status && *n_done)
        status = report_logits(model, observation, &pending->sequences[0]);
    if (!status && *n_done)
        status = tgi_session_store_logits(session);
    return status;
}

tg_status tg_session_observe(tg_session *session, const tg_observation *observation,
                             uint32_t max_tokens, uint32_t *n_done)
{
    tg_model *model = session->model;
    const tg_plan_facts facts = plan_model(model);
    *n_done = 0;
    tgi_error_clear(&model->error);
    tg_status status = check_observation(model, observation);
    if (status || session->cache.n_cached == session->n_tokens)
        return status;
    tg_plan *edits = session->plan;
    if (!edits)
        session->plan = tgi_plan_new(&facts, NULL, 0, &model->error);
    if (!session->plan)
        return model->error.status;
    session->plan->observation = observation;
    status = observe(session, observation, max_tokens, n_done);
    session->plan->observation = NULL;
    if (!edits) {
        tgi_plan_free(session->plan);
        session->plan = NULL;
    }
    return status;
}
