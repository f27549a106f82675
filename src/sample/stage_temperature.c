/* temperature: logits are divided by it. 0 is greedy: only the greatest survives, of equal ones the one with the lowest id. In:
 * the working set. Out: the same set, scaled. Owns nothing. */
#include <stdio.h>

#include "candidates.h"

/* Below this the quotients could leave the range of double; long before, everything but ties with the greatest has probability 0.
 */
#define LEAST_TEMPERATURE 1e-200

void tg_apply_temperature(tg_candidates *candidates, const tg_sample_request *request, tg_stage_trace *trace)
{
    const double t = request->options[TG_OPTION_temperature];
    trace->threshold = t;
    if (t < LEAST_TEMPERATURE) {
        tg_candidates_order(candidates, 1);
        candidates->n = 1;
        snprintf(trace->reason, sizeof trace->reason, "temperature: %.4g keeps the greatest alone, logit %.4g", t,
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
    snprintf(trace->reason, sizeof trace->reason, "temperature: logits divided by %.4g", t);
}
