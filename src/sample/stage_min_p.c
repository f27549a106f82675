/* min_p (Nguyen et al. 2024): tokens survive that have at least min_p times the probability of the
 * most probable token. min_p = 0: off. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

void tgi_apply_min_p(tg_candidates *candidates, const tg_sample_request *request,
                     tg_stage_trace *trace)
{
    const double min_p = request->options[TG_OPTION_min_p];
    if (min_p <= 0)
        return;
    const uint32_t n = candidates->n;
    /* a ratio of probabilities is a difference of logits */
    const double limit = tgi_candidates_max(candidates) + log(min_p);
    tgi_candidates_remove_below(candidates, limit);
    trace->threshold = min_p;
    snprintf(trace->reason, sizeof trace->reason,
             "min_p: kept %u of %u with at least %.4g of the largest p, logit %.4g or more",
             (unsigned)candidates->n, (unsigned)n, min_p, limit);
}
