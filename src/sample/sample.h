/* From logits to a token, with an account of every step. In: logits over the whole vocabulary, a chain of stages, an addressed
 * random number. Out: the token and a trace that lives in the sampler until its next call. One sampler serves all sessions of a
 * model; it is allocated once for a vocabulary size and nothing is allocated while sampling.
 *
 * A stage removes candidates or changes their logits; it never adds any. Ties go to the lower token id everywhere. */
#ifndef TG_SAMPLE_H
#define TG_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../status.h"

typedef enum tg_stage {
#define TG_STAGE(name) TG_STAGE_##name,
#include "stages.def"
    TG_STAGE_COUNT
} tg_stage;

typedef enum tg_option {
#define TG_OPTION(stage, name, default_value, min, max) TG_OPTION_##name,
#include "stages.def"
    TG_OPTION_COUNT
} tg_option;

typedef struct tg_sample_request {
    double options[TG_OPTION_COUNT];
    uint8_t order[TG_STAGE_COUNT]; /* tg_stage numbers, each at most once */
    uint32_t n_order;
    uint64_t seed;
    uint64_t position; /* of the token to be drawn, counted from 0 in the session */
    uint32_t stream;   /* 0: the draw; stages with coins and further samples of a step have their own (sample/random.h) */
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
    double threshold; /* the number that decided: top_k: the least kept logit; top_p: the mass that stood before the last kept
                         token; min_p: the least allowed share of the greatest p; temperature: the divisor. In reason's terms. */
    char reason[112]; /* for a person: "top_p: kept 33 of 40: 0.9485 before the last, 0.9554 with it, limit 0.95" */
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
} tg_trace;

typedef struct tg_sampler tg_sampler;

size_t tg_sampler_memory(uint32_t vocab);   /* bytes tg_sampler_new takes, for the plan */
tg_sampler *tg_sampler_new(uint32_t vocab); /* NULL when out of memory */
void tg_sampler_free(tg_sampler *sampler);

void tg_sample_defaults(tg_sample_request *request); /* the list's defaults and order, seed 0, position 0, stream 0, top_n 50 */

/* logits: vocab floats, not changed. *trace points into the sampler. */
tg_status tg_sample(tg_sampler *sampler, const float *logits, const tg_sample_request *request, const tg_trace **trace,
                    tg_error *error);

/* After tg_sample: where a token fell out (index into stages) or -1; a view of vocab entries. */
const int8_t *tg_sampler_fates(const tg_sampler *sampler);

const char *tg_stage_name(tg_stage stage);

#endif
