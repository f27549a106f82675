/* In: logits and a token. Out: its log-probability, rank, the distribution's entropy and the mass
 * above it, summed in double. */
#include "score.h"

#include <math.h>

tg_status tgi_score_token(const float *logits, uint32_t n_vocab, int32_t token, tg_score *out,
                          double *log_total, tg_error *error)
{
    float most = -INFINITY;
    for (uint32_t i = 0; i < n_vocab; i++) {
        if (!(logits[i] < INFINITY)) /* NaN, too */
            return tgi_fail(error, TG_LOGITS_NOT_FINITE, TG_NO_OFFSET,
                            "the logit of token %u is %f", (unsigned)i, (double)logits[i]);
        if (logits[i] > most)
            most = logits[i];
    }
    if (most == -INFINITY)
        return tgi_fail(error, TG_NO_CANDIDATES, TG_NO_OFFSET, "all %u logits are -infinity",
                        (unsigned)n_vocab);
    const float own = logits[token];
    double sum = 0, weighted = 0, above = 0;
    int32_t rank = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        const double below = (double)logits[i] - most, e = exp(below);
        sum += e;
        if (e > 0)
            weighted += e * below;
        if (logits[i] > own) {
            above += e;
            rank++;
        }
    }
    *log_total = most + log(sum);
    /* entropy = -sum p log p with log p = below - log sum */
    *out = (tg_score){token, (float)((double)own - most - log(sum)), rank,
                      (float)(log(sum) - weighted / sum), (float)(above / sum)};
    return TG_OK;
}
