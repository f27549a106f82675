/* top_n_sigma (Tang et al. 2024): tokens survive whose logit is at most n standard deviations below
 * the highest. Logits of -infinity are left out of the deviation. n <= 0: off. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

void tgi_apply_top_n_sigma(tg_candidates *candidates, const tg_sample_request *request,
                           tg_stage_trace *trace)
{
    const double sigmas = request->options[TG_OPTION_top_n_sigma];
    const uint32_t n = candidates->n;
    if (sigmas <= 0 || n <= 1)
        return;
    double sum = 0, squares = 0;
    uint32_t finite = 0;
    for (uint32_t i = 0; i < n; i++)
        if (candidates->entries[i].logit > -INFINITY) {
            sum += candidates->entries[i].logit;
            finite++;
        }
    const double mean = sum / finite;
    for (uint32_t i = 0; i < n; i++)
        if (candidates->entries[i].logit > -INFINITY) {
            const double x = candidates->entries[i].logit - mean;
            squares += x * x;
        }
    const double sigma = sqrt(squares / finite);
    trace->threshold = tgi_candidates_max(candidates) - sigmas * sigma;
    tgi_candidates_remove_below(candidates, trace->threshold);
    snprintf(trace->reason, sizeof trace->reason,
             "top_n_sigma: kept %u of %u within %.4g times sigma %.4g of the highest, logit %.4g "
             "or more",
             (unsigned)candidates->n, (unsigned)n, sigmas, sigma, trace->threshold);
}
