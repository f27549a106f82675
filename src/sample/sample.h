/* From logits to a token, with an account of every step. In: logits over the whole vocabulary, a chain of stages, the tokens so
 * far, an addressed random number. Out: the token and a trace that lives in the sampler until its next call. One sampler serves
 * all sessions of a model; it is allocated once for a vocabulary and a context size and nothing is allocated while sampling.
 *
 * A stage removes candidates or changes their logits; it never adds any. Ties go to the lower token id everywhere. */
#ifndef TG_SAMPLE_H
#define TG_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"

typedef enum tg_stage {
#define TG_STAGE(name, chain) TG_STAGE_##name,
#include "stages.def"
    TG_STAGE_COUNT
} tg_stage;

typedef enum tg_option {
#define TG_OPTION(stage, name, default_value, min, max, kind) TG_OPTION_##name,
#include "stages.def"
    TG_OPTION_COUNT
} tg_option;

typedef enum tg_list_name {
#define TG_LIST(stage, name) TG_LIST_##name,
#include "stages.def"
    TG_LIST_COUNT
} tg_list_name;

/* n tokens of the caller. logit_bias: each token with what is added to its logit, -infinity to remove it; of a token that stands
 * twice the last counts. dry_sequence_breakers: sequences as tg_tokens_breakers gives them. grammar: no
 * tokens but 32 bits a number, one for each token of the vocabulary. An empty list changes nothing. */
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
    const int32_t *context; /* the n_context tokens before the one to be drawn: what penalties and dry look at */
    uint32_t n_context;
    double mu; /* mirostat's state after them, in bits; NaN: none yet, it starts at twice tau */
    uint64_t seed;
    uint64_t position; /* of the token to be drawn, counted from 0 in the session */
    uint32_t stream;   /* 0, or the number of a further sample of the same step: it has coins of its own (sample/random.h) */
    uint32_t top_n;    /* candidates to list in the trace; 0: none (the draw is the same) */
} tg_sample_request;

typedef struct tg_candidate {
    int32_t token;
    float logit;        /* as the model gave it */
    double p;           /* softmax of the raw logits over the whole vocabulary */
    double final_p;     /* after the last stage; 0 when removed */
    int32_t removed_by; /* index into stages of the trace, or -1 */
} tg_candidate;

typedef struct tg_stage_trace {
    tg_stage stage;
    uint32_t kept, removed; /* tokens; kept + removed = kept by the stage before (the vocabulary, at first) */
    double mass_before;     /* raw probability (tg_candidate.p) of the tokens that reached the stage */
    double mass_after;      /* and of those that survived it */
    double threshold; /* the number that decided, 0 when there was none. top_n_sigma and top_k: the least logit that may stay, or
                         stays; typ_p, top_p: the mass that stood before the last kept token; min_p: the least allowed share of
                         the greatest p; xtc: the p from which a token is a top choice; temperature: the divisor; mirostat: the
                         number kept (1) or the greatest surprise allowed, in bits (2). */
    double coin;      /* the stage's own, in [0, 1); NaN when it has none, or none was thrown */
    char reason[128]; /* for a person: "top_p: kept 33 of 40: 0.9485 before the last, 0.9554 with it, limit 0.95" */
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
    double low, high; /* the token's interval: survivors in descending order of final probability, cumulated; low <= u < high */
    double mu;        /* mirostat's state after the token: as in the request when mirostat did not run */
} tg_trace;

typedef struct tg_sampler tg_sampler;

/* n_ctx: the most tokens a request's context can have. */
size_t tg_sampler_memory(uint32_t vocab, uint32_t n_ctx);   /* bytes tg_sampler_new takes, for the plan */
tg_sampler *tg_sampler_new(uint32_t vocab, uint32_t n_ctx); /* NULL when out of memory */
void tg_sampler_free(tg_sampler *sampler);

/* The list's defaults and llama.cpp's default chain, seed 0, position 0, stream 0, top_n 50, no lists, no context. */
void tg_sample_defaults(tg_sample_request *request);

/* logits: vocab floats, not changed. *trace points into the sampler. TG_NO_CANDIDATES when a stage leaves no token that could be
 * drawn. */
tg_status tg_sample(tg_sampler *sampler, const float *logits, const tg_sample_request *request, const tg_trace **trace,
                    tg_error *error);

/* After tg_sample, views of vocab entries by token: where it fell out (index into stages) or -1; its raw probability; and its
 * probability after the last stage, for those that did not fall out. */
const int8_t *tg_sampler_fates(const tg_sampler *sampler);
const double *tg_sampler_p(const tg_sampler *sampler);
const double *tg_sampler_final_p(const tg_sampler *sampler);

typedef struct tg_top {
    int32_t token;
    float logprob; /* nats; from tg_sampler_top: the logit */
} tg_top;
/* The k greatest logits in order, equal ones by token id; returns how many: k, or the vocabulary. */
uint32_t tg_sampler_top(tg_sampler *sampler, const float *logits, uint32_t k, tg_top *out);

const char *tg_stage_name(tg_stage stage);

#endif
