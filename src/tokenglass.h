/*
 * tokenglass: runs small quantized language models and shows every probability and every sampling
 * decision.
 *
 * A model owns the file's header, the weights, the vocabulary, the cache and one sampler. A session
 * is a sequence of tokens on a model, with its share of the cache. demo/examples/generate.c is a
 * complete program.
 *
 * Errors: a function that can fail returns a tg_status, TG_OK (0) when it succeeds;
 * tg_model_error then has the message. Nothing calls exit or abort.
 *
 * Memory: the caller frees models, sessions, grammars and their states, and nothing else. Every
 * other pointer that a function returns is a view, valid as long as the function says. After
 * tg_model_allocate only tg_session_new, tg_session_fork, tg_session_load_snapshot_begin, drafts,
 * grammars, edits and observations allocate memory.
 *
 * Threads: a model and its sessions belong to one thread, except for tg_model_thread_main and
 * tg_model_thread_died.
 *
 * Reproducibility: within a build, the logits of a sequence are the same bits however it was
 * reached: token by token, in batches, with other sessions, from a draft, after a rewind, in a
 * fork, on any number of threads.
 */
#ifndef TOKENGLASS_H
#define TOKENGLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ======== Errors ======== */

/* base/status.def lists the names, the numbers and what they mean. */
typedef enum tg_status {
#define TG_STATUS(name, number, meaning) TG_##name = (number),
#include "base/status.def"
#undef TG_STATUS
} tg_status;

#define TG_NO_OFFSET INT64_C(-1)

typedef struct tg_error {
    tg_status status;  /* TG_OK until the first failure; later failures do not replace it */
    int64_t offset;    /* the byte in the file that the error is about, or TG_NO_OFFSET */
    char message[240]; /* UTF-8, ends with NUL */
} tg_error;

/* "GGUF_BAD_MAGIC" for TG_GGUF_BAD_MAGIC; "UNKNOWN" for a number that is not in the list. */
const char *tg_status_name(tg_status status);

/* ======== Models ======== */

typedef struct tg_model tg_model;

/* The type of cached keys and values (cache/kv_types.def). */
typedef enum tg_cache_type {
#define TG_CACHE(NAME, suffix, elements, value_bytes) TG_CACHE_##NAME,
#include "cache/kv_types.def"
#undef TG_CACHE
    TG_CACHE_TYPE_COUNT,
    TG_CACHE_AUTO = TG_CACHE_TYPE_COUNT /* as exact as the weights: q8_0 for quantized weights */
} tg_cache_type;

#define TG_MAX_THREADS 64

/* Zeros are the defaults of all members except the cache types. */
typedef struct tg_model_options {
    /* Bytes of the file; 0: unknown. */
    uint64_t file_size;
    /* Positions that a session can hold; 0: the model's training context, at most 4096. */
    uint32_t n_ctx;
    /* Positions that the cache can hold for all sessions together; 0: n_ctx and, for branches, as
     * many again, at most 1024. */
    uint32_t n_kv;
    tg_cache_type cache_type_k; /* of keys */
    tg_cache_type cache_type_v; /* of values */
    /* Read the tokenizer and leave the weights: such a model has no sessions. */
    bool vocab_only;
    /* Threads that can work on the model, the caller's included: 1 to TG_MAX_THREADS; 0: 1. */
    uint32_t n_threads;
    /* Milliseconds since a fixed moment, for tg_model_get_profile; NULL: no profile. */
    double (*clock)(void);
} tg_model_options;

/* The states of a model, in the order in which it goes through them. */
typedef enum tg_model_state {
    TG_MODEL_HEADER,  /* tg_model_feed reads the header */
    TG_MODEL_PLANNED, /* the header is complete; next is tg_model_allocate */
    TG_MODEL_WEIGHTS, /* tg_model_feed reads the weights; at the end tg_model_finish */
    TG_MODEL_READY,   /* the model can run */
    TG_MODEL_FAILED   /* loading failed; the model can only be freed */
} tg_model_state;

/* What a model needs, in bytes. */
typedef struct tg_model_plan {
    uint64_t file;    /* the file, to the end of its last tensor */
    uint64_t header;  /* keys, vocabulary and tensor directory: already allocated */
    uint64_t weights; /* the weights in tiles */
    uint64_t kv;      /* the cache: keys, values and recurrent states */
    uint64_t scratch; /* activations, tables, sampler */
} tg_model_plan;

/* The strings are views, valid until the model is freed. */
typedef struct tg_model_info {
    const char *architecture;  /* general.architecture */
    const char *name;          /* general.name; "" when the file has none */
    const char *chat_template; /* Jinja; NULL when the file has none */
    uint32_t n_vocab, n_ctx_train, n_ctx, n_kv, n_layer, n_embd, n_head, n_head_kv, n_ff;
    uint64_t n_params;
    uint8_t fingerprint[32];    /* SHA-256 of header, tensor directory and plan.file */
    const char *kernel_variant; /* "scalar", "simd128", "relaxed" */
    const char *kernel_dot;     /* the relaxed dot product on this CPU: "unsigned", "signed",
                                   "7-bit", "none" */
    tg_cache_type cache_type_k, cache_type_v;
    uint32_t n_states; /* recurrent states that the cache can hold; 0: no recurrent layers */
    bool tied_output;  /* the embedding is also the output matrix */
} tg_model_info;

/* Creates a model. The options are copied. Returns NULL when out of memory; the caller frees the
 * model with tg_model_free. */
tg_model *tg_model_new(const tg_model_options *options);
/* Frees a model; its sessions must be freed before. NULL is ignored. */
void tg_model_free(tg_model *model);
/* The error of the last call that failed for this model or its sessions; status TG_OK when the last
 * call succeeded. A view, valid until the next call. */
const tg_error *tg_model_error(const tg_model *model);

/* ---- loading ---- */

/* Feeds the next n bytes of the file. *consumed: the bytes that were taken. It is less than n only
 * once, when the header is complete: the state is then TG_MODEL_PLANNED, and the rest must be fed
 * after tg_model_allocate. Bytes after the last tensor are ignored. An error (TG_GGUF_*,
 * TG_MODEL_*, TG_TOKENIZER_*) is final: the state becomes TG_MODEL_FAILED. */
tg_status tg_model_feed(tg_model *model, const uint8_t *bytes, size_t n, size_t *consumed);
tg_model_state tg_model_get_state(const tg_model *model);
/* From TG_MODEL_PLANNED on; before, TG_MODEL_NOT_READY. */
tg_status tg_model_get_plan(tg_model *model, tg_model_plan *plan);
/* Allocates all memory of the plan: TG_MODEL_PLANNED becomes TG_MODEL_WEIGHTS. TG_MODEL_TOO_LARGE,
 * TG_OUT_OF_MEMORY. */
tg_status tg_model_allocate(tg_model *model);
/* Says that the file has ended: TG_MODEL_WEIGHTS becomes TG_MODEL_READY. TG_GGUF_TRUNCATED: bytes
 * are missing. */
tg_status tg_model_finish(tg_model *model);

/* ---- what a model is ---- */

/* From TG_MODEL_PLANNED on; before, TG_MODEL_NOT_READY. */
tg_status tg_model_get_info(tg_model *model, tg_model_info *info);
/* The header of the file for display; it can also be read after the model was refused. */
typedef struct tg_tensor_info {
    const char *name;
    uint32_t type;    /* index into the list of quant.def */
    uint32_t n_dims;  /* 1 to 4 */
    uint64_t dims[4]; /* dims[0]: weights in a row; unused ones are 1 */
    uint64_t offset;  /* of its first byte in the file */
    uint64_t size;    /* bytes */
} tg_tensor_info;

/* The key with this index, and its value as text in `value` (at most `capacity` bytes with the
 * terminator, at least 1; long strings and arrays are shortened). NULL past the last key.
 * _text: the whole value when it is a string, else NULL. */
const char *tg_model_get_key(const tg_model *model, uint32_t index, char *value, size_t capacity);
const char *tg_model_get_key_text(const tg_model *model, uint32_t index);

/* The tensor with this index, by offset in the file. False past the last one, and before the header
 * is complete. */
bool tg_model_get_tensor(const tg_model *model, uint32_t index, tg_tensor_info *info);

/* Tensors and parameters of one weight type, for display. index: 0, 1, ... in the order of
 * quant/quant.def; past the last, TG_INVALID_ARGUMENT. *name is a constant string. */
tg_status tg_model_get_quant(tg_model *model, uint32_t index, const char **name,
                             uint32_t *n_tensors, uint64_t *n_params);
/* Tokens that went through the layers so far, for all sessions. */
uint64_t tg_model_n_decoded(const tg_model *model);
/* The name of a step of the forward pass (layers/profile.def) and the milliseconds that it has
 * taken so far on the calling thread, 0 without a clock. index: 0, 1, ...; past the last step the
 * function returns NULL and leaves *ms. */
const char *tg_model_get_profile(const tg_model *model, uint32_t index, double *ms);

/* ---- threads ---- */

/* Makes the calling thread work on the model; returns when the model is freed. thread: 1 to
 * n_threads - 1, each once. This function and tg_model_thread_died may be called while another
 * thread is in a call of the same model. */
void tg_model_thread_main(tg_model *model, uint32_t thread);
/* Says that a thread of the model has died: from then on every call that runs the model fails with
 * TG_THREAD_LOST. */
void tg_model_thread_died(tg_model *model);

/* ======== Text and tokens ======== */

/* The functions of this section work from TG_MODEL_PLANNED on; before, TG_MODEL_NOT_READY. An id
 * outside the vocabulary is TG_TOKEN_OUT_OF_RANGE. */

/* Flags of tg_model_tokenize. */
enum {
    TG_ADD_SPECIAL = 1,  /* add the beginning-of-sequence token and the like, as the file says */
    TG_PARSE_SPECIAL = 2 /* turn the text of control tokens into their ids */
};

/* tokenizer.ggml.token_type */
typedef enum tg_token_type {
    TG_TOKEN_NORMAL = 1,
    TG_TOKEN_UNKNOWN = 2,
    TG_TOKEN_CONTROL = 3,
    TG_TOKEN_USER_DEFINED = 4,
    TG_TOKEN_UNUSED = 5,
    TG_TOKEN_BYTE = 6
} tg_token_type;

/* Turns `length` bytes of UTF-8 into tokens. ids: [capacity]. ends: NULL, or [capacity]: the byte
 * of the text after each token. *n: the number of tokens, also when it is greater than capacity;
 * then only the first `capacity` are written. */
tg_status tg_model_tokenize(tg_model *model, const char *text, size_t length, unsigned flags,
                            int32_t *ids, uint32_t *ends, size_t capacity, size_t *n);
/* Turns tokens into bytes, which may end within a UTF-8 sequence. A space that tokenizing adds in
 * front of a text is removed again. text: [capacity], without a NUL at the end. *n: the number of
 * bytes, also when it is greater than capacity; then only the first `capacity` are written. */
tg_status tg_model_detokenize(tg_model *model, const int32_t *ids, size_t n_ids, char *text,
                              size_t capacity, size_t *n);
/* Lists every token sequence that contains the text (1 to 40 bytes, else TG_SAMPLER_BAD_OPTION),
 * for DRY's sequence breakers. Format: a length, then that many ids, repeated. ids: [capacity]. *n:
 * the numbers to write, also when it is greater than capacity. */
tg_status tg_model_sequence_breakers(tg_model *model, const char *text, size_t length, int32_t *ids,
                                     size_t capacity, size_t *n);
/* The bytes that a token adds to a text: a view, valid until the model is freed. */
tg_status tg_model_token_bytes(tg_model *model, int32_t id, const char **bytes, size_t *length);
/* The token as the vocabulary writes it: a view, valid until the model is freed. */
tg_status tg_model_token_piece(tg_model *model, int32_t id, const char **text, size_t *length);
/* *type: a tg_token_type. *eog: whether the token ends a generation. */
tg_status tg_model_token_flags(tg_model *model, int32_t id, uint32_t *type, bool *eog);
/* Faults of the file that do not keep the model from running, one text each; NULL past the last.
 * Available from TG_MODEL_PLANNED on. Views, valid until the model is freed. */
const char *tg_model_get_warning(const tg_model *model, uint32_t index);
/* The beginning- and end-of-sequence tokens; -1 when there is none. */
int32_t tg_model_bos(const tg_model *model);
int32_t tg_model_eos(const tg_model *model);

/* ======== Sessions ======== */

typedef struct tg_session tg_session;
typedef struct tg_trace tg_trace; /* see Sampling */

/* Creates an empty session. The caller frees it with tg_session_free, before the model.
 * TG_MODEL_NOT_READY, TG_OUT_OF_MEMORY. */
tg_status tg_session_new(tg_model *model, tg_session **out);
void tg_session_free(tg_session *session);
/* Creates a second session with the same tokens, logits and cached positions. Both share the
 * cache's pages; a page is copied when one of them writes to it. */
tg_status tg_session_fork(const tg_session *session, tg_session **out);
/* Gives back the session's share of the cache. Tokens and logits stay; positions that are needed
 * again are run again. */
void tg_session_release_cache(tg_session *session);

/* ---- tokens ---- */

/* The session's tokens: a view [*n], valid until the session changes. */
const int32_t *tg_session_tokens(const tg_session *session, size_t *n);
/* Replaces the tokens. The cached positions of the common prefix are kept. TG_CONTEXT_FULL,
 * TG_TOKEN_OUT_OF_RANGE. */
tg_status tg_session_sync(tg_session *session, const int32_t *tokens, size_t n);
/* Keeps the first n tokens. TG_POSITION_OUT_OF_RANGE: there are fewer. */
tg_status tg_session_rewind(tg_session *session, size_t n);
/* Appends one token, which the next tg_session_eval runs. TG_CONTEXT_FULL, TG_TOKEN_OUT_OF_RANGE.
 */
tg_status tg_session_append(tg_session *session, int32_t token);
/* Appends the token of a trace, and updates mirostat's state. The trace must come from the session
 * as it is. */
tg_status tg_session_accept(tg_session *session, const tg_trace *trace);
/* Makes room in a full context: keeps the first n_keep tokens and removes the n_discard tokens
 * after them. The rest gets new positions and is run again. Coins continue as if nothing had been
 * removed. TG_POSITION_OUT_OF_RANGE: there are fewer tokens. */
tg_status tg_session_shift(tg_session *session, size_t n_keep, size_t n_discard);
/* Tokens that tg_session_shift has removed so far. */
uint32_t tg_session_n_discarded(const tg_session *session);

/* ---- running ---- */

/* Tokens to run before there are logits; 0: the logits are ready. */
size_t tg_session_pending(const tg_session *session);
/* Runs at most max_tokens of the pending tokens.
 *
 * max_layers: 0, or the number of layers of one batch after which the function returns, so that the
 * caller can do other things; the next call continues there. A pending batch is canceled, and its
 * tokens are run again later, when another session runs or this one changes.
 *
 * When the cache is full, the sessions that have not run for the longest time lose cached
 * positions, from their ends; pages that several sessions share are taken last. What a session
 * loses is run again when it is needed, with the same bits. TG_KV_FULL: the cache is too small for
 * this session alone. TG_THREAD_LOST. */
tg_status tg_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers);
/* Runs one batch of the pending tokens of n different sessions of one model, 1 to 128: at most
 * max_tokens tokens of all together, at least one of each while there is room. Sessions for which
 * the batch or the cache has no room wait for another call. Results do not depend on the others.
 * max_layers: as in tg_session_eval; the next call with the same sessions continues the batch.
 * TG_INVALID_ARGUMENT; errors of tg_session_eval, TG_KV_FULL for the first pending session. */
tg_status tg_sessions_eval(tg_session *const *sessions, size_t n, size_t max_tokens,
                           uint32_t max_layers);
/* Whether a batch with this session is between two calls. */
bool tg_session_has_pending_batch(const tg_session *session);
/* The logits after the last token: a view [n_vocab], valid until the session changes.
 * TG_SESSION_EMPTY without tokens, TG_MODEL_NOT_READY while tokens are pending. */
tg_status tg_session_logits(tg_session *session, const float **logits);

/* A draft is a tree of tokens that may follow the session's tokens. It runs in the batch that runs
 * the session's last token alone, if there is room. An appended token that is in the draft, below
 * the token before it, needs no run: its keys, values and logits are those of a plain run, bit for
 * bit. Any other change drops the draft. tokens, parents: [n], n at most 80; parents[i] < i, -1:
 * the session's last token. Tokens past the context are left out. TG_INVALID_ARGUMENT,
 * TG_TOKEN_OUT_OF_RANGE, TG_OUT_OF_MEMORY; TG_OPTION_UNSUPPORTED: there are recurrent states. */
tg_status tg_session_draft(tg_session *session, const int32_t *tokens, const int32_t *parents,
                           size_t n);
/* Sets the draft, when exactly one token is pending, to what followed the last tokens earlier in
 * the session: prompt lookup with an n-gram predictor. costs: [max_nodes + 1] what a batch with
 * this many tokens more takes, in batches of one token; the draft is cut where it gains most. NULL:
 * it is not cut. *n: its tokens. Errors as tg_session_draft. */
tg_status tg_session_draft_ngram(tg_session *session, uint32_t max_nodes, const float *costs,
                                 size_t *n);
/* The same with what the model thought likely after the same tokens: Token Recycling (Luo et al.
 * 2024). tree: the index of a row in methods/trees.def. */
tg_status tg_session_draft_recycling(tg_session *session, uint32_t tree, uint32_t max_nodes,
                                     const float *costs, size_t *n);
/* How many tokens the draft has that ran last, and how many of them were appended; else 0 and 0. */
void tg_session_draft_use(const tg_session *session, uint32_t *proposed, uint32_t *accepted);

/* ======== Sampling ======== */

/* sample/stages.def lists the stages with their options and lists. */
typedef enum tg_stage {
#define TG_STAGE(name, chain) TG_STAGE_##name,
#include "sample/stages.def"
    TG_STAGE_COUNT
} tg_stage;

typedef enum tg_option {
#define TG_OPTION(stage, name, meaning, ...) TG_OPTION_##name,
#include "sample/stages.def"
    TG_OPTION_COUNT
} tg_option;

typedef enum tg_list_name {
#define TG_LIST(stage, name) TG_LIST_##name,
#include "sample/stages.def"
    TG_LIST_COUNT
} tg_list_name;

/* The name of a stage: a constant string. */
const char *tg_stage_name(tg_stage stage);

/* A list of tokens, in memory of the caller. An empty list changes nothing.
 *   logit_bias: what is added to each token's logit, -infinity to remove it; of a token that is
 *     listed twice the last entry counts
 *   dry_sequence_breakers: as tg_model_sequence_breakers gives them
 *   grammar: not tokens but a bitmask, 32 tokens of the vocabulary in each number */
typedef struct tg_list {
    const int32_t *tokens; /* [n] */
    const float *values;   /* [n] logit_bias only */
    uint32_t n;
} tg_list;

typedef struct tg_sample_request {
    double options[TG_OPTION_COUNT];
    tg_list lists[TG_LIST_COUNT];
    uint8_t order[TG_STAGE_COUNT]; /* [n_order] tg_stage numbers, each at most once */
    uint32_t n_order;
    const int32_t *context; /* [n_context] the tokens before, for penalties and dry */
    uint32_t n_context;
    double mu;     /* mirostat's state in bits; NaN: none yet, it starts at twice tau */
    uint64_t seed; /* of the coins */
    /* The number of the token to draw, counted from 0 in the session. */
    uint64_t position;
    /* 0, or the number of a further sample of the same step, which has its own coins. */
    uint32_t sample_index;
    /* Candidates to list in the trace; 0: none. The drawn token does not depend on it. */
    uint32_t top_n;
    /* [n_order][n_vocab] memory of the caller for the probabilities after each stage, by token;
     * 0 for a removed token. NULL: they are not wanted. */
    double *after;
} tg_sample_request;

typedef struct tg_candidate {
    int32_t token;
    float logit;        /* the raw logit */
    double p;           /* softmax of the raw logits over the whole vocabulary */
    double p_final;     /* after the last stage; 0 when removed */
    int32_t removed_by; /* index into the trace's stages; -1: not removed */
} tg_candidate;

typedef struct tg_stage_trace {
    tg_stage stage;
    uint32_t kept, removed; /* tokens; their sum is what reached the stage */
    double mass_before;     /* raw probability (tg_candidate.p) of the tokens that reached it */
    double mass_after;      /* raw probability of the tokens that it kept */
    /* The number that decided; 0: there is none.
     *   top_n_sigma, top_k: the smallest logit that is kept
     *   typ_p, top_p: the mass before the last kept token
     *   min_p: the smallest p that is kept
     *   xtc: the p from which on a token is a top choice
     *   temperature: the divisor
     *   mirostat: the number of tokens kept (version 1), or the largest surprise that is kept, in
     *     bits (version 2) */
    double threshold;
    double coin;      /* the stage's own coin, in [0, 1); NaN: it has none, or did not toss it */
    char reason[128]; /* for people: "top_p: kept 33 of 40: 0.9485 before the last, 0.9554 with it,
                         limit 0.95" */
} tg_stage_trace;

struct tg_trace {
    uint32_t vocab;
    const tg_candidate *candidates; /* [n_candidates] in descending order of p */
    uint32_t n_candidates;
    double other;   /* raw probability of the tokens that are not in candidates */
    double entropy; /* of the raw distribution, in nats */
    tg_stage_trace stages[TG_STAGE_COUNT];
    uint32_t n_stages;
    int32_t token;  /* the drawn token */
    float logit;    /* its raw logit */
    double logprob; /* its raw log-probability, in nats */
    uint32_t rank;  /* number of tokens with a larger raw logit */
    double p_final; /* its probability after the last stage */
    double u;       /* the coin of the draw, in [0, 1) */
    /* The token's interval of the cumulative distribution, over the kept tokens in descending order
     * of final probability: low <= u < high. */
    double low, high;
    double mu; /* mirostat's state after the token; without mirostat as in the request */
};

/* Fills in the default options, llama.cpp's default chain, seed 0, position 0, sample_index 0,
 * top_n 50, no lists, and no context. */
void tg_sample_defaults(tg_sample_request *request);
/* Draws a token from the session's logits. The session does not change, so one step can be sampled
 * many times; tg_session_accept appends the token. position, context and mu of the request are
 * replaced by the session's. *trace: a view, valid until the next call that samples on the model.
 * TG_SAMPLER_BAD_OPTION, TG_NO_CANDIDATES, TG_LOGITS_NOT_FINITE; TG_SESSION_EMPTY and
 * TG_MODEL_NOT_READY as tg_session_logits. */
tg_status tg_session_sample(tg_session *session, const tg_sample_request *request,
                            const tg_trace **trace);

/* The sampler of the session's model, for what the last sampling left. */
typedef struct tg_sampler tg_sampler;
const tg_sampler *tg_session_sampler(const tg_session *session);
/* Views [n_vocab] by token, valid until the next call that samples on the model: the index of the
 * stage that removed it, or -1; its raw probability; its probability after the last stage, for
 * tokens that were not removed. */
const int8_t *tg_sampler_removed_by(const tg_sampler *sampler);
const double *tg_sampler_p(const tg_sampler *sampler);
const double *tg_sampler_p_final(const tg_sampler *sampler);

/* ======== Grammars ======== */

/* A grammar restricts a text to what it describes. It is written in llama.cpp's GBNF, a form of
 * EBNF, with one extension for lists whose items come in any order (grammar/rules.h). To use one:
 *
 *     tg_grammar_new(model, text, length, &grammar);
 *     tg_grammar_begin(grammar, true, &state);
 *     for (;;) {
 *         tg_grammar_state_mask(state, &request.lists[TG_LIST_grammar].tokens, &n_words);
 *         request.lists[TG_LIST_grammar].n = n_words;
 *         ... tg_session_sample, then
 *         tg_grammar_state_accept(state, trace->token);
 *     }
 *
 * A token counts as the bytes that it adds to a text. Control, unknown and unused tokens are never
 * allowed; the tokens that end a generation are allowed where the text is complete. */
typedef struct tg_grammar tg_grammar;
/* A grammar during one text. */
typedef struct tg_grammar_state tg_grammar_state;

/* Compiles a grammar of `length` bytes, at most 8 MiB. The caller frees it, before the model.
 * TG_GRAMMAR_INVALID: the message says line, column and what was expected, or which limit is
 * exceeded. TG_MODEL_NOT_READY, TG_OUT_OF_MEMORY. */
tg_status tg_grammar_new(tg_model *model, const char *text, size_t length, tg_grammar **out);
/* Frees a grammar; its states must be freed before. NULL is ignored. */
void tg_grammar_free(tg_grammar *grammar);
/* Bytes that the grammar and what it computed so far take. */
size_t tg_grammar_memory(const tg_grammar *grammar);
/* The tokens that end a generation: a view [*n], valid until the model is freed. */
const int32_t *tg_grammar_ends(const tg_grammar *grammar, size_t *n);
/* Begins a text. at_start: there is no text before it, so that the space that the tokenizer puts
 * before a text does not count. The caller frees the state. TG_OUT_OF_MEMORY. */
tg_status tg_grammar_begin(tg_grammar *grammar, bool at_start, tg_grammar_state **out);
/* NULL is ignored. */
void tg_grammar_state_free(tg_grammar_state *state);
/* The tokens that can come next, one bit a token, 32 in each number: a view [*n], valid until the
 * next call for the grammar or one of its states. TG_GRAMMAR_INVALID: the grammar is too ambiguous,
 * or needs too much memory, at this place of the text. TG_OUT_OF_MEMORY. */
tg_status tg_grammar_state_mask(tg_grammar_state *state, const int32_t **mask, size_t *n);
/* The bytes with which every continuation begins, at most `capacity`: they end where two bytes are
 * possible, or where the text can end. *n: how many. As tg_grammar_state_mask. */
tg_status tg_grammar_state_forced(tg_grammar_state *state, uint8_t *bytes, size_t capacity,
                                  size_t *n);
/* Sets the session's draft (tg_session_draft) to the forced text in the longest tokens, at most
 * max_nodes; *n: how many. Drops the draft when nothing is forced, or when other tokens than one
 * are pending. Errors as tg_grammar_state_mask and tg_session_draft. */
tg_status tg_session_draft_forced(tg_session *session, tg_grammar_state *state, uint32_t max_nodes,
                                  size_t *n);
/* Continues after a token. TG_GRAMMAR_INVALID for a token that cannot come next: the state stays as
 * it was. TG_TOKEN_OUT_OF_RANGE, and as tg_grammar_state_mask. */
tg_status tg_grammar_state_accept(tg_grammar_state *state, int32_t token);
/* Continues after n bytes of text, all or none of them. */
tg_status tg_grammar_state_accept_bytes(tg_grammar_state *state, const char *bytes, size_t n);
/* Whether the text so far matches the grammar. */
bool tg_grammar_state_is_complete(const tg_grammar_state *state);
/* Whether nothing can follow: a token that ends a generation was accepted; or the text can only end
 * and the vocabulary has no such token. */
bool tg_grammar_state_has_ended(const tg_grammar_state *state);

/* ======== Scoring ======== */

typedef struct tg_score {
    int32_t token;
    float logprob;  /* nats, given the tokens before it; NaN for the session's first token */
    int32_t rank;   /* tokens with a greater logit; 0: it was the most probable */
    float entropy;  /* of the distribution, in nats */
    float top_mass; /* the sum of the probabilities of all tokens more probable than it */
    int32_t tied;   /* other tokens with exactly the same logit */
} tg_score;

typedef struct tg_top {
    int32_t token; /* -1: there is none */
    float logprob; /* nats; NaN: there is none */
} tg_top;

/* Appends n tokens to the session and scores each under the distribution before it. scores: [n].
 * tops: [n][top_n], the most probable tokens of each distribution in descending order; NULL when
 * top_n is 0. On an error nothing is appended. TG_CONTEXT_FULL, TG_TOKEN_OUT_OF_RANGE, TG_KV_FULL,
 * TG_LOGITS_NOT_FINITE. */
tg_status tg_session_score(tg_session *session, const int32_t *tokens, size_t n, uint32_t top_n,
                           tg_score *scores, tg_top *tops);
/* The rows of the output matrix for tokens[n], as floats: a token's logit is the product of its row
 * and the hidden state, before a bias, scale or cap of the logits. rows: [n][n_embd].
 * TG_MODEL_NOT_READY, TG_TOKEN_OUT_OF_RANGE. */
tg_status tg_model_output_rows(tg_model *model, const int32_t *tokens, size_t n, float *rows);
/* Appends n tokens to the session and gives their hidden states: the normed output of the last
 * layer, from which the logits are computed. states: [n][n_embd]. Errors as tg_session_score. */
tg_status tg_session_hidden_states(tg_session *session, const int32_t *tokens, size_t n,
                                   float *states);

/* ======== Snapshots ======== */

/* A snapshot is a session as bytes. To save one:
 *
 *     tg_session_save_snapshot_begin(session, user_data);
 *     for (uint32_t i = 0; tg_session_snapshot_chunk(session, i, &bytes, &n); i++)
 *         fwrite(bytes, 1, n, file);
 *
 * To load one of `size` bytes, whose first chunk is in `header`:
 *
 *     tg_session_load_snapshot_begin(model, header, size, &session);
 *     for (uint32_t i = 1; tg_session_snapshot_chunk(session, i, &bytes, &n); i++)
 *         fread(bytes, 1, n, file);
 *     tg_session_load_snapshot_commit(session);
 *
 * The loaded session continues as the saved one would have, bit for bit. */

/* Prepares a session for saving. user_data: a number of the caller's, kept in the snapshot. */
void tg_session_save_snapshot_begin(tg_session *session, uint64_t user_data);
/* Chunk `index` of the snapshot that is saved or loaded: *n bytes of the session's memory, valid
 * until the session changes. Returns false past the last chunk. */
bool tg_session_snapshot_chunk(tg_session *session, uint32_t index, void **bytes, size_t *n);
/* Creates a session for a snapshot of n bytes. header: its first bytes, at least the first chunk.
 * TG_SESSION_FOREIGN: model, cache types, kernel variant or form of the dot product differ.
 * TG_SESSION_DAMAGED, TG_CONTEXT_FULL, TG_KV_FULL, TG_OUT_OF_MEMORY. */
tg_status tg_session_load_snapshot_begin(tg_model *model, const void *header, size_t n,
                                         tg_session **out);
/* Checks the checksum and completes the session. On an error (TG_SESSION_DAMAGED) the caller must
 * free the session. */
tg_status tg_session_load_snapshot_commit(tg_session *session);

#include "tokenglass_inside.h"

#endif
