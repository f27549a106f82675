/*
 * tokenglass: small quantized language models, with every probability and every sampling decision
 * in the open.
 *
 * A *model* owns the file's header, the weights (repacked while they arrive), the vocabulary, the
 * cache's pages and one sampler. A *session* is a sequence of tokens on a model with its share of
 * the cache; it is freed before its model. Neither is thread-safe.
 *
 *     tg_model *m = tg_model_new(&options);
 *
 *     feed bytes until tg_model_get_state(m) is TG_MODEL_PLANNED: the header is read, tg_model_plan
 * says what memory it will take
 *
 *     tg_model_allocate(m);
 *
 *     feed the rest
 *
 *     tg_model_finish(m);
 *     tg_session *s = tg_session_new(m);
 *     tg_session_sync(s, tokens, n);
 *     while (tg_session_pending(s))
 *         tg_session_eval(s, 32, 0);
 *     tg_session_sample(s, &request, &trace);
 *     tg_session_accept(s, trace); ...
 *
 * Every call that can fail returns a tg_status; tg_model_error has the message. Nothing calls exit
 * or abort, nothing is allocated while decoding, and logits on a prefix are the same bits however
 * it was reached (one batch, many, rewind, fork) within a build.
 */
#ifndef TOKENGLASS_H
#define TOKENGLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors ---- */
typedef enum tg_status {
#define TG_STATUS(name, number, meaning) TG_##name = (number),
#include "base/status.def"
#undef TG_STATUS
} tg_status;

#define TG_NO_OFFSET INT64_C(-1)

typedef struct tg_error {
    tg_status status;  /* TG_OK until the first failure; later failures do not replace it */
    int64_t offset;    /* byte in the file, or TG_NO_OFFSET */
    char message[240]; /* UTF-8, NUL-terminated, says what and where */
} tg_error;

/* "GGUF_BAD_MAGIC" for TG_GGUF_BAD_MAGIC; "UNKNOWN" for a number that is not in the list. */
const char *tg_status_name(tg_status status);

/* The type of cached keys and values: one number for each row of kv_types.def. */
typedef enum tg_cache_type {
#define TG_CACHE(NAME, suffix, elements, value_bytes) TG_CACHE_##NAME,
#include "cache/kv_types.def"
#undef TG_CACHE
    TG_CACHE_TYPE_COUNT,
    TG_CACHE_AUTO = TG_CACHE_TYPE_COUNT /* as exact as the weights are: the model chooses */
} tg_cache_type;

#define TG_MAX_THREADS 64

/* Flags of tg_model_tokenize. */
enum { TG_ADD_SPECIAL = 1, TG_PARSE_SPECIAL = 2 };

typedef enum tg_token_type { /* tokenizer.ggml.token_type */
                             TG_TOKEN_NORMAL = 1,
                             TG_TOKEN_UNKNOWN = 2,
                             TG_TOKEN_CONTROL = 3,
                             TG_TOKEN_USER_DEFINED = 4,
                             TG_TOKEN_UNUSED = 5,
                             TG_TOKEN_BYTE = 6
} tg_token_type;

/* ---- sampling ---- */
typedef enum tg_stage {
#define TG_STAGE(name, chain) TG_STAGE_##name,
#include "sample/stages.def"
    TG_STAGE_COUNT
} tg_stage;

typedef enum tg_option {
#define TG_OPTION(stage, name, default_value, min, max, kind) TG_OPTION_##name,
#include "sample/stages.def"
    TG_OPTION_COUNT
} tg_option;

typedef enum tg_list_name {
#define TG_LIST(stage, name) TG_LIST_##name,
#include "sample/stages.def"
    TG_LIST_COUNT
} tg_list_name;

/* n tokens of the caller. logit_bias: each token with what is added to its logit, -infinity to
 * remove it; of a token that stands twice the last counts. dry_sequence_breakers: sequences as
 * tgi_tokenizer_sequence_breakers gives them. grammar: no tokens but 32 bits a number, one for each
 * token of the vocabulary. An empty list changes nothing. */
typedef struct tg_list {
    const int32_t *tokens;
    const float *values; /* [n], logit_bias only */
    uint32_t n;
} tg_list;

typedef struct tg_sample_request {
    double options[TG_OPTION_COUNT];
    tg_list lists[TG_LIST_COUNT];
    uint8_t order[TG_STAGE_COUNT]; /* tg_stage numbers, each at most once */
    uint32_t n_order;
    const int32_t *context; /* the n_context tokens before the one to be drawn: what penalties and
                               dry look at */
    uint32_t n_context;
    double mu; /* mirostat's state after them, in bits; NaN: none yet, it starts at twice tau */
    uint64_t seed;
    uint64_t position;     /* of the token to be drawn, counted from 0 in the session */
    uint32_t sample_index; /* 0, or the number of a further sample of the same step: it has coins of
                              its own (sample/random.h) */
    uint32_t top_n;        /* candidates to list in the trace; 0: none (the draw is the same) */
} tg_sample_request;

typedef struct tg_candidate {
    int32_t token;
    float logit;        /* as the model gave it */
    double p;           /* softmax of the raw logits over the whole vocabulary */
    double p_final;     /* after the last stage; 0 when removed */
    int32_t removed_by; /* index into stages of the trace, or -1 */
} tg_candidate;

typedef struct tg_stage_trace {
    tg_stage stage;
    uint32_t kept,
        removed; /* tokens; kept + removed = kept by the stage before (the vocabulary, at first) */
    double mass_before; /* raw probability (tg_candidate.p) of the tokens that reached the stage */
    double mass_after;  /* and of those that survived it */
    double threshold; /* the number that decided, 0 when there was none. top_n_sigma and top_k: the
                         least logit that may stay, or    stays; typ_p, top_p: the mass that stood
                         before the last kept token; min_p: the least allowed share of    the
                         greatest p; xtc: the p from which a token is a top choice; temperature: the
                         divisor; mirostat: the    number kept (1) or the greatest surprise allowed,
                         in bits (2). */
    double coin;      /* the stage's own, in [0, 1); NaN when it has none, or none was thrown */
    char reason[128]; /* for a person: "top_p: kept 33 of 40: 0.9485 before the last, 0.9554 with
                         it, limit 0.95" */
} tg_stage_trace;

typedef struct tg_trace {
    uint32_t vocab;
    const tg_candidate *candidates; /* n_candidates, most probable first */
    uint32_t n_candidates;
    double other;   /* raw probability not listed in candidates */
    double entropy; /* nats, of the raw distribution */
    tg_stage_trace stages[TG_STAGE_COUNT];
    uint32_t n_stages;
    int32_t token;    /* drawn */
    float logit;      /* its raw logit */
    double logprob;   /* its raw log-probability, nats */
    double p_final;   /* its probability after the last stage */
    double u;         /* the coin, in [0, 1) */
    double low, high; /* the token's interval: survivors in descending order of final probability,
                         cumulated; low <= u < high */
    double mu; /* mirostat's state after the token: as in the request when mirostat did not run */
} tg_trace;

typedef struct tg_sampler tg_sampler;

/* The list's defaults and llama.cpp's default chain, seed 0, position 0, sample_index 0, top_n 50,
 * no lists, no context. */
void tg_sample_defaults(tg_sample_request *request);

/* After a sampling, views of vocab entries by token: where it fell out (index into stages) or -1;
 * its raw probability; and its probability after the last stage, for those that did not fall out.
 */
const int8_t *tg_sampler_removed_by(const tg_sampler *sampler);
const double *tg_sampler_p(const tg_sampler *sampler);
const double *tg_sampler_p_final(const tg_sampler *sampler);

typedef struct tg_top {
    int32_t token;
    float logprob; /* nats */
} tg_top;

const char *tg_stage_name(tg_stage stage);

typedef struct tg_model tg_model;
typedef struct tg_session tg_session;

typedef struct tg_model_options {
    uint64_t file_size; /* bytes; 0 when unknown */
    uint32_t
        n_ctx;     /* positions a session can hold; 0: the model's training context, at most 4096 */
    uint32_t n_kv; /* positions the cache can hold for all sessions together; 0: n_ctx and, for
                      branches, as many again up to 1,024 */
    tg_cache_type cache_type_k; /* how keys are kept; TG_CACHE_AUTO: as the weights are */
    tg_cache_type cache_type_v; /* how values are kept, likewise */
    bool vocab_only;            /* read the tokenizer, leave the weights */
    uint32_t n_threads; /* that may work on it, the caller included: at most TG_MAX_THREADS; 0: 1 */
    double (*clock)(void); /* NULL, or milliseconds since some moment: for tg_model_get_times */
} tg_model_options;

typedef enum tg_model_state {
    TG_MODEL_HEADER,
    TG_MODEL_PLANNED,
    TG_MODEL_WEIGHTS,
    TG_MODEL_READY,
    TG_MODEL_FAILED
} tg_model_state;

typedef struct tg_model_plan { /* bytes */
    uint64_t file;             /* the file's length as its header has it */
    uint64_t header;           /* keys, vocabulary and directory, already allocated */
    uint64_t weights;          /* repacked tiles */
    uint64_t kv;               /* the cache's pages */
    uint64_t scratch;          /* activations, tables, sampler */
} tg_model_plan;

typedef struct tg_model_info {
    const char *architecture, *name; /* name may be "" */
    const char *chat_template;       /* Jinja; NULL when the file has none */
    uint32_t n_vocab, n_ctx_train, n_ctx, n_kv, n_layer, n_embd, n_head, n_head_kv, n_ff;
    uint64_t n_params;
    uint8_t fingerprint[32];    /* SHA-256 of header, tensor directory and file length */
    const char *kernel_variant; /* "scalar", "simd128", "relaxed" */
    const char *kernel_dot; /* what its dot product was found to do: "unsigned", "signed", "7-bit",
                               "none" */
    tg_cache_type cache_type_k, cache_type_v;
    bool tied_output;
} tg_model_info;

/* ---- model ---- */
tg_model *tg_model_new(const tg_model_options *options); /* NULL when out of memory */
void tg_model_free(tg_model *model);
const tg_error *tg_model_error(const tg_model *model); /* the first error of the last failing call;
                                                          status TG_OK when there was none */

/* Feeds the file's next bytes. Stops early, with *consumed < n, exactly once: when the header is
 * complete and the plan is made. A loading error is final. Bytes after the last tensor are ignored.
 */
tg_status tg_model_feed(tg_model *model, const uint8_t *bytes, size_t n, size_t *consumed);
tg_model_state tg_model_get_state(const tg_model *model);
tg_status tg_model_get_plan(tg_model *model, tg_model_plan *plan); /* from TG_MODEL_PLANNED on */
tg_status tg_model_allocate(tg_model *model); /* TG_MODEL_PLANNED -> TG_MODEL_WEIGHTS */
tg_status
tg_model_finish(tg_model *model); /* the input has ended: -> TG_MODEL_READY, or what was missing */
tg_status tg_model_get_info(tg_model *model, tg_model_info *info); /* from TG_MODEL_PLANNED on */
/* Tensors and parameters of each weight type, by index into the list of quant.def, for display. */
tg_status tg_model_get_quant(tg_model *model, uint32_t index, const char **name, uint32_t *tensors,
                             uint64_t *params);
uint64_t tg_model_n_decoded(
    const tg_model *model); /* tokens run through the layers so far: shows when nothing was run */

/* Milliseconds that each step of the forward pass (steps.def) has taken so far, on the calling
 * thread, by index; zeros without a clock. NULL past the last step, else its name. */
const char *tg_model_get_profile(const tg_model *model, uint32_t index, double *ms);

/* The life of a further thread: works on whatever the model runs, until the model is freed. thread:
 * 1 to n_threads - 1, each once. This and tg_model_thread_died are the only functions that may be
 * called while another thread is in a call of the same model. */
void tg_model_thread_main(tg_model *model, uint32_t thread);
/* From then on every call that runs the model ends with TG_THREAD_LOST. */
void tg_model_thread_died(tg_model *model);

/* ---- tokens (see tokens/tokens.h for the meaning of flags and counts) ---- */
tg_status tg_model_tokenize(tg_model *model, const char *text, size_t length, unsigned flags,
                            int32_t *ids, uint32_t *ends, size_t capacity, size_t *n);
tg_status tg_model_detokenize(tg_model *model, const int32_t *ids, size_t n_ids, char *text,
                              size_t capacity, size_t *n);
/* See tgi_tokenizer_sequence_breakers. */
tg_status tg_model_sequence_breakers(tg_model *model, const char *text, size_t length, int32_t *ids,
                                     size_t capacity, size_t *n);
tg_status tg_model_token_bytes(tg_model *model, int32_t id, const char **bytes,
                               size_t *length); /* what it adds to a text */
tg_status tg_model_token_piece(tg_model *model, int32_t id, const char **text,
                               size_t *length); /* how the vocabulary spells it */
tg_status tg_model_token_flags(tg_model *model, int32_t id, uint32_t *kind,
                               bool *eog);   /* kind: tg_token_type */
int32_t tg_model_bos(const tg_model *model); /* -1 when there is none */
int32_t tg_model_eos(const tg_model *model);

/* ---- sessions ---- */
tg_status tg_session_new(tg_model *model, tg_session **out);
void tg_session_free(tg_session *session);
/* A second session with the same tokens, sharing the cache's pages; a shared page is copied when
 * one of them writes to it. */
tg_status tg_session_fork(const tg_session *session, tg_session **out);
const int32_t *tg_session_tokens(const tg_session *session, size_t *n);
/* Gives back its share of the cache; tokens and logits stay, and what is needed of it is run again.
 */
void tg_session_release_cache(tg_session *session);
/* Makes the session's tokens these: what the cache holds of their common prefix is kept. */
tg_status tg_session_sync(tg_session *session, const int32_t *tokens, size_t n);
tg_status tg_session_rewind(tg_session *session, size_t n); /* keeps the first n tokens */
tg_status tg_session_append(tg_session *session,
                            int32_t token); /* appends one token; it is run by the next eval */
/* As force of the drawn token, with what the draw means for mirostat. The trace must be of this
 * session as it stands. */
tg_status tg_session_accept(tg_session *session, const tg_trace *trace);
/* Slides the window: keeps the first n_keep tokens and discards the n_discard after them. What
 * comes after those is run again at its new positions. Coins go on as if nothing had been
 * discarded. */
tg_status tg_session_shift(tg_session *session, size_t n_keep, size_t n_discard);
uint32_t
tg_session_n_discarded(const tg_session *session); /* tokens that slid out of the window so far */
size_t tg_session_pending(const tg_session *session); /* tokens still to be run before there are
                                                         logits; 0: logits are ready */
/* Runs at most max_tokens of them. When the cache has no page left, the sessions that have not run
 * for the longest time give up theirs, from their ends, what several share last; what they lose is
 * run again when they are used, and gives the same bits. TG_KV_FULL only when the cache is too
 * small for this session alone. With max_layers not 0, returns after so many layers of one batch,
 * so that the caller can do other things in between: the next call goes on where this one stopped.
 * A batch that is in pending_batch ends unfinished, and is begun anew later, when another session
 * runs or this one is changed. */
tg_status tg_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers);
bool tg_session_has_pending_batch(const tg_session *session);
/* n_vocab floats, valid until the session changes. TG_SESSION_EMPTY without tokens,
 * TG_MODEL_NOT_READY while tokens are pending.
 */
tg_status tg_session_logits(tg_session *session, const float **logits);
/* Chooses from the logits without changing the session: look as often as you like, then force the
 * token. *trace lives in the model's sampler until the next call that samples. request->position is
 * set to the session's length. */
tg_status tg_session_sample(tg_session *session, const tg_sample_request *request,
                            const tg_trace **trace);

/* What the last sampling left: fates and probabilities of the whole vocabulary. */
const tg_sampler *tg_session_sampler(const tg_session *session);

/* A tree in one call: n tokens after the session's cached prefix (all its tokens must have been
 * run), each with its position and the batch tokens it sees besides that prefix: bit j of visible[i
 * * ceil(n / 32) ...] is token j <= i of the batch, its own bit set. logits: n x n_vocab floats.
 * The session does not change. */
tg_status tg_session_decode_tree(tg_session *session, const int32_t *tokens,
                                 const int32_t *positions, const uint32_t *visible, size_t n,
                                 float *logits);

/* ---- saving ---- */
/* Makes a session ready to be saved, with a number of the caller's own. Until it changes, its parts
 * (index 0, 1, ... while true is returned) written one after the other are the saved session. A
 * load: tg_session_load_snapshot_begin with the first part and the number of all bytes, the other
 * parts copied into the views that tg_session_snapshot_chunk gives,
 * tg_session_load_snapshot_commit; when that fails the session is to be freed. TG_SESSION_FOREIGN
 * when model, cache types, kernel variant or dot product are others, TG_SESSION_DAMAGED. */
void tg_session_save_snapshot_begin(tg_session *session, uint64_t note);
bool tg_session_snapshot_chunk(tg_session *session, uint32_t index, void **bytes, size_t *n);
tg_status tg_session_load_snapshot_begin(tg_model *model, const void *header, size_t n,
                                         tg_session **out);
tg_status tg_session_load_snapshot_commit(tg_session *session);

/* ---- scoring ---- */
typedef struct tg_score {
    int32_t token;
    float logprob;  /* nats, given what stands before it; NaN for the first token */
    int32_t rank;   /* 0: it was the most probable */
    float entropy;  /* nats, of the distribution it was chosen from */
    float top_mass; /* probability of all tokens more probable than it */
} tg_score;
/* Appends n tokens to the session, at most n_ctx in all, and scores each of them. tops: n x top_n
 * of the most probable tokens in each one's place, with their log-probabilities, the greatest first
 * (token -1 and NaN where there is none); NULL when top_n is 0. */
tg_status tg_session_score(tg_session *session, const int32_t *tokens, size_t n, uint32_t top_n,
                           tg_score *scores, tg_top *tops);
/* Appends n tokens likewise and gives what their logits would be computed from, the normalized
 * output of the last layer: n x n_embd floats. */
tg_status tg_session_hidden_states(tg_session *session, const int32_t *tokens, size_t n,
                                   float *states);

#endif
