/* From logits to a token, with a trace of every step. Input: logits over the whole vocabulary, a
 * chain of stages, the tokens so far. Output: the token and a trace that is valid until the
 * sampler's next call. One sampler serves all sessions of a model: it is allocated once for a
 * vocabulary and a context size, and sampling allocates nothing.
 *
 * A stage removes candidates or changes their logits; it never adds candidates. Ties go to the
 * lower token id everywhere. */
#ifndef TG_SAMPLE_H
#define TG_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"
#include "../tokenglass.h"

/* Bytes that tgi_sampler_new allocates. vocab: tokens of the vocabulary; n_ctx: the maximum length
 * of a request's context. */
size_t tgi_sampler_memory(uint32_t vocab, uint32_t n_ctx);

/* NULL when out of memory. */
tg_sampler *tgi_sampler_new(uint32_t vocab, uint32_t n_ctx);
void tgi_sampler_free(tg_sampler *sampler);

/* Samples a token. logits: vocab floats, not changed. *trace points into the sampler.
 * TG_NO_CANDIDATES when a stage leaves no token that can be drawn; TG_SAMPLER_BAD_OPTION;
 * TG_LOGITS_NOT_FINITE. */
tg_status tgi_sample(tg_sampler *sampler, const float *logits, const tg_sample_request *request,
                     const tg_trace **trace, tg_error *error);

/* The tokens with the k highest logits, in order, equal ones by token id. logprob gets the logit.
 * Returns how many: k, at most the vocabulary. */
uint32_t tgi_sampler_top(tg_sampler *sampler, const float *logits, uint32_t k, tg_top *out);

#endif
