/* A session's draft: a tree of proposed tokens that runs in one batch with the session's last
 * token, the root. Sampling does not know of it. When a token that is appended is in the draft, its
 * keys, values and logits are there already: they move to where a plain run would have put them.
 *
 * In the batch the root is row 0 and node i row i + 1, in the slots after the session's cached
 * positions. A node's depth is at most its index + 1, so moving an accepted node to its position
 * never overwrites one of its descendants. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORDS ((TG_MAX_DRAFT + 1 + 31) / 32)

_Static_assert(TG_MAX_DRAFT < TG_BATCH, "a draft runs in one batch with its root");

struct tg_session_draft {
    tg_draft tree;     /* n 0: there is none */
    uint32_t n_tokens; /* of the session up to the root */
    int32_t root;      /* its last token */
    uint32_t depths[TG_MAX_DRAFT];
    uint32_t visible[(TG_MAX_DRAFT + 1) * MAX_WORDS];
    enum { PROPOSED, HAS_RUN, DROPPED } state;
    int32_t at;          /* the node that is the session's last token; -1: the root */
    uint32_t n_accepted; /* nodes that became tokens of the session */
    uint32_t capacity;   /* nodes that there is memory for */
    float *logits;       /* [1 + capacity][n_vocab] after the root and after each node */
};

/* Memory for the logits of n nodes. */
static tg_status make_room(tg_session *session, uint32_t n)
{
    tg_model *model = session->model;
    struct tg_session_draft *draft = session->draft;
    if (!draft)
        draft = session->draft = calloc(1, sizeof *draft);
    if (draft && draft->capacity < n) {
        free(draft->logits);
        draft->capacity = 0;
        draft->logits = malloc((n + (size_t)1) * model->hparams.n_vocab * sizeof *draft->logits);
        if (draft->logits)
            draft->capacity = n;
    }
    if (!draft || draft->capacity < n)
        return tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for a draft of %u tokens", (unsigned)n);
    return TG_OK;
}

static uint32_t depth_of(const struct tg_session_draft *draft, uint32_t node)
{
    const int8_t parent = draft->tree.parents[node];
    return parent < 0 ? 1 : draft->depths[parent] + 1;
}

/* Takes over the nodes that have a position in the context. */
static void copy_tree(tg_session *session, const tg_draft *tree)
{
    struct tg_session_draft *draft = session->draft;
    const uint32_t max_depth = session->model->n_ctx - session->n_tokens;
    bool kept[TG_MAX_DRAFT];
    draft->tree = *tree;
    for (uint32_t i = 0; i < tree->n; i++) {
        draft->depths[i] = depth_of(draft, i);
        kept[i] = draft->depths[i] <= max_depth;
    }
    tgi_draft_keep(&draft->tree, kept);
    for (uint32_t i = 0; i < draft->tree.n; i++)
        draft->depths[i] = depth_of(draft, i);
}

tg_status tgi_session_set_draft(tg_session *session, const tg_draft *tree)
{
    tgi_session_cancel_batch(session); /* it may have another draft, which is given up here */
    if (session->draft)
        session->draft->tree.n = 0;
    if (session->plan)
        return tgi_fail(&session->model->error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "speculation is not possible in a session with edits");
    if (session->model->cache.recurrent.state_size)
        return tgi_fail(&session->model->error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "speculation is not possible with the architecture %s: its recurrent "
                        "states cannot go back to an accepted token",
                        session->model->arch->name);
    if (!tree->n || !session->n_tokens)
        return TG_OK;
    const tg_status status = make_room(session, tree->n);
    if (status)
        return status;
    copy_tree(session, tree);
    session->draft->n_tokens = session->n_tokens;
    session->draft->root = session->tokens[session->n_tokens - 1];
    session->draft->state = PROPOSED;
    return TG_OK;
}

tg_status tg_session_draft(tg_session *session, const int32_t *tokens, const int32_t *parents,
                           size_t n)
{
    tg_model *model = session->model;
    tg_draft tree = {0};
    tgi_error_clear(&model->error);
    if (n > TG_MAX_DRAFT)
        return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "a draft has at most %d tokens, not %zu", TG_MAX_DRAFT, n);
    const tg_status status = tgi_model_check_tokens(model, tokens, n);
    if (status)
        return status;
    for (size_t i = 0; i < n; i++) {
        if (parents[i] < -1 || parents[i] >= (int32_t)i)
            return tgi_fail(&model->error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                            "token %zu of the draft has parent %d; it must come before it", i,
                            (int)parents[i]);
        tgi_draft_add(&tree, (int8_t)parents[i], tokens[i], 1);
    }
    return tgi_session_set_draft(session, &tree);
}

/* ---- running ---- */

uint32_t tgi_draft_begin(tg_session *session, uint32_t room)
{
    struct tg_session_draft *draft = session->draft;
    if (!draft || !draft->tree.n)
        return 0;
    if (draft->state != PROPOSED || draft->n_tokens != session->n_tokens) {
        tgi_draft_drop(session);
        return 0;
    }
    if (session->cache.n_cached + 1 != session->n_tokens || draft->tree.n > room)
        return 0;
    const uint32_t words = (draft->tree.n + 1 + 31) / 32;
    memset(draft->visible, 0, sizeof draft->visible);
    draft->visible[0] = 1;
    for (uint32_t row = 1; row <= draft->tree.n; row++) {
        const uint32_t parent_row = (uint32_t)(draft->tree.parents[row - 1] + 1);
        memcpy(draft->visible + row * words, draft->visible + parent_row * words,
               words * sizeof *draft->visible);
        draft->visible[row * words + row / 32] |= 1u << row % 32;
    }
    return draft->tree.n;
}

void tgi_draft_rows(const tg_session *session, int32_t *tokens, int32_t *positions)
{
    const struct tg_session_draft *draft = session->draft;
    for (uint32_t i = 0; i < draft->tree.n; i++) {
        tokens[i] = draft->tree.tokens[i];
        positions[i] = (int32_t)(draft->n_tokens - 1 + draft->depths[i]);
    }
}

const uint32_t *tgi_draft_visible(const tg_session *session)
{
    return session->draft->visible;
}

float *tgi_draft_logits(const tg_session *session, int32_t node)
{
    return session->draft->logits + (size_t)(node + 1) * session->model->hparams.n_vocab;
}

void tgi_draft_has_run(tg_session *session)
{
    session->draft->state = HAS_RUN;
    session->draft->at = -1;
    session->draft->n_accepted = 0;
    memcpy(tgi_draft_logits(session, -1), session->logits,
           session->model->hparams.n_vocab * sizeof *session->logits);
}

/* ---- accepting ---- */

static bool has_run(const tg_session *session)
{
    return session->draft && session->draft->tree.n && session->draft->state == HAS_RUN;
}

/* The child of the session's last token with this token; -1: the draft has none. */
static int32_t find_child(const struct tg_session_draft *draft, int32_t token)
{
    for (uint32_t i = 0; i < draft->tree.n; i++)
        if (draft->tree.parents[i] == draft->at && draft->tree.tokens[i] == token)
            return (int32_t)i;
    return -1;
}

/* Whether the draft's keys and values are still there: its pages may have been evicted. */
static bool is_cached(const tg_session *session)
{
    const struct tg_session_draft *draft = session->draft;
    const tg_cache_user *user = &session->cache;
    return user->n_cached == draft->n_tokens + draft->n_accepted &&
           user->table.n_pages >= tgi_kv_n_pages(draft->n_tokens + draft->tree.n);
}

void tgi_draft_accept(tg_session *session)
{
    tg_model *model = session->model;
    struct tg_session_draft *draft = session->draft;
    if (!has_run(session))
        return;
    const int32_t node =
        is_cached(session) ? find_child(draft, session->tokens[session->n_tokens - 1]) : -1;
    if (node < 0) {
        tgi_draft_drop(session);
        return;
    }
    const uint32_t from = draft->n_tokens + (uint32_t)node, to = session->n_tokens - 1;
    if (from != to)
        tgi_kv_move(&model->cache.kv, &session->cache.table, from, to);
    memcpy(session->logits, tgi_draft_logits(session, node),
           model->hparams.n_vocab * sizeof *session->logits);
    session->cache.n_cached = session->logits_at = session->n_tokens;
    draft->at = node;
    draft->n_accepted++;
}

void tg_session_draft_use(const tg_session *session, uint32_t *proposed, uint32_t *accepted)
{
    const struct tg_session_draft *draft = session->draft;
    *proposed = has_run(session) ? draft->tree.n : 0;
    *accepted = has_run(session) ? draft->n_accepted : 0;
}

void tgi_draft_drop(tg_session *session)
{
    if (session->draft && session->draft->state == HAS_RUN)
        session->draft->state = DROPPED;
    else if (session->draft && session->draft->state == PROPOSED)
        session->draft->tree.n = 0;
}

const tg_draft *tgi_draft_last(const tg_session *session, int8_t *last)
{
    const struct tg_session_draft *draft = session->draft;
    if (!draft || !draft->tree.n || draft->state == PROPOSED)
        return NULL;
    *last = (int8_t)draft->at;
    return &draft->tree;
}

int32_t tgi_draft_root(const tg_session *session)
{
    return session->draft->root;
}

void tgi_draft_free(tg_session *session)
{
    if (!session->draft)
        return;
    free(session->draft->logits);
    free(session->draft);
}
