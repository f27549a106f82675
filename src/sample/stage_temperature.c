/* temperature: divides the logits. 0 is greedy: only the highest logit survives, of equal ones the
 * lowest token id. With dynatemp_range > 0, the temperature is within this range around the given
 * one, by the entropy of the candidates (kalomaze 2023): at the lower end when one token has all
 * the probability, at the upper end when all tokens have the same. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

/* Below this, quotients could leave the range of a double. Long before that, every token except
 * ties with the highest has probability 0. */
#define MIN_TEMPERATURE 1e-200

void tgi_apply_temperature(tg_candidates *candidates, const tg_sample_request *request,
                           tg_stage_trace *trace)
{
    const double range = request->options[TG_OPTION_dynatemp_range];
    double t = request->options[TG_OPTION_temperature];
    char how[64] = "";
    if (range > 0 && candidates->n > 1) {
        const double low = t > range ? t - range : 0, high = t + range;
        const double max = tgi_candidates_max(candidates);
        const double share =
            tgi_candidates_entropy(candidates, max, tgi_candidates_total(candidates, max)) /
            log(candidates->n);
        t = low + (high - low) *
                      pow(share < 1 ? share : 1, request->options[TG_OPTION_dynatemp_exponent]);
        snprintf(how, sizeof how, ": %.4g to %.4g at %.4g of full entropy", low, high, share);
    } else if (range > 0) {
        t = 1; /* nothing to scale with a single survivor */
    }
    trace->threshold = t;
    if (t < MIN_TEMPERATURE) {
        tgi_candidates_sort(candidates, 1);
        candidates->n = 1;
        snprintf(trace->reason, sizeof trace->reason,
                 "temperature: %.4g keeps only the highest logit, %.4g", t,
                 candidates->entries[0].logit);
        return;
    }
    if (t == 1) {
        snprintf(trace->reason, sizeof trace->reason, "temperature: off (1)");
        return;
    }
    for (uint32_t i = 0; i < candidates->n; i++)
        candidates->entries[i].logit /= t;
    candidates->sorted = 0; /* rounding can make two quotients equal, and then ids decide */
    snprintf(trace->reason, sizeof trace->reason, "temperature: logits divided by %.4g%s", t, how);
}
