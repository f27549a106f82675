/* mirostat (Basu et al. 2021): keeps the surprise of the drawn tokens near mirostat_tau bits.
 * Version 1 estimates Zipf's exponent from the 100 most probable tokens, and from it how many
 * tokens may stay. Version 2 keeps tokens whose surprise is at most mu bits. mu changes after the
 * draw (tgi_mirostat_next); it belongs to the session's state at a position. mirostat = 0: off. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

#define ZIPF_TOKENS 100u /* tokens for version 1's estimate, as in llama.cpp */

static double mu_of(const tg_sample_request *request)
{
    return isnan(request->mu) ? 2 * request->options[TG_OPTION_mirostat_tau] : request->mu;
}

/* How many tokens version 1 keeps. */
static uint32_t zipf_limit(tg_candidates *candidates, double mu)
{
    double products = 0, squares = 0;
    for (uint32_t i = 0; i + 1 < ZIPF_TOKENS && i + 1 < candidates->n; i++) {
        const double t = log((i + 2.0) / (i + 1.0));
        const double logit = tgi_candidates_at(candidates, i).logit,
                     next = tgi_candidates_at(candidates, i + 1).logit;
        if (next == -INFINITY)
            break;
        products += t * (logit - next);
        squares += t * t;
    }
    if (squares == 0)
        return 1;
    const double s = products / squares, excess = s - 1;
    const double spread = 1 - pow(candidates->vocab, -excess);
    /* for s = 1 the limit of excess / spread */
    const double quotient = spread == 0 ? 1 / log(candidates->vocab) : excess / spread;
    const double k = pow(quotient * exp2(mu), 1 / s);
    return k >= candidates->n ? candidates->n : k >= 1 ? (uint32_t)k : 1;
}

void tgi_apply_mirostat(tg_candidates *candidates, const tg_sample_request *request,
                        tg_stage_trace *trace)
{
    const int version = (int)request->options[TG_OPTION_mirostat];
    const uint32_t n = candidates->n;
    const double mu = mu_of(request);
    if (version == 0)
        return;
    if (version == 1) {
        const uint32_t k = zipf_limit(candidates, mu);
        if (k < n) {
            tgi_candidates_sort(candidates, k);
            candidates->n = k;
        }
        trace->threshold = k;
    } else {
        const double max = tgi_candidates_max(candidates);
        const double limit = max + log(tgi_candidates_total(candidates, max)) - mu * log(2);
        if (limit > max) { /* no token is below mu: the most probable one stays */
            tgi_candidates_sort(candidates, 1);
            candidates->n = 1;
        } else {
            tgi_candidates_remove_below(candidates, limit);
        }
        trace->threshold = mu;
    }
    snprintf(trace->reason, sizeof trace->reason, "mirostat: kept %u of %u at mu = %.4g bits",
             (unsigned)candidates->n, (unsigned)n, mu);
}

double tgi_mirostat_next(const tg_sample_request *request, double p_final)
{
    const double surprise = -log2(p_final);
    return mu_of(request) - request->options[TG_OPTION_mirostat_eta] *
                                (surprise - request->options[TG_OPTION_mirostat_tau]);
}
