/* Measures of one token under a distribution. In: logits over the vocabulary and the token that
 * stands there. Out: a tg_score. Owns nothing. */
#ifndef TG_SCORE_H
#define TG_SCORE_H

#include <stdint.h>

#include "../base/status.h"
#include "../tokenglass.h"

/* logits: n_vocab floats. *log_total: what is to be taken from a logit to have its log-probability.
 * A NaN or +infinity among them is TG_LOGITS_NOT_FINITE. */
tg_status tgi_score_token(const float *logits, uint32_t n_vocab, int32_t token, tg_score *out,
                          double *log_total, tg_error *error);

#endif
