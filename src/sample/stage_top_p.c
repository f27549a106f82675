/* top_p, nucleus sampling (Holtzman et al. 2020): the most probable tokens survive, the fewest that
 * together have at least p of the remaining probability, at least one. p >= 1: off. */
#include <stdio.h>

#include "candidates.h"
#include "expd.h"

void tgi_apply_top_p(tg_candidates *candidates, const tg_sample_request *request,
                     tg_stage_trace *trace)
{
    const double p = request->options[TG_OPTION_top_p];
    if (p >= 1)
        return;
    const uint32_t n = candidates->n;
    const double max = tgi_candidates_max(candidates);
    const double total = tgi_candidates_total(candidates, max);
    double mass = 0, mass_before_last = 0; /* in units of exp(max) */
    uint32_t kept = 0;
    while (kept < n && (kept == 0 || mass < p * total)) {
        const double weight = tgi_expd(tgi_candidates_at(candidates, kept).logit - max);
        if (weight == 0) /* the rest has no probability: only rounding keeps p from being reached */
            break;
        mass_before_last = mass;
        mass += weight;
        kept++;
    }
    candidates->n = kept;
    if (candidates->sorted > kept)
        candidates->sorted = kept;
    trace->threshold = mass_before_last / total;
    snprintf(trace->reason, sizeof trace->reason,
             "top_p: kept %u of %u: %.4g before the last, %.4g with it, limit %.4g", (unsigned)kept,
             (unsigned)n, trace->threshold, mass / total, p);
}
