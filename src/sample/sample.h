/* From logits to a token, with an account of every step. In: logits over the whole vocabulary, a
 * chain of stages, the tokens so far, an addressed random number. Out: the token and a trace that
 * lives in the sampler until its next call. One sampler serves all sessions of a model; it is
 * allocated once for a vocabulary and a context size and nothing is allocated while sampling.
 *
 * A stage removes candidates or changes their logits; it never adds any. Ties go to the lower token
 * id everywhere. */
#ifndef TG_SAMPLE_H
#define TG_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"
#include "../tokenglass.h"

/* n_ctx: the most tokens a request's context can have. */
size_t tgi_sampler_memory(uint32_t vocab,
                          uint32_t n_ctx); /* bytes tgi_sampler_new takes, for the plan */
tg_sampler *tgi_sampler_new(uint32_t vocab, uint32_t n_ctx); /* NULL when out of memory */
void tgi_sampler_free(tg_sampler *sampler);

/* logits: vocab floats, not changed. *trace points into the sampler. TG_NO_CANDIDATES when a stage
 * leaves no token that could be drawn. */
tg_status tgi_sample(tg_sampler *sampler, const float *logits, const tg_sample_request *request,
                     const tg_trace **trace, tg_error *error);

/* The k greatest logits in order, equal ones by token id; returns how many: k, or the vocabulary.
 */
uint32_t tgi_sampler_top(tg_sampler *sampler, const float *logits, uint32_t k, tg_top *out);

#endif
