/* What the public header calls a model and a session, for model.c and session.c alone. */
#ifndef TG_MODEL_H
#define TG_MODEL_H

#include "decode.h"
#include "../gguf/gguf.h"
#include "../cache/kv.h"
#include "../cache/recurrent.h"
#include "../tokenglass.h"
#include "../tokenizer/tokenizer.h"
#include "../model/weights.h"
#include "../sample/sample.h"

/* A session's batch that is on its way through the layers; whatever else wants to run or changes
 * the session ends it, and nothing is lost but work. */
typedef struct tg_pending_batch {
    tg_session *session; /* NULL: none */
    tg_batch batch;
    int32_t positions[TG_BATCH];
    uint32_t state; /* the slot of the recurrent state after it, or TG_NO_SLOT */
} tg_pending_batch;

/* The first part of a saved session, little-endian. The others follow it without gaps: tokens, mu,
 * logits (when they follow all tokens), the recurrent state (where the model has one), pages. */
typedef struct tg_snapshot_header {
    char magic[8];
    uint8_t digest[32]; /* SHA-256 of the rest of this part and of all others */
    uint8_t fingerprint[32];
    char variant[16], dot[16], cache_k[8], cache_v[8];
    uint64_t user_data, page_bytes;
    uint32_t n_vocab, n_tokens, n_cached, logits_at, n_discarded, n_keep, n_pages,
        n_state; /* n_state: floats */
} tg_snapshot_header;

struct tg_model {
    tg_model_options options;
    tg_model_state state;
    tg_error error;
    uint64_t fed; /* bytes of the file so far */
    tg_gguf *gguf;
    tg_tokenizer *tokens;
    const tg_arch *arch; /* NULL with vocab_only, as is everything below but n_vocab */
    tg_hparams hparams;
    tg_arch_weights weights;
    tg_weights *list;
    tg_kernels kernels;
    tg_pool *pool;
    tg_kv kv;
    tg_recurrent_cache states;
    tg_decoder decoder;
    tg_pending_batch pending_batch;
    tg_session *sessions; /* all of them, the newest first */
    uint64_t uses;        /* counts up whenever a session runs */
    uint32_t n_ctx, n_kv;
    tg_sampler *sampler;
    tg_model_plan plan;
    void *memory; /* the arena: weights, kv, scratch */
};

struct tg_session { /* one allocation with the five arrays */
    tg_model *model;
    tg_session *next;
    uint64_t used;   /* the model's uses when it last ran */
    int32_t *tokens; /* [n_ctx] */
    double *mu;      /* [n_ctx + 1] mirostat's state after the first so many tokens */
    uint32_t n_tokens;
    uint32_t n_cached; /* the first so many tokens have been run and are in the cache, and so is the
                          recurrent state after them */
    uint32_t logits_at;   /* logits holds what follows that many tokens; 0: nothing */
    uint32_t n_discarded; /* tokens that slid out of the window, */
    uint32_t n_keep;      /* from behind so many that stayed */
    float *logits;        /* [n_vocab] */
    tg_kv_table table;
    tg_checkpoints states;
    tg_snapshot_header saved; /* its header when it was last sealed, or as it was opened */
};

/* ---- between session.c, session_measure.c and session_save.c ---- */
tg_session *
tgi_session_allocate(tg_model *model); /* NULL, and the model's error, when out of memory */
/* Ends the session's batch that is under way, if there is one. */
void tgi_session_cancel_batch(tg_session *session);
/* Ends whatever batch is under way. */
void tgi_model_cancel_batch(tg_model *model);
/* Of what is cached keeps at most the first n tokens: for a recurrent model those up to the last
 * state that was kept. */
void tgi_session_truncate_cache(tg_session *session, uint32_t n);
/* A slot for a recurrent state after tokens of the session; TG_NO_SLOT when the model has none. */
tg_status tgi_session_alloc_recurrent(tg_session *session, uint32_t *slot);
/* Makes the positions after what is cached, up to, not including, upto, writable. */
tg_status tgi_session_reserve(tg_session *session, uint32_t upto);
/* Keeps the first n tokens. Without the logits that follow them the last is run again: its logits
 * come out the same. */
void tgi_session_truncate(tg_session *session, uint32_t n);
/* Goes on with the session's batch, or begins one of the next n tokens, at most TG_BATCH, and runs
 * at most `layers` layers of it. *ran: the tokens of the batch when that was its last layer, and
 * their keys and values are in the cache; else 0. */
tg_status tgi_session_run_batch(tg_session *session, uint32_t n, uint32_t layers, uint32_t *ran);
/* Copies the logits of a row of the batch just run: n_vocab floats. */
tg_status tgi_session_copy_logits(tg_model *model, uint32_t row, float *to);
/* Keeps the logits of the row n - 1 of the batch just run, once no token is left to run. */
tg_status tgi_session_store_logits(tg_session *session, uint32_t n);
/* Runs whatever is not in the cache. */
tg_status tgi_session_run_pending(tg_session *session);

/* The recurrent state after what is cached; NULL: nothing is, or the model has none. */
static inline float *tgi_session_recurrent(const tg_session *session)
{
    return session->states.n
               ? tgi_recurrent_at(&session->model->states, tgi_checkpoints_last(&session->states))
               : NULL;
}

/* Floats of a session's recurrent state as it is saved: after n_cached tokens. */
static inline uint32_t tgi_snapshot_n_recurrent(const tg_model *model, uint32_t n_cached)
{
    return n_cached ? (uint32_t)model->states.floats : 0;
}

/* TG_THREAD_LOST. */
tg_status tgi_model_thread_lost(tg_model *model);
/* TG_TOKEN_OUT_OF_RANGE, naming the first id that is not in the vocabulary. */
tg_status tgi_model_check_tokens(tg_model *model, const int32_t *ids, size_t n);

#endif
