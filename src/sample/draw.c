/* In: the survivors and a coin. Out: the token it falls on, its interval, and the final probabilities, in the caller's memory. */
#include "candidates.h"
#include "expd.h"

void tg_draw(tg_candidates *candidates, double u, double *final_p, tg_trace *trace)
{
    const double greatest = tg_candidates_greatest(candidates);
    double total = 0;
    for (uint32_t i = 0; i < candidates->n; i++) {
        const tg_entry *entry = &candidates->entries[i];
        const double weight = tg_expd(entry->logit - greatest);
        final_p[entry->token] = weight;
        total += weight;
    }
    for (uint32_t i = 0; i < candidates->n; i++)
        final_p[candidates->entries[i].token] /= total;

    double low = 0, high = 0;
    for (uint32_t i = 0;; i++) {
        const int32_t token = tg_candidates_at(candidates, i).token;
        low = high;
        high = low + final_p[token];
        if (high > 1 || i + 1 == candidates->n || final_p[tg_candidates_at(candidates, i + 1).token] == 0)
            high = 1;
        if (u < high) {
            trace->token = token;
            break;
        }
    }
    trace->p_final = final_p[trace->token];
    trace->u = u;
    trace->low = low;
    trace->high = high;
}
