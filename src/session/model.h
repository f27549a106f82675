/* What the public header calls a model and a session, for the files of this folder.
 *
 * A model owns the file's header, the vocabulary, the sampler, the pool of threads and one arena:
 * weights, caches and scratch memory. A session is one allocation; its pages and checkpoints belong
 * to the model's caches. */
#ifndef TG_MODEL_H
#define TG_MODEL_H

#include "../base/warnings.h"
#include "../cache/evict.h"
#include "../gguf/gguf.h"
#include "../layers/plan.h"
#include "../methods/draft.h"
#include "../model/weights.h"
#include "../sample/sample.h"
#include "../tokenglass.h"
#include "../tokenizer/tokenizer.h"
#include "decode.h"

/* The batch that is on its way through the layers, between two calls of tg_sessions_eval. It is
 * canceled when anything else runs or when one of its sessions changes; its tokens are then run
 * again. */
typedef struct tg_pending_batch {
    tg_batch batch;              /* n_sequences 0: there is none */
    tg_session *asked[TG_BATCH]; /* [n_asked] the sessions of the call that started it */
    uint32_t n_asked;
    bool whole; /* all layers run in one call: a plan has states, which change only once */
    tg_session *sessions[TG_BATCH]; /* [n_sequences] */
    tg_sequence sequences[TG_BATCH];
    uint32_t slots[TG_BATCH]; /* for the recurrent states after them, or TG_NO_SLOT */
    int32_t tokens[TG_BATCH], positions[TG_BATCH];
    uint8_t sequence_of[TG_BATCH];
} tg_pending_batch;

/* The first chunk of a snapshot, little-endian. The others follow it without gaps: tokens, mu,
 * logits (when they follow all tokens), the recurrent state (when the model has one), pages. */
typedef struct tg_snapshot_header {
    char magic[8];
    uint8_t digest[32]; /* SHA-256 of the rest of this chunk and of all others */
    uint8_t fingerprint[32];
    char variant[16], dot[16], cache_k[8], cache_v[8];
    uint64_t user_data, page_bytes;
    uint32_t n_vocab, n_tokens, n_cached, logits_at, n_discarded, n_keep, n_pages;
    uint32_t state_size; /* floats of the recurrent state; 0: none */
} tg_snapshot_header;

struct tg_model {
    tg_model_options options;
    tg_model_state state;
    tg_error error;
    tg_warnings warnings; /* those of the tokenizer come before them */
    tg_gguf *gguf;
    tg_tokenizer *tokenizer;
    tg_pool *pool;
    const tg_arch *arch; /* NULL with vocab_only: then everything below is 0 except n_vocab */
    tg_hparams hparams;
    tg_model_weights weights;
    tg_weight_loader *loader;
    tg_kernels kernels;
    tg_cache cache;
    tg_decoder decoder;
    tg_pending_batch pending_batch;
    uint32_t n_ctx, n_kv;
    tg_sampler *sampler;
    struct tg_grammar_vocabulary *grammar_vocabulary; /* NULL: no grammar was made yet */
    struct tg_recycling *recycling;                   /* NULL: no draft was asked of it yet */
    tg_model_plan plan;
    void *memory; /* holds the arena: weights, caches, scratch */
};

struct tg_session_draft;

struct tg_session {
    tg_model *model;
    tg_cache_user cache;
    int32_t *tokens; /* [n_ctx] */
    uint32_t n_tokens;
    double *mu;           /* [n_ctx + 1] mirostat's state after each number of tokens */
    float *logits;        /* [n_vocab] */
    uint32_t logits_at;   /* the number of tokens that logits follow; 0: there are no logits */
    uint32_t n_discarded; /* tokens that tg_session_shift has removed so far */
    uint32_t n_keep;      /* tokens in front of the removed ones */
    struct tg_session_draft *draft; /* NULL: it never had one */
    struct tg_ngram *ngram;         /* NULL: no draft was asked of it yet */
    struct tg_plan *plan;           /* its edits and what is observed; NULL: nothing */
    tg_snapshot_header snapshot;    /* of the last save, or of the load */
};

/* ---- model.c ---- */
/* The plan of the arena, and its pointers: base NULL only counts. Sets the plan's weights, kv and
 * scratch. */
void tgi_model_layout(tg_model *model, void *base);
/* TG_THREAD_LOST. */
tg_status tgi_model_thread_lost(tg_model *model);

/* ---- header.c ---- */
/* Reads a complete header and makes the plan: TG_MODEL_HEADER -> TG_MODEL_PLANNED. Everything that
 * can be wrong with the header is an error here, before memory for weights is allocated. */
tg_status tgi_model_read_header(tg_model *model);

/* ---- text.c ---- */
/* TG_TOKEN_OUT_OF_RANGE names the first of the n ids that is not in the vocabulary. */
tg_status tgi_model_check_tokens(tg_model *model, const int32_t *ids, size_t n);

/* ---- grammar.c ---- */
void tgi_grammar_vocabulary_free(struct tg_grammar_vocabulary *vocabulary);

/* ---- session.c ---- */
/* A session without tokens; NULL, and the model's error: out of memory. */
tg_session *tgi_session_allocate(tg_model *model);
/* Keeps the first n tokens. Without the logits that follow them, the last token is run again: its
 * logits come out the same. */
void tgi_session_truncate(tg_session *session, uint32_t n);
/* Replaces the tokens from index `at` on by n tokens; the caller checks that they fit. Mirostat's
 * state after each of them is the state before them. */
void tgi_session_put_tokens(tg_session *session, uint32_t at, const int32_t *tokens, size_t n);

/* ---- run.c ---- */
/* Cancels the pending batch, whatever its sessions. */
void tgi_model_cancel_batch(tg_model *model);
/* Cancels the pending batch if the session is in it. */
void tgi_session_cancel_batch(tg_session *session);
/* Continues the session's pending batch, or starts one of its next n tokens (at most TG_BATCH), and
 * runs max_layers layers of it at most. *n_done: the tokens of the batch when its last layer has
 * run, and its positions are cached; else 0. */
tg_status tgi_session_run_batch(tg_session *session, uint32_t n, uint32_t max_layers,
                                uint32_t *n_done);
/* Stores the logits of the last row of the session's batch, which was the last one to run, in the
 * session, if no token is left to run. */
tg_status tgi_session_store_logits(tg_session *session);
/* Runs all tokens that are not cached. */
tg_status tgi_session_run_pending(tg_session *session);

/* ---- score.c ---- */
/* What the scores of tokens under one distribution share. */
typedef struct tg_distribution {
    double max, sum, log_total; /* a token's log-probability: logit - max - log_total */
    double entropy;             /* nats */
} tg_distribution;
/* Measures logits [n_vocab]. TG_LOGITS_NOT_FINITE, TG_NO_CANDIDATES. */
TG_NOINLINE tg_status tgi_measure_logits(tg_model *model, const float *logits,
                                         tg_distribution *out);
/* Lists the top_n most probable tokens. */
void tgi_list_top(tg_model *model, const float *logits, const tg_distribution *distribution,
                  uint32_t top_n, tg_top *top);

/* ---- observe.c ---- */
/* How many tokens the next batch of a session with a plan has, at most max_tokens unless an edit
 * needs more; 0, and the model's error: an edit needs tokens that the session does not have. */
TG_NOINLINE uint32_t tgi_plan_next_batch(const tg_session *session, uint32_t max_tokens);
/* Prepares a session's plan for a batch: states that do not fit what is cached are computed again,
 * from the first token on. */
TG_NOINLINE void tgi_plan_begin(tg_session *session);
/* Memory for the rows of attention of the pending batch. TG_OUT_OF_MEMORY. */
TG_NOINLINE tg_status tgi_plan_reserve(tg_model *model);
/* Edits and reports the residuals of the pending batch at a boundary. */
void tgi_plan_at_boundary(void *model, uint32_t boundary);

/* ---- draft.c ---- */
/* Sets the session's draft. Errors as tg_session_draft; the tokens must be in the vocabulary. */
tg_status tgi_session_set_draft(tg_session *session, const tg_draft *tree);
/* The draft that ran last, also after it was dropped, until another one is set; NULL: there is
 * none. *last: its last node that became a token of the session; -1: none did. */
const tg_draft *tgi_draft_last(const tg_session *session, int8_t *last);
/* The token of its root. */
int32_t tgi_draft_root(const tg_session *session);
/* Prepares the session's draft for a batch with the session's last token. Returns its number of
 * nodes; 0: there is no draft, other tokens must run first, or it needs more than `room` rows. A
 * draft that has run is dropped. */
uint32_t tgi_draft_begin(tg_session *session, uint32_t room);
/* Writes the nodes' tokens and positions. */
void tgi_draft_rows(const tg_session *session, int32_t *tokens, int32_t *positions);
/* What the root and the nodes see of each other, as in tg_sequence. */
const uint32_t *tgi_draft_visible(const tg_session *session);
/* Memory for the logits after a node, -1: the root: [n_vocab]. */
float *tgi_draft_logits(const tg_session *session, int32_t node);
/* The draft has run: its logits are there, and its keys and values follow the session's. */
void tgi_draft_has_run(tg_session *session);
/* If the token that was just appended is in the draft, its keys, values and logits become the
 * session's; else the draft is dropped. */
void tgi_draft_accept(tg_session *session);
void tgi_draft_drop(tg_session *session);
void tgi_draft_free(tg_session *session);

#endif
