/* The chain's working set, and what is done with it: put in order as far as someone looks, cut by the stages, drawn from. In:
 * logits over the vocabulary. Out: the survivors. The sampler owns the memory; nothing here allocates.
 *
 * "In order" is: greatest logit first, equal ones by token id. A logit of -infinity is a ban: its token stands last, has
 * probability 0, is counted as kept until a stage removes it, and is never drawn. */
#ifndef TG_CANDIDATES_H
#define TG_CANDIDATES_H

#include <stdint.h>

#include "sample.h"

typedef struct tg_entry {
    double logit; /* as the stages so far have left it */
    int32_t token;
} tg_entry;

typedef struct tg_candidates {
    tg_entry *entries; /* vocab of them: the n survivors, then the removed */
    uint32_t n;
    uint32_t sorted; /* so many survivors, from the first, are in order and stand before all others */
} tg_candidates;

/* All tokens survive, in the vocabulary's order. */
void tg_candidates_fill(tg_candidates *candidates, const float *logits, uint32_t vocab);

/* Puts the first k survivors in order (all of them when k >= n): partial quicksort (Martinez 2004), O(n + k log k) as a rule and
 * never worse than O(n log n). */
void tg_candidates_order(tg_candidates *candidates, uint32_t k);

/* The survivor i < n places from the first in order, sorting in growing portions, so that who stops early pays O(n). */
tg_entry tg_candidates_at(tg_candidates *candidates, uint32_t i);

/* The greatest and the least logit of the survivors. */
double tg_candidates_greatest(const tg_candidates *candidates);
double tg_candidates_least(const tg_candidates *candidates);

/* The sum of exp(logit - greatest) over the survivors: what softmax divides by. */
double tg_candidates_total(const tg_candidates *candidates, double greatest);

/* Removes the survivors whose logit is below the limit. */
void tg_candidates_cut_below(tg_candidates *candidates, double limit);

/* A stage: tg_apply_<name> in stage_<name>.c. It may reorder the survivors, change their logits (then sorted = 0) and lower n, to
 * no less than 1: what then stands between the new n and the old one is what it removed. It fills in the trace's threshold (0
 * when it is off) and reason; the chain counts and weighs. A stage must not look at the request's top_n: looking changes nothing.
 */
typedef void tg_stage_apply(tg_candidates *candidates, const tg_sample_request *request, tg_stage_trace *trace);
#define TG_STAGE(name) tg_stage_apply tg_apply_##name;
#include "stages.def"

/* Draws a survivor with the coin u in [0, 1). Fills in final_p (by token id; survivors only) and the trace's token, p_final, u,
 * low and high. The intervals are the final probabilities cumulated in order; the last with a probability above 0 reaches to 1,
 * so that rounding leaves no gap and low <= u < high always holds. */
void tg_draw(tg_candidates *candidates, double u, double *final_p, tg_trace *trace);

#endif
