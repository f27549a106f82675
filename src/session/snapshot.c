/* Snapshots: a session as bytes, in chunks that are views of its memory, so that saving and loading
 * copy nothing. A loaded session continues as the saved one would have, bit for bit. */
#include "../base/sha256.h"
#include "model.h"

#include <string.h>

#define MAGIC "tgsess01"

_Static_assert(sizeof(tg_snapshot_header) == 168, "the layout of a snapshot's header");

/* The fields that say which model and which build the snapshot is for; the others are 0. */
static void describe(const tg_session *session, tg_snapshot_header *header)
{
    tg_model *model = session->model;
    tg_model_info info;
    tg_model_get_info(model, &info);
    *header =
        (tg_snapshot_header){.n_vocab = info.n_vocab, .page_bytes = model->cache.kv.page_bytes};
    memcpy(header->magic, MAGIC, sizeof header->magic);
    memcpy(header->fingerprint, info.fingerprint, sizeof header->fingerprint);
    strncpy(header->variant, info.kernel_variant, sizeof header->variant - 1);
    strncpy(header->dot, info.kernel_dot, sizeof header->dot - 1);
    strncpy(header->cache_k, tg_kv_type_table[info.cache_type_k].name, sizeof header->cache_k - 1);
    strncpy(header->cache_v, tg_kv_type_table[info.cache_type_v].name, sizeof header->cache_v - 1);
}

/* Floats of the recurrent state after n_cached positions. */
static uint32_t state_size(const tg_model *model, uint32_t n_cached)
{
    return n_cached ? (uint32_t)model->cache.recurrent.state_size : 0;
}

bool tg_session_snapshot_chunk(tg_session *session, uint32_t index, void **bytes, size_t *n)
{
    const tg_cache *cache = &session->model->cache;
    const tg_snapshot_header *header = &session->snapshot;
    switch (index) {
    case 0:
        *bytes = &session->snapshot;
        *n = sizeof session->snapshot;
        return true;
    case 1:
        *bytes = session->tokens;
        *n = header->n_tokens * sizeof *session->tokens;
        return true;
    case 2:
        *bytes = session->mu;
        *n = (header->n_tokens + (size_t)1) * sizeof *session->mu;
        return true;
    case 3:
        *bytes = session->logits;
        *n = header->logits_at ? header->n_vocab * sizeof *session->logits : 0;
        return true;
    case 4: /* without a state an empty chunk, whose pointer is not NULL */
        *bytes = header->state_size ? tgi_cache_recurrent(cache, &session->cache) : session->logits;
        *n = header->state_size * sizeof(float);
        return true;
    default:
        if (index - 5 >= header->n_pages)
            return false;
        *bytes = cache->kv.pages + session->cache.table.pages[index - 5] * cache->kv.page_bytes;
        *n = cache->kv.page_bytes;
        return true;
    }
}

/* The SHA-256 of all chunks, without the header's own digest and the magic before it. */
static void digest(tg_session *session, uint8_t out[32])
{
    tg_sha256 sha;
    void *bytes;
    size_t n;
    tgi_sha256_init(&sha);
    const size_t skip = offsetof(tg_snapshot_header, digest) + sizeof session->snapshot.digest;
    tgi_sha256_update(&sha, (const uint8_t *)&session->snapshot + skip,
                      sizeof session->snapshot - skip);
    for (uint32_t i = 1; tg_session_snapshot_chunk(session, i, &bytes, &n); i++)
        tgi_sha256_update(&sha, bytes, n);
    tgi_sha256_final(&sha, out);
}

/* ---- saving ---- */

/* Writes zeros after the cached positions in the last page, which holds removed tokens or what the
 * page's last owner left: a snapshot must not contain them, and equal sessions must give equal
 * bytes. */
static void clear_rest_of_page(tg_session *session)
{
    tg_model *model = session->model;
    tg_cache *cache = &model->cache;
    const uint32_t n_cached = session->cache.n_cached, slot = n_cached % TG_PAGE;
    if (!slot)
        return;
    if (tgi_cache_reserve(cache, &session->cache, n_cached + 1, &model->error)) {
        /* no page for a copy of the shared page: its positions are run again */
        tgi_error_clear(&model->error);
        tgi_cache_truncate(cache, &session->cache, n_cached - slot);
        return;
    }
    tgi_kv_clear(&cache->kv, &model->kernels, session->cache.table.pages[n_cached / TG_PAGE], slot);
}

void tg_session_save_snapshot_begin(tg_session *session, uint64_t user_data)
{
    tg_model *model = session->model;
    tg_snapshot_header *header = &session->snapshot;
    tgi_model_cancel_batch(model);
    tgi_draft_drop(session);
    tgi_kv_truncate(&model->cache.kv, &session->cache.table, session->cache.n_cached);
    clear_rest_of_page(session);
    describe(session, header);
    header->user_data = user_data;
    header->n_tokens = session->n_tokens;
    header->n_cached = session->cache.n_cached;
    header->logits_at = session->logits_at == session->n_tokens ? session->logits_at : 0;
    header->n_discarded = session->n_discarded;
    header->n_keep = session->n_keep;
    header->n_pages = session->cache.table.n_pages;
    header->state_size = state_size(model, session->cache.n_cached);
    digest(session, header->digest);
}

/* ---- loading ---- */

static tg_status damaged(tg_model *model, const char *what)
{
    return tgi_fail(&model->error, TG_SESSION_DAMAGED, TG_NO_OFFSET,
                    "the saved session is damaged: %s", what);
}

static tg_status foreign(tg_model *model, const char *what, const char *saved, const char *loaded)
{
    return tgi_fail(&model->error, TG_SESSION_FOREIGN, TG_NO_OFFSET,
                    "the saved session has another %s: %.16s; this model has %s", what, saved,
                    loaded);
}

/* The bytes of all chunks. */
static uint64_t snapshot_size(const tg_snapshot_header *header)
{
    const uint64_t n = header->n_tokens, n_logits = header->logits_at ? header->n_vocab : 0;
    return sizeof *header + n * sizeof(int32_t) + (n + 1) * sizeof(double) +
           (n_logits + header->state_size) * sizeof(float) + header->n_pages * header->page_bytes;
}

static bool is_consistent(const tg_model *model, const tg_snapshot_header *header)
{
    return header->n_cached <= header->n_tokens && header->n_keep <= header->n_tokens &&
           (!header->logits_at || header->logits_at == header->n_tokens) &&
           header->state_size == state_size(model, header->n_cached) &&
           header->n_pages == tgi_kv_n_pages(header->n_cached) &&
           (!header->n_tokens || header->logits_at || header->n_cached < header->n_tokens);
}

/* Checks that the snapshot with this header, n bytes in all, can continue in this model. */
static tg_status check_header(tg_session *session, const tg_snapshot_header *saved, size_t n)
{
    tg_model *model = session->model;
    tg_snapshot_header expected;
    describe(session, &expected);
    if (memcmp(saved->magic, expected.magic, sizeof expected.magic) != 0)
        return damaged(model, "it does not start with the magic bytes of this version");
    if (memcmp(saved->fingerprint, expected.fingerprint, sizeof expected.fingerprint) != 0 ||
        saved->n_vocab != expected.n_vocab)
        return tgi_fail(&model->error, TG_SESSION_FOREIGN, TG_NO_OFFSET,
                        "the saved session is of another model: the fingerprints differ");
    if (memcmp(saved->cache_k, expected.cache_k, sizeof expected.cache_k) != 0)
        return foreign(model, "cache type of keys", saved->cache_k, expected.cache_k);
    if (memcmp(saved->cache_v, expected.cache_v, sizeof expected.cache_v) != 0)
        return foreign(model, "cache type of values", saved->cache_v, expected.cache_v);
    if (memcmp(saved->variant, expected.variant, sizeof expected.variant) != 0)
        return foreign(model, "kernel variant", saved->variant, expected.variant);
    if (memcmp(saved->dot, expected.dot, sizeof expected.dot) != 0)
        return foreign(model, "form of the dot product", saved->dot, expected.dot);
    if (saved->page_bytes != expected.page_bytes || snapshot_size(saved) != n)
        return damaged(model, "its length is not the one in its header");
    if (saved->n_tokens > model->n_ctx)
        return tgi_fail(&model->error, TG_CONTEXT_FULL, TG_NO_OFFSET,
                        "the saved session has %u tokens; the context is %u",
                        (unsigned)saved->n_tokens, (unsigned)model->n_ctx);
    return is_consistent(model, saved) ? TG_OK : damaged(model, "its header contradicts itself");
}

/* Takes the pages and the slot that the snapshot's chunks are copied into. */
static tg_status reserve_chunks(tg_session *session, const tg_snapshot_header *header)
{
    tg_model *model = session->model;
    tg_cache *cache = &model->cache;
    uint32_t slot = TG_NO_SLOT;
    tgi_model_cancel_batch(model);
    if (header->n_cached) {
        const tg_status status =
            tgi_cache_alloc_recurrent(cache, &session->cache, &slot, &model->error);
        if (status)
            return status;
    }
    if (slot != TG_NO_SLOT)
        tgi_checkpoints_append(&cache->recurrent, &session->cache.checkpoints, header->n_cached,
                               slot);
    return tgi_cache_reserve(cache, &session->cache, header->n_cached, &model->error);
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
    if (!status)
        status = reserve_chunks(session, &saved);
    if (status) {
        tg_session_free(session);
        *out = NULL;
        return status;
    }
    session->snapshot = saved;
    return TG_OK;
}

tg_status tg_session_load_snapshot_commit(tg_session *session)
{
    tg_model *model = session->model;
    const tg_snapshot_header *header = &session->snapshot;
    uint8_t sum[32];
    tgi_error_clear(&model->error);
    digest(session, sum);
    if (memcmp(sum, header->digest, sizeof sum) != 0)
        return damaged(model, "its checksum does not match its bytes");
    const tg_status status = tgi_model_check_tokens(model, session->tokens, header->n_tokens);
    if (status)
        return status;
    session->n_tokens = header->n_tokens;
    session->cache.n_cached = header->n_cached;
    session->logits_at = header->logits_at;
    session->n_discarded = header->n_discarded;
    session->n_keep = header->n_keep;
    return TG_OK;
}
