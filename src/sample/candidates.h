/* The working set of the chain: the candidates that have survived so far. It is sorted only as far
 * as needed, reduced by the stages, and drawn from. The sampler owns the memory; nothing here
 * allocates.
 *
 * Sorted means: highest logit first, equal ones by token id. A token with a logit of -infinity is
 * banned: it comes last, has probability 0 and is never drawn. It counts as kept until a stage
 * removes it. */
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
    tg_entry *entries; /* [vocab] the n survivors, then the removed */
    uint32_t vocab, n;
    uint32_t sorted; /* the first `sorted` survivors are sorted and come before all others */

    /* scratch for a stage */
    uint32_t *marks;   /* [vocab] by token; zeros before and after a stage */
    double *keys;      /* [vocab] by token */
    uint32_t *lengths; /* [n_ctx] by position in the context */
} tg_candidates;

/* All tokens survive, in the vocabulary's order. */
void tgi_candidates_fill(tg_candidates *candidates, const float *logits);

/* Writes the k highest logits, sorted, to top, which has room for vocab entries. Returns how many:
 * k, at most vocab. */
uint32_t tgi_top_logits(const float *logits, uint32_t vocab, uint32_t k, tg_entry *top);

/* Sorts the first k survivors (all of them if k >= n): partial quicksort (Martinez 2004), O(n + k
 * log k) as a rule and never worse than O(n log n). */
void tgi_candidates_sort(tg_candidates *candidates, uint32_t k);

/* Survivor i < n in sorted order. Sorts in growing portions, so that a caller who stops early pays
 * O(n). */
tg_entry tgi_candidates_at(tg_candidates *candidates, uint32_t i);

/* The highest and the lowest logit of the survivors. */
double tgi_candidates_max(const tg_candidates *candidates);
double tgi_candidates_min(const tg_candidates *candidates);

/* The sum of exp(logit - max) over the survivors: the denominator of softmax. */
double tgi_candidates_total(const tg_candidates *candidates, double max);

/* Writes the survivors' probabilities, by token id. */
void tgi_candidates_softmax(const tg_candidates *candidates, double *p);

/* The entropy of the survivors, in nats. total: tgi_candidates_total. */
double tgi_candidates_entropy(const tg_candidates *candidates, double max, double total);

/* Removes the survivors whose logit is below the limit. */
void tgi_candidates_remove_below(tg_candidates *candidates, double limit);

/* Removes the survivors whose mark is set (marked) or is not set; the others keep their order. */
void tgi_candidates_remove_marked(tg_candidates *candidates, bool marked);

/* A stage: tgi_apply_<name> in stage_<name>.c. It may reorder the survivors, change their logits
 * (then it sets sorted = 0) and lower n: the entries between the new and the old n are removed.
 * At least one survivor has a finite logit when it is called; the chain checks that one remains.
 * A stage sets threshold (0 when it is off), coin and reason of its trace; the chain sets the
 * rest. A reason begins with "<name>: ". A stage that does nothing sets no reason, and the chain
 * writes "<name>: off". A stage must not use the request's top_n, because listing candidates must
 * not change the draw. */
typedef void tgi_stage_apply(tg_candidates *candidates, const tg_sample_request *request,
                             tg_stage_trace *trace);
#define TG_STAGE(name, chain) tgi_stage_apply tgi_apply_##name;
#include "stages.def"

/* mirostat's mu after a token with this final probability was drawn. */
double tgi_mirostat_next(const tg_sample_request *request, double p_final);

/* Draws a survivor with the coin u in [0, 1). Sets p_final (by token id; survivors only) and the
 * trace's token, p_final, u, low and high. The intervals are the cumulated final probabilities in
 * sorted order. The last one with a probability above 0 ends at 1, so that rounding leaves no gap
 * and low <= u < high always holds. */
void tgi_draw(tg_candidates *candidates, double u, double *p_final, tg_trace *trace);

#endif
