/* typ_p, locally typical sampling (Meister et al. 2022): the tokens survive whose surprise is
 * nearest to the entropy, the fewest that together have more than typical_p of the remaining
 * probability. typical_p >= 1: off. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"
#include "expd.h"

void tgi_apply_typ_p(tg_candidates *candidates, const tg_sample_request *request,
                     tg_stage_trace *trace)
{
    const double p = request->options[TG_OPTION_typical_p];
    const uint32_t n = candidates->n;
    if (p >= 1)
        return;
    const double max = tgi_candidates_max(candidates);
    const double total = tgi_candidates_total(candidates, max), log_total = log(total);
    const double entropy = tgi_candidates_entropy(candidates, max, total);
    tg_entry *e = candidates->entries;
    /* for a while, the logits are minus the distances to the entropy */
    for (uint32_t i = 0; i < n; i++) {
        candidates->keys[e[i].token] = e[i].logit;
        e[i].logit = -fabs(log_total - (e[i].logit - max) - entropy);
    }
    candidates->sorted = 0;
    double mass = 0, mass_before_last = 0;
    uint32_t kept = 0;
    while (kept < n && (kept == 0 || mass <= p)) {
        const tg_entry entry = tgi_candidates_at(candidates, kept);
        if (entry.logit == -INFINITY) /* only tokens without probability are left */
            break;
        mass_before_last = mass;
        mass += tgi_expd(candidates->keys[entry.token] - max) / total;
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
