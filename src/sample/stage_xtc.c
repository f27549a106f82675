/* xtc, "exclude top choices" (p-e-w 2024): with probability xtc_probability, removes all tokens
 * with p >= xtc_threshold except the least probable of these. A threshold above 0.5: off, because
 * at most one token can reach it. */
#include <stdio.h>

#include "candidates.h"
#include "expd.h"
#include "random.h"

void tgi_apply_xtc(tg_candidates *candidates, const tg_sample_request *request,
                   tg_stage_trace *trace)
{
    const double probability = request->options[TG_OPTION_xtc_probability];
    const double threshold = request->options[TG_OPTION_xtc_threshold];
    const uint32_t n = candidates->n;
    tg_entry *e = candidates->entries;
    if (probability <= 0 || threshold > 0.5 || n < 2)
        return;
    trace->coin = tgi_coin(request->seed, request->position, request->sample_index, TG_COIN_XTC);
    trace->threshold = threshold;
    if (trace->coin > probability) {
        snprintf(trace->reason, sizeof trace->reason,
                 "xtc: the coin %.4g is above the probability %.4g: kept all %u", trace->coin,
                 probability, (unsigned)n);
        return;
    }
    const double max = tgi_candidates_max(candidates);
    const double total = tgi_candidates_total(candidates, max);
    uint32_t top = 0; /* tokens that reach the threshold */
    while (top < n) {
        const double weight = tgi_expd(tgi_candidates_at(candidates, top).logit - max);
        if (weight == 0 || weight < threshold * total)
            break;
        top++;
    }
    const uint32_t removed = top > 1 ? top - 1 : 0, kept = n - removed;
    for (uint32_t i = 0; i < removed && i < kept; i++) { /* the removed tokens go to the end */
        const tg_entry t = e[i];
        e[i] = e[n - 1 - i];
        e[n - 1 - i] = t;
    }
    if (removed) {
        candidates->n = kept;
        candidates->sorted = 0;
    }
    snprintf(trace->reason, sizeof trace->reason,
             "xtc: the coin %.4g is within %.4g: removed %u of the %u tokens with p >= %.4g, all "
             "but the last",
             trace->coin, probability, (unsigned)removed, (unsigned)top, threshold);
}
