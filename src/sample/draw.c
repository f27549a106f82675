/* The draw: final probabilities, their intervals, and the token on which a coin falls. */
#include "candidates.h"

void tgi_draw(tg_candidates *candidates, double u, double *p_final, tg_trace *trace)
{
    tgi_candidates_softmax(candidates, p_final);
    double low = 0, high = 0;
    for (uint32_t i = 0;; i++) {
        const int32_t token = tgi_candidates_at(candidates, i).token;
        low = high;
        high = low + p_final[token];
        if (high > 1 || i + 1 == candidates->n ||
            p_final[tgi_candidates_at(candidates, i + 1).token] == 0)
            high = 1;
        if (u < high) {
            trace->token = token;
            break;
        }
    }
    trace->p_final = p_final[trace->token];
    trace->u = u;
    trace->low = low;
    trace->high = high;
}
