/* The chain's working set, and what is done with it: put in order as far as someone looks, cut by
 * the stages, drawn from. In: logits over the vocabulary. Out: the survivors. The sampler owns the
 * memory; nothing here allocates.
 *
 * "In order" is: greatest logit first, equal ones by token id. A logit of -infinity is a ban: its
 * token stands last, has probability 0, is counted as kept until a stage removes it, and is never
 * drawn. */
#ifndef TG_CANDIDATES_H
#define TG_CANDIDATES_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

typedef struct tg_entry {
    double logit; /* as the stages so far have left it */
    int32_t token;
} tg_entry;

typedef struct tg_candidates {
    tg_entry *entries; /* vocab of them: the n survivors, then the removed */
    uint32_t vocab, n;
    uint32_t
        sorted; /* so many survivors, from the first, are in order and stand before all others */
    uint32_t *marks;   /* [vocab] for a stage's own use, by token: zeros before it and after it */
    double *keys;      /* [vocab] likewise, of any value */
    uint32_t *lengths; /* [n_ctx] likewise, by place in the context */
} tg_candidates;

/* All tokens survive, in the vocabulary's order. */
void tgi_candidates_fill(tg_candidates *candidates, const float *logits);

/* The k greatest logits' entries, in order, into list, which has room for vocab of them; returns
 * how many: k, or vocab. What survives does not matter and does not change. */
uint32_t tgi_top_logits(const float *logits, uint32_t vocab, uint32_t k, tg_entry *list);

/* Puts the first k survivors in order (all of them when k >= n): partial quicksort (Martinez 2004),
 * O(n + k log k) as a rule and never worse than O(n log n). */
void tgi_candidates_order(tg_candidates *candidates, uint32_t k);

/* The survivor i < n places from the first in order, sorting in growing portions, so that who stops
 * early pays O(n). */
tg_entry tgi_candidates_at(tg_candidates *candidates, uint32_t i);

/* The greatest and the least logit of the survivors. */
double tgi_candidates_max(const tg_candidates *candidates);
double tgi_candidates_min(const tg_candidates *candidates);

/* The sum of exp(logit - greatest) over the survivors: what softmax divides by. */
double tgi_candidates_total(const tg_candidates *candidates, double greatest);

/* The entropy of the survivors, in nats. */
double tgi_candidates_entropy(const tg_candidates *candidates, double greatest, double total);

/* Removes the survivors whose logit is below the limit. */
void tgi_candidates_remove_below(tg_candidates *candidates, double limit);

/* Removes the survivors whose mark is set, or is not; the others keep their order. */
void tgi_candidates_remove_marked(tg_candidates *candidates, bool marked);

/* A stage: tgi_apply_<name> in stage_<name>.c. It may reorder the survivors, change their logits
 * (then sorted = 0) and lower n: what then stands between the new n and the old one is what it
 * removed. At least one survivor comes in whose logit is finite; that one remains is the chain's to
 * check. It fills in the trace's threshold (0 when it is off), coin and reason; the chain counts
 * and weighs. A stage must not look at the request's top_n: looking changes nothing. */
typedef void tgi_stage_apply(tg_candidates *candidates, const tg_sample_request *request,
                             tg_stage_trace *trace);
#define TG_STAGE(name, chain) tgi_stage_apply tgi_apply_##name;
#include "stages.def"

/* mirostat's mu after a token of that final probability was drawn. */
double tgi_mirostat_next(const tg_sample_request *request, double p_final);

/* Draws a survivor with the coin u in [0, 1). Fills in p_final (by token id; survivors only) and
 * the trace's token, p_final, u, low and high. The intervals are the final probabilities cumulated
 * in order; the last with a probability above 0 reaches to 1, so that rounding leaves no gap and
 * low <= u < high always holds. */
void tgi_draw(tg_candidates *candidates, double u, double *p_final, tg_trace *trace);

#endif
