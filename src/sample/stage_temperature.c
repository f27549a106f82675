/* temperature: logits are divided by it. 0 is greedy: only the greatest survives, of equal ones the
 * one with the lowest id. With dynatemp_range > 0 it lies within that range of the given one, by
 * the entropy of what is left (kalomaze 2023): at the lower end when one token has it all, at the
 * upper when all are alike. In: the working set. Out: the same set, scaled. Owns nothing. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

/* Below this the quotients could leave the range of double; long before, everything but ties with
 * the greatest has probability 0.
 */
#define LEAST_TEMPERATURE 1e-200

void tgi_apply_temperature(tg_candidates *candidates, const tg_sample_request *request,
                           tg_stage_trace *trace)
{
    const double range = request->options[TG_OPTION_dynatemp_range];
    double t = request->options[TG_OPTION_temperature];
    char how[64] = "";
    if (range > 0 && candidates->n > 1) {
        const double least = t > range ? t - range : 0, most = t + range;
        const double greatest = tgi_candidates_max(candidates);
        const double share = tgi_candidates_entropy(candidates, greatest,
                                                    tgi_candidates_total(candidates, greatest)) /
                             log(candidates->n);
        t = least + (most - least) *
                        pow(share < 1 ? share : 1, request->options[TG_OPTION_dynatemp_exponent]);
        snprintf(how, sizeof how, ": %.4g to %.4g at %.4g of full entropy", least, most, share);
    } else if (range > 0) {
        t = 1; /* a single survivor needs none */
    }
    trace->threshold = t;
    if (t < LEAST_TEMPERATURE) {
        tgi_candidates_order(candidates, 1);
        candidates->n = 1;
        snprintf(trace->reason, sizeof trace->reason,
                 "temperature: %.4g keeps the greatest alone, logit %.4g", t,
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
