/* A session as bytes, part by part, so that nothing is copied on the way. In: a session; or the
 * parts of a saved one. Out: views of the parts; or a session that goes on as the saved one would
 * have, bit for bit. The session owns what is viewed. */
#include "model.h"
#include "../base/sha256.h"

#include <string.h>

#define MAGIC "tgsess01"

_Static_assert(sizeof(tg_snapshot_header) == 168, "the layout of a saved session");

/* What this model and this build put into a header. */
static void describe(const tg_session *session, tg_snapshot_header *saved)
{
    tg_model *model = session->model;
    tg_model_info info;
    tg_model_get_info(model, &info);
    *saved = (tg_snapshot_header){.n_vocab = info.n_vocab, .page_bytes = model->kv.page_bytes};
    memcpy(saved->magic, MAGIC, sizeof saved->magic);
    memcpy(saved->fingerprint, info.fingerprint, sizeof saved->fingerprint);
    strncpy(saved->variant, info.kernel_variant, sizeof saved->variant - 1);
    strncpy(saved->dot, info.kernel_dot, sizeof saved->dot - 1);
    strncpy(saved->cache_k, tg_kv_type_table[info.cache_type_k].name, sizeof saved->cache_k - 1);
    strncpy(saved->cache_v, tg_kv_type_table[info.cache_type_v].name, sizeof saved->cache_v - 1);
}

bool tg_session_snapshot_chunk(tg_session *session, uint32_t index, void **bytes, size_t *n)
{
    const tg_kv *kv = &session->model->kv;
    const tg_snapshot_header *saved = &session->saved;
    switch (index) {
    case 0:
        *bytes = &session->saved;
        *n = sizeof session->saved;
        return true;
    case 1:
        *bytes = session->tokens;
        *n = saved->n_tokens * sizeof *session->tokens;
        return true;
    case 2:
        *bytes = session->mu;
        *n = (saved->n_tokens + (size_t)1) * sizeof *session->mu;
        return true;
    case 3:
        *bytes = session->logits;
        *n = saved->logits_at ? saved->n_vocab * sizeof *session->logits : 0;
        return true;
    case 4:
        *bytes = saved->n_state ? tgi_session_recurrent(session) : session->logits; /* never NULL */
        *n = saved->n_state * sizeof(float);
        return true;
    default:
        if (index - 5 >= saved->n_pages)
            return false;
        *bytes = kv->pages + session->table.pages[index - 5] * kv->page_bytes;
        *n = kv->page_bytes;
        return true;
    }
}

static void digest(tg_session *session, uint8_t out[32])
{
    tg_sha256 sha;
    void *bytes;
    size_t n;
    tgi_sha256_init(&sha);
    const size_t skip = offsetof(tg_snapshot_header, digest) + sizeof session->saved.digest;
    tgi_sha256_update(&sha, (const uint8_t *)&session->saved + skip, sizeof session->saved - skip);
    for (uint32_t i = 1; tg_session_snapshot_chunk(session, i, &bytes, &n); i++)
        tgi_sha256_update(&sha, bytes, n);
    tgi_sha256_final(&sha, out);
}

/* Past what is cached the last page still has keys and values of tokens that were taken back, or of
 * whoever had the page before: they are nobody's business, and the same session is to give the same
 * bytes. */
static void clear_rest(tg_session *session)
{
    const tg_model *model = session->model;
    if (session->n_cached % TG_PAGE == 0)
        return;
    if (tgi_session_reserve(
            session, session->n_cached +
                         1)) { /* no page for a copy of a shared one: the rest is run again */
        tgi_error_clear(&session->model->error);
        tgi_session_truncate_cache(session, session->n_cached - session->n_cached % TG_PAGE);
        return;
    }
    const uint32_t page = session->table.pages[session->n_cached / TG_PAGE];
    tgi_kv_clear(&model->kv, &model->kernels, page, session->n_cached % TG_PAGE);
}

void tg_session_save_snapshot_begin(tg_session *session, uint64_t note)
{
    tg_snapshot_header *saved = &session->saved;
    tgi_session_cancel_batch(session);
    tgi_kv_truncate(&session->model->kv, &session->table, session->n_cached);
    clear_rest(session);
    describe(session, saved);
    saved->user_data = note;
    saved->n_tokens = session->n_tokens;
    saved->n_cached = session->n_cached;
    saved->logits_at = session->logits_at == session->n_tokens ? session->logits_at : 0;
    saved->n_discarded = session->n_discarded;
    saved->n_keep = session->n_keep;
    saved->n_pages = session->table.n_pages;
    saved->n_state = tgi_snapshot_n_recurrent(session->model, session->n_cached);
    digest(session, saved->digest);
}

static tg_status damaged(tg_model *model, const char *what)
{
    return tgi_fail(&model->error, TG_SESSION_DAMAGED, TG_NO_OFFSET,
                    "the saved session is damaged: %s", what);
}

static tg_status foreign(tg_model *model, const char *what, const char *its, const char *ours)
{
    return tgi_fail(&model->error, TG_SESSION_FOREIGN, TG_NO_OFFSET,
                    "the saved session is of another %s: %.16s; here it is %s", what, its, ours);
}

/* The bytes of all parts. */
static uint64_t saved_size(const tg_snapshot_header *saved)
{
    const uint64_t n = saved->n_tokens, logits = saved->logits_at ? saved->n_vocab : 0;
    return sizeof *saved + n * sizeof(int32_t) + (n + 1) * sizeof(double) +
           (logits + saved->n_state) * sizeof(float) + saved->n_pages * saved->page_bytes;
}

/* Whether the session of this header, saved in n bytes, can go on here. */
static tg_status check_header(tg_session *session, const tg_snapshot_header *saved, size_t n)
{
    tg_model *model = session->model;
    tg_snapshot_header here;
    describe(session, &here);
    if (memcmp(saved->magic, here.magic, sizeof here.magic) != 0)
        return damaged(model, "it does not begin as one of this version");
    if (memcmp(saved->fingerprint, here.fingerprint, sizeof here.fingerprint) != 0 ||
        saved->n_vocab != here.n_vocab)
        return tgi_fail(&model->error, TG_SESSION_FOREIGN, TG_NO_OFFSET,
                        "the saved session is of another model: the fingerprints differ");
    if (memcmp(saved->cache_k, here.cache_k, sizeof here.cache_k) != 0)
        return foreign(model, "cache type of keys", saved->cache_k, here.cache_k);
    if (memcmp(saved->cache_v, here.cache_v, sizeof here.cache_v) != 0)
        return foreign(model, "cache type of values", saved->cache_v, here.cache_v);
    if (memcmp(saved->variant, here.variant, sizeof here.variant) != 0)
        return foreign(model, "kernel variant", saved->variant, here.variant);
    if (memcmp(saved->dot, here.dot, sizeof here.dot) != 0)
        return foreign(model, "form of the dot product", saved->dot, here.dot);
    if (saved->page_bytes != here.page_bytes || saved_size(saved) != n)
        return damaged(model, "it has not as many bytes as its header tells of");
    if (saved->n_tokens > model->n_ctx)
        return tgi_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET,
                        "the saved session has %u tokens; the context is %u",
                        (unsigned)saved->n_tokens, (unsigned)model->n_ctx);
    if (saved->n_cached > saved->n_tokens || saved->n_keep > saved->n_tokens ||
        (saved->logits_at && saved->logits_at != saved->n_tokens) ||
        saved->n_state != tgi_snapshot_n_recurrent(model, saved->n_cached) ||
        saved->n_pages != (saved->n_cached + TG_PAGE - 1) / TG_PAGE ||
        (saved->n_tokens && !saved->logits_at && saved->n_cached == saved->n_tokens))
        return damaged(model, "its header contradicts itself");
    return TG_OK;
}

tg_status tg_session_load_snapshot_begin(tg_model *model, const void *header, size_t n,
                                         tg_session **out)
{
    tg_snapshot_header saved;
    tg_status status = tg_session_new(model, out);
    if (status)
        return status;
    tg_session *session = *out;
    if (n < sizeof saved)
        status = damaged(model, "it ends within its header");
    if (!status) {
        memcpy(&saved, header, sizeof saved);
        status = check_header(session, &saved, n);
    }
    uint32_t state = TG_NO_SLOT;
    tgi_model_cancel_batch(model);
    if (!status && saved.n_cached)
        status = tgi_session_alloc_recurrent(session, &state);
    if (!status && state != TG_NO_SLOT)
        tgi_checkpoints_append(&model->states, &session->states, saved.n_cached, state);
    if (!status)
        status = tgi_session_reserve(session, saved.n_cached);
    if (status) {
        tg_session_free(session);
        *out = NULL;
        return status;
    }
    session->saved = saved;
    return TG_OK;
}

tg_status tg_session_load_snapshot_commit(tg_session *session)
{
    tg_model *model = session->model;
    const tg_snapshot_header *saved = &session->saved;
    uint8_t sum[32];
    tgi_error_clear(&model->error);
    digest(session, sum);
    if (memcmp(sum, saved->digest, sizeof sum) != 0)
        return damaged(model, "its bytes do not give its checksum");
    const tg_status status = tgi_model_check_tokens(model, session->tokens, saved->n_tokens);
    if (status)
        return status;
    session->n_tokens = saved->n_tokens;
    session->n_cached = saved->n_cached;
    session->logits_at = saved->logits_at;
    session->n_discarded = saved->n_discarded;
    session->n_keep = saved->n_keep;
    return TG_OK;
}
