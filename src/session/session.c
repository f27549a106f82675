/* In: tokens and sampling requests. Out: logits and traces. A session owns its tokens, page table
 * and logits in one allocation; the pages belong to the model. */
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pages for n_ctx positions and, past them, for the batch of a tree. */
static uint32_t table_capacity(const tg_model *model)
{
    return (model->n_ctx + TG_BATCH + TG_PAGE - 1) / TG_PAGE;
}

tg_session *tgi_session_allocate(tg_model *model)
{
    const size_t vocab = model->hparams.n_vocab, n_ctx = model->n_ctx,
                 pages = table_capacity(model);
    tg_session *session =
        malloc(sizeof *session + (n_ctx + 1) * sizeof(double) + (vocab + n_ctx + pages) * 4);
    if (!session) {
        tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                 "no memory for a session of %u positions", (unsigned)model->n_ctx);
        return NULL;
    }
    *session = (tg_session){.model = model, .next = model->sessions};
    session->mu = (double *)(session + 1);
    session->mu[0] = NAN;
    session->logits = (float *)(session->mu + n_ctx + 1);
    session->tokens = (int32_t *)(session->logits + vocab);
    session->table.pages = (uint32_t *)(session->tokens + n_ctx);
    model->sessions = session;
    return session;
}

void tgi_model_cancel_batch(tg_model *model)
{
    tg_pending_batch *pending_batch = &model->pending_batch;
    if (pending_batch->session && pending_batch->state != TG_NO_SLOT)
        tgi_recurrent_release(&model->states, pending_batch->state);
    pending_batch->session = NULL;
}

void tgi_session_cancel_batch(tg_session *session)
{
    if (session->model->pending_batch.session == session)
        tgi_model_cancel_batch(session->model);
}

void tgi_session_truncate_cache(tg_session *session, uint32_t n)
{
    tg_model *model = session->model;
    if (session->n_cached > n)
        session->n_cached = n;
    if (model->states.floats) {
        session->n_cached = tgi_checkpoints_position(&session->states, session->n_cached);
        tgi_checkpoints_truncate(&model->states, &session->states, session->n_cached);
    }
    tgi_kv_truncate(&model->kv, &session->table, session->n_cached);
}

/* Of the other sessions' last states the one of the session that has not run for the longest time.
 */
static uint32_t idle_state(const tg_session *but)
{
    const uint32_t own = tgi_checkpoints_last(&but->states);
    const tg_session *idle = NULL;
    for (const tg_session *s = but->model->sessions; s; s = s->next) {
        const uint32_t last = tgi_checkpoints_last(&s->states);
        if (last != TG_NO_SLOT && last != own && (!idle || s->used < idle->used))
            idle = s;
    }
    return idle ? tgi_checkpoints_last(&idle->states) : TG_NO_SLOT;
}

static bool is_last(const tg_model *model, uint32_t slot)
{
    for (const tg_session *s = model->sessions; s; s = s->next)
        if (tgi_checkpoints_last(&s->states) == slot)
            return true;
    return false;
}

/* The state that is given up for another: of those that no session goes on from the one that is
 * missed least, then another session's own. What is lost is work: the tokens are run again when
 * they are needed. */
static uint32_t least_state(const tg_session *session)
{
    uint32_t found = TG_NO_SLOT;
    double least = 0;
    for (const tg_session *s = session->model->sessions; s; s = s->next) {
        double loss;
        if (s->states.n < 2)
            continue;
        const uint32_t slot = tgi_checkpoints_victim(&s->states, &loss);
        if (!is_last(session->model, slot) && (found == TG_NO_SLOT || loss < least)) {
            found = slot;
            least = loss;
        }
    }
    return found != TG_NO_SLOT ? found : idle_state(session);
}

tg_status tgi_session_alloc_recurrent(tg_session *session, uint32_t *slot)
{
    tg_model *model = session->model;
    *slot = TG_NO_SLOT;
    if (!model->states.floats)
        return TG_OK;
    while ((*slot = tgi_recurrent_alloc(&model->states)) == TG_NO_SLOT) {
        const uint32_t victim = least_state(session);
        if (victim == TG_NO_SLOT)
            return tgi_fail(&model->error, TG_KV_FULL, TG_NO_OFFSET,
                            "the %u recurrent states are all taken",
                            (unsigned)model->states.n_slots);
        for (tg_session *s = model->sessions; s; s = s->next)
            if (tgi_checkpoints_remove(&model->states, &s->states, victim))
                tgi_session_truncate_cache(s, s->n_cached);
    }
    return TG_OK;
}

/* What it costs others when a session gives up its last page: 0: nothing, the page becomes free; 1:
 * other idle sessions hold it, too, so that it stays taken until they give it up; 2: so does
 * `runs`, and it stays taken. */
static int shared_by(const tg_session *session, const tg_session *runs)
{
    const uint32_t last = session->table.n_pages - 1, page = session->table.pages[last];
    if (session->model->kv.refs[page] == 1)
        return 0;
    return last < runs->table.n_pages && runs->table.pages[last] == page
               ? 2
               : 1; /* forks share pages at the same place */
}

/* Of the sessions that hold pages, the one that has not run for the longest time, but not this one.
 * Those whose last page is shared come later: what they lost would be run again, and little or
 * nothing won by it. */
static tg_session *longest_idle(const tg_session *but)
{
    tg_session *idle = NULL;
    int least = 0;
    for (tg_session *s = but->model->sessions; s; s = s->next) {
        if (s == but || !s->table.n_pages)
            continue;
        const int shared = shared_by(s, but);
        if (!idle || shared < least || (shared == least && s->used < idle->used)) {
            idle = s;
            least = shared;
        }
    }
    return idle;
}

/* When the pool has not enough free pages, others give up theirs: the session that has not run for
 * the longest time first, from its end, page by page, then the next; pages that several share last.
 * What they lose is work: their tokens stay and are run again when they are needed. */
tg_status tgi_session_reserve(tg_session *session, uint32_t upto)
{
    tg_model *model = session->model;
    tg_kv *kv = &model->kv;
    session->used = ++model->uses;
    for (;;) {
        const tg_status status =
            tgi_kv_reserve(kv, &session->table, session->n_cached, upto, &model->error);
        tg_session *idle = upto <= kv->n_pages * TG_PAGE ? longest_idle(session) : NULL;
        if (status != TG_KV_FULL || !idle)
            return status;
        tgi_error_clear(&model->error);
        tgi_session_cancel_batch(idle);
        const uint32_t kept = (idle->table.n_pages - 1) * TG_PAGE;
        tgi_kv_truncate(kv, &idle->table, kept);
        tgi_session_truncate_cache(idle, kept);
    }
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
    tgi_session_truncate_cache(session, 0);
    tg_session **link = &session->model->sessions;
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    free(session);
}

tg_status tg_session_fork(const tg_session *session, tg_session **out)
{
    tg_model *model = session->model;
    tgi_error_clear(&model->error);
    tg_session *fork = tgi_session_allocate(model);
    if (!fork)
        return model->error.status;
    memcpy(fork->tokens, session->tokens, session->n_tokens * sizeof *fork->tokens);
    memcpy(fork->logits, session->logits, model->hparams.n_vocab * sizeof *fork->logits);
    memcpy(fork->mu, session->mu, (session->n_tokens + 1) * sizeof *fork->mu);
    fork->n_tokens = session->n_tokens;
    fork->n_discarded = session->n_discarded;
    fork->n_keep = session->n_keep;
    fork->used = session->used;
    fork->n_cached = session->n_cached;
    fork->logits_at = session->logits_at;
    tgi_kv_share(&model->kv, &session->table, &fork->table);
    tgi_checkpoints_share(&model->states, &session->states, &fork->states);
    tgi_kv_truncate(
        &model->kv, &fork->table,
        fork->n_cached); /* a batch that is not through has pages past them: they stay its own */
    *out = fork;
    return TG_OK;
}

void tg_session_release_cache(tg_session *session)
{
    tgi_session_cancel_batch(session);
    tgi_session_truncate_cache(session, 0);
}

const int32_t *tg_session_tokens(const tg_session *session, size_t *n)
{
    *n = session->n_tokens;
    return session->tokens;
}

void tgi_session_truncate(tg_session *session, uint32_t n)
{
    tgi_session_cancel_batch(session);
    session->n_tokens = n;
    if (n <= session->n_keep) /* what is left stands where it always stood */
        session->n_discarded = session->n_keep = 0;
    if (session->logits_at != n)
        session->logits_at = 0;
    tgi_session_truncate_cache(session, n && !session->logits_at ? n - 1 : n);
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
    memcpy(session->tokens + common, tokens + common, (n - common) * sizeof *tokens);
    for (uint32_t i = common; i < n; i++)
        session->mu[i + 1] = session->mu[i];
    if (common <= session->n_keep)
        session->n_discarded = session->n_keep = 0;
    tgi_session_truncate_cache(session, common);
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
    session->mu[session->n_tokens + 1] = session->mu[session->n_tokens];
    session->tokens[session->n_tokens++] = token;
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
    const uint32_t left = session->n_tokens - (uint32_t)n_discard, rest = left - (uint32_t)n_keep;
    const uint32_t dropped = session->n_discarded + (uint32_t)n_discard;
    /* what slid before stands behind the fewest that ever stayed, however many stay now */
    const uint32_t pinned =
        session->n_discarded && session->n_keep < n_keep ? session->n_keep : (uint32_t)n_keep;
    memmove(session->tokens + n_keep, session->tokens + n_keep + n_discard,
            rest * sizeof *session->tokens);
    memmove(session->mu + n_keep, session->mu + n_keep + n_discard,
            (rest + 1) * sizeof *session->mu);
    session->logits_at = 0;
    tgi_session_truncate_cache(session, (uint32_t)n_keep);
    tgi_session_truncate(session, left);
    session->n_discarded = dropped;
    session->n_keep = pinned;
    return TG_OK;
}

uint32_t tg_session_n_discarded(const tg_session *session)
{
    return session->n_discarded;
}

size_t tg_session_pending(const tg_session *session)
{
    return session->logits_at == session->n_tokens ? 0 : session->n_tokens - session->n_cached;
}

tg_status tgi_session_run_batch(tg_session *session, uint32_t n, uint32_t layers, uint32_t *ran)
{
    tg_model *model = session->model;
    tg_pending_batch *pending_batch = &model->pending_batch;
    *ran = 0;
    if (pending_batch->session != session) {
        const uint32_t base = session->n_cached;
        uint32_t state;
        tgi_model_cancel_batch(model);
        tg_status status = tgi_session_alloc_recurrent(
            session, &state); /* first: it may cut tables to what is cached */
        if (status)
            return status;
        status = tgi_session_reserve(session, base + n);
        if (status) {
            if (state != TG_NO_SLOT)
                tgi_recurrent_release(&model->states, state);
            return status;
        }
        for (uint32_t i = 0; i < n; i++)
            pending_batch->positions[i] = (int32_t)(base + i);
        pending_batch->batch =
            (tg_batch){n,    session->tokens + base, pending_batch->positions,       base,
                       NULL, &session->table,        tgi_session_recurrent(session), NULL};
        if (state != TG_NO_SLOT)
            pending_batch->batch.state_after = tgi_recurrent_at(&model->states, state);
        pending_batch->session = session;
        pending_batch->state = state;
        tgi_decode_begin(&model->decoder, &pending_batch->batch);
    }
    const bool through = tgi_decode_layers(&model->decoder, layers);
    if (tgi_pool_failed(model->pool)) {
        tgi_model_cancel_batch(model);
        return tgi_model_thread_lost(model);
    }
    if (!through)
        return TG_OK;
    pending_batch->session = NULL;
    session->n_cached += pending_batch->batch.n;
    if (pending_batch->state != TG_NO_SLOT)
        tgi_checkpoints_append(&model->states, &session->states, session->n_cached,
                               pending_batch->state);
    *ran = pending_batch->batch.n;
    return TG_OK;
}

tg_status tgi_session_copy_logits(tg_model *model, uint32_t row, float *to)
{
    const float *logits = tgi_decode_logits(&model->decoder, row);
    if (!logits)
        return tgi_model_thread_lost(model);
    memcpy(to, logits, model->hparams.n_vocab * sizeof *to);
    return TG_OK;
}

tg_status tgi_session_store_logits(tg_session *session, uint32_t n)
{
    if (session->n_cached != session->n_tokens)
        return TG_OK;
    const tg_status status = tgi_session_copy_logits(session->model, n - 1, session->logits);
    if (status)
        tgi_session_truncate_cache(
            session,
            session->n_cached -
                1); /* the last token still has to be run: without its logits it does not count */
    else
        session->logits_at = session->n_tokens;
    return status;
}

tg_status tgi_session_run_pending(tg_session *session)
{
    tg_status status = tg_session_eval(session, SIZE_MAX, 0);
    while (!status &&
           session->n_cached <
               session->n_tokens) { /* the logits are there, but the cache was given up */
        const uint32_t left = session->n_tokens - session->n_cached;
        uint32_t ran;
        status =
            tgi_session_run_batch(session, left < TG_BATCH ? left : TG_BATCH, UINT32_MAX, &ran);
    }
    return status;
}

tg_status tg_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers)
{
    tgi_error_clear(&session->model->error);
    while (max_tokens && tg_session_pending(session)) {
        size_t n = tg_session_pending(session);
        n = n < max_tokens ? n : max_tokens;
        n = n < TG_BATCH ? n : TG_BATCH;
        uint32_t ran;
        tg_status status =
            tgi_session_run_batch(session, (uint32_t)n, max_layers ? max_layers : UINT32_MAX, &ran);
        if (!status && ran)
            status = tgi_session_store_logits(session, ran);
        if (status || !ran)
            return status;
        max_tokens -= ran < max_tokens ? ran : max_tokens;
    }
    return TG_OK;
}

bool tg_session_has_pending_batch(const tg_session *session)
{
    return session->model->pending_batch.session == session;
}

/* Every token has been run, and there is one. */
static tg_status with_logits(const tg_session *session)
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
    const tg_status status = with_logits(session);
    *logits = status ? NULL : session->logits;
    return status;
}

tg_status tg_session_sample(tg_session *session, const tg_sample_request *request,
                            const tg_trace **trace)
{
    const tg_status status = with_logits(session);
    if (status)
        return status;
    tg_sample_request here = *request;
    here.position = (uint64_t)session->n_discarded + session->n_tokens;
    here.context = session->tokens;
    here.n_context = session->n_tokens;
    here.mu = session->mu[session->n_tokens];
    return tgi_sample(session->model->sampler, session->logits, &here, trace,
                      &session->model->error);
}

const tg_sampler *tg_session_sampler(const tg_session *session)
{
    return session->model->sampler;
}
