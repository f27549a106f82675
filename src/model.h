/* What the public header calls a model and a session, for model.c and session.c alone. */
#ifndef TG_MODEL_H
#define TG_MODEL_H

#include "decode.h"
#include "gguf.h"
#include "kv.h"
#include "tokenglass.h"
#include "tokens/tokens.h"
#include "weights.h"

/* A session's batch that is on its way through the layers; whatever else wants to run or changes the session ends it, and nothing
 * is lost but work. */
typedef struct tg_flight {
    tg_session *session; /* NULL: none */
    tg_batch batch;
    int32_t positions[TG_BATCH];
} tg_flight;

struct tg_model {
    tg_model_options options;
    tg_model_state state;
    tg_error error;
    uint64_t fed; /* bytes of the file so far */
    tg_gguf *gguf;
    tg_tokens *tokens;
    const tg_arch *arch; /* NULL with vocab_only, as is everything below but n_vocab */
    tg_hparams hparams;
    tg_arch_weights weights;
    tg_weights *list;
    tg_kernels kernels;
    tg_pool *pool;
    tg_kv kv;
    tg_decoder decoder;
    tg_flight flight;
    uint32_t n_ctx, n_kv;
    tg_sampler *sampler;
    tg_model_plan plan;
    void *memory; /* the arena: weights, kv, scratch */
};

struct tg_session { /* one allocation with the four arrays */
    tg_model *model;
    int32_t *tokens; /* [n_ctx] */
    uint32_t n_tokens;
    uint32_t n_cached;  /* the first so many tokens have been run and are in the cache */
    uint32_t logits_at; /* logits holds what follows that many tokens; 0: nothing */
    float *logits;      /* [n_vocab] */
    tg_kv_table table;
};

/* TG_THREAD_LOST. */
tg_status tg_model_lost(tg_model *model);
/* TG_TOKEN_OUT_OF_RANGE, naming the first id that is not in the vocabulary. */
tg_status tg_model_check_tokens(tg_model *model, const int32_t *ids, size_t n);

#endif
