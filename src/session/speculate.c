/* Drafts that the methods of src/methods and grammars propose for a session. */
#include "../methods/ngram.h"
#include "../methods/recycling.h"
#include "model.h"

/* Whether a draft can run now: with the session's last token, which is the only one to run. */
static bool can_run(tg_session *session)
{
    tgi_error_clear(&session->model->error);
    return tg_session_pending(session) == 1 && session->cache.n_cached + 1 == session->n_tokens;
}

tg_status tg_session_draft_ngram(tg_session *session, uint32_t max_nodes, const float *costs,
                                 size_t *n)
{
    tg_model *model = session->model;
    tg_draft tree = {0};
    *n = 0;
    if (can_run(session) && max_nodes) {
        if (!session->ngram)
            session->ngram = tgi_ngram_new(model->n_ctx);
        if (!session->ngram)
            return tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                            "no memory for an index of %u tokens", (unsigned)model->n_ctx);
        tgi_ngram_sync(session->ngram, session->tokens, session->n_tokens);
        tgi_ngram_propose(session->ngram, max_nodes, &tree);
        if (costs)
            tgi_draft_cut(&tree, costs);
    }
    *n = tree.n;
    return tgi_session_set_draft(session, &tree);
}

/* Learns from what the model computed since the last draft, and from the tokens that came. */
static void learn(tg_session *session)
{
    tg_recycling *matrix = session->model->recycling;
    const uint32_t n = session->n_tokens;
    int8_t last = -1, order[TG_MAX_DRAFT + 1];
    const tg_draft *draft = tgi_draft_last(session, &last);
    uint32_t n_new = 1; /* tokens that came since the last batch */
    for (int8_t node = last; draft && node >= 0; node = draft->parents[node])
        n_new++;
    for (uint32_t i = n > n_new ? n - n_new : 1; i < n; i++)
        tgi_recycling_observe(matrix, session->tokens[i - 1], session->tokens[i]);
    if (draft) {
        tgi_recycling_order(draft, last, order);
        for (uint32_t i = 0; i <= draft->n; i++) {
            const int8_t node = order[i];
            tgi_recycling_learn(matrix, node < 0 ? tgi_draft_root(session) : draft->tokens[node],
                                tgi_draft_logits(session, node));
        }
    } else if (session->logits_at && session->logits_at + 1 == n) {
        tgi_recycling_learn(matrix, session->tokens[n - 2], session->logits);
    }
}

tg_status tg_session_draft_recycling(tg_session *session, uint32_t tree, uint32_t max_nodes,
                                     const float *costs, size_t *n)
{
    tg_model *model = session->model;
    tg_draft draft = {0};
    *n = 0;
    if (can_run(session) && max_nodes && tree < TG_TREE_COUNT) {
        if (!model->recycling)
            model->recycling = tgi_recycling_new(model->hparams.n_vocab);
        if (!model->recycling)
            return tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                            "no memory for the successors of %u tokens",
                            (unsigned)model->hparams.n_vocab);
        learn(session);
        tgi_recycling_propose(model->recycling, (tg_recycling_tree)tree,
                              session->tokens[session->n_tokens - 1], max_nodes, &draft);
        if (costs)
            tgi_draft_cut(&draft, costs);
    }
    *n = draft.n;
    return tgi_session_set_draft(session, &draft);
}
