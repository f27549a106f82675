/* temperature (Ackley, Hinton and Sejnowski 1985): divides logits by it; at 0 only the greatest logit stays. In: candidates and
 * the temperature. Out: the same with other logits, or one survivor. */
#include "candidates.h"

#include <float.h>

#define GREEDY 1e-20 /* below it the quotients would leave the range of floats */

void tg_stage_temperature(tg_candidates *c, const double *options, tg_stage_trace *trace)
{
    const double t = options[TG_OPTION_temperature];
    trace->threshold = t;
    if (t < GREEDY) {
        tg_candidates_order(c, 1);
        tg_reason(trace, "temperature: 0 leaves the most probable token");
        c->n = 1;
        return;
    }
    tg_reason(trace,
              t < 1   ? "temperature: sharpened by %.3g, nothing removed"
              : t > 1 ? "temperature: flattened by %.3g, nothing removed"
                      : "temperature: %.3g changes nothing",
              t);
    if (t == 1)
        return;
    for (uint32_t i = 0; i < c->n; i++) {
        const double logit = c->items[i].logit / t;
        c->items[i].logit = logit > FLT_MAX ? FLT_MAX : (float)logit; /* a ban stays -infinity */
    }
    c->sorted = 0; /* quotients may have become equal: then the lower id comes first */
}
