/* typ_p, locally typical sampling (Meister et al. 2022): those whose surprise is nearest to the
 * entropy survive, as few of them as together hold more than typical_p of what is left. typical_p
 * >= 1: off. In: the working set. Out: the same set, cut. Owns nothing. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"
#include "expd.h"

void tgi_apply_typ_p(tg_candidates *candidates, const tg_sample_request *request,
                     tg_stage_trace *trace)
{
    const double p = request->options[TG_OPTION_typical_p];
    const uint32_t n = candidates->n;
    if (p >= 1) {
        snprintf(trace->reason, sizeof trace->reason, "typ_p: off");
        return;
    }
    const double greatest = tgi_candidates_max(candidates);
    const double total = tgi_candidates_total(candidates, greatest), log_total = log(total);
    const double entropy = tgi_candidates_entropy(candidates, greatest, total);
    tg_entry *e = candidates->entries;
    for (uint32_t i = 0; i < n;
         i++) { /* for a while the order is that of nearness to the entropy */
        candidates->keys[e[i].token] = e[i].logit;
        e[i].logit = -fabs(log_total - (e[i].logit - greatest) - entropy);
    }
    candidates->sorted = 0;
    double mass = 0, mass_before_last = 0;
    uint32_t kept = 0;
    while (kept < n && (kept == 0 || mass <= p)) {
        const tg_entry entry = tgi_candidates_at(candidates, kept);
        if (entry.logit == -INFINITY) /* only tokens without any probability are left */
            break;
        mass_before_last = mass;
        mass += tgi_expd(candidates->keys[entry.token] - greatest) / total;
        kept++;
    }
    for (uint32_t i = 0; i < n; i++)
        e[i].logit = candidates->keys[e[i].token];
    candidates->n = kept;
    candidates->sorted = 0;
    trace->threshold = mass_before_last;
    snprintf(trace->reason, sizeof trace->reason,
             "typ_p: kept %u of %u nearest to the entropy %.4g: %.4g before the last, %.4g with "
             "it, limit %.4g",
             (unsigned)kept, (unsigned)n, entropy, mass_before_last, mass, p);
}
