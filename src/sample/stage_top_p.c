/* top_p, the nucleus (Holtzman et al. 2020): the most probable survive, as few of them as together
 * reach p of what is left, at least one. p >= 1: off. In: the working set. Out: the same set, cut.
 * Owns nothing. */
#include <stdio.h>

#include "candidates.h"
#include "expd.h"

void tgi_apply_top_p(tg_candidates *candidates, const tg_sample_request *request,
                     tg_stage_trace *trace)
{
    const double p = request->options[TG_OPTION_top_p];
    if (p >= 1) {
        snprintf(trace->reason, sizeof trace->reason, "top_p: off");
        return;
    }
    const uint32_t n = candidates->n;
    const double greatest = tgi_candidates_max(candidates);
    const double total = tgi_candidates_total(candidates, greatest);
    double mass = 0, mass_before_last = 0; /* in units of exp(greatest) */
    uint32_t kept = 0;
    while (kept < n && (kept == 0 || mass < p * total)) {
        const double weight = tgi_expd(tgi_candidates_at(candidates, kept).logit - greatest);
        if (weight ==
            0) /* nothing to gain from here on: only rounding has kept p from being reached */
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
