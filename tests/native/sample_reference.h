/* A naive sampler: libm's softmax, a full sort before every stage, each stage as its definition
 * reads. It gives the stage that removed each token, and the final probabilities, in arrays of the
 * caller. */
#ifndef SAMPLE_REFERENCE_H
#define SAMPLE_REFERENCE_H

#include <math.h>
#include <stdlib.h>

#include "../../src/sample/random.h"
#include "../../src/sample/sample.h"

#define CLOSE 1e-9 /* nearer to a border than this, a decision depends on rounding */

typedef struct item {
    double logit, p, key;
    int32_t token;
    int removed;
} item;

typedef struct reference {
    item *items; /* survivors, sorted */
    uint32_t n;
    double *p, *p_final;     /* by token */
    int *removed_by, *marks; /* by token; marks are zeros between stages */
    double entropy;
    int doubtful; /* a decision depended on less than CLOSE */
} reference;

static int by_order(const void *left, const void *right)
{
    const item *a = left, *b = right;
    if (a->logit != b->logit)
        return a->logit > b->logit ? -1 : 1;
    return a->token < b->token ? -1 : 1;
}

static int by_key(const void *left, const void *right)
{
    const item *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->token < b->token ? -1 : 1;
}

/* Sorts the survivors and computes their probabilities. */
static void renormalize(reference *r)
{
    double total = 0;
    qsort(r->items, r->n, sizeof *r->items, by_order);
    for (uint32_t i = 0; i < r->n; i++)
        total += r->items[i].p = exp(r->items[i].logit - r->items[0].logit);
    for (uint32_t i = 0; i < r->n; i++)
        r->items[i].p /= total;
}

static double entropy_of(const reference *r)
{
    double entropy = 0;
    for (uint32_t i = 0; i < r->n; i++)
        entropy -= r->items[i].p > 0 ? r->items[i].p * log(r->items[i].p) : 0;
    return entropy;
}

static void remove_after(reference *r, uint32_t kept)
{
    for (uint32_t i = kept; i < r->n; i++)
        r->items[i].removed = 1;
}

static void remove_marked(reference *r, const tg_list *list, int marked)
{
    for (uint32_t i = 0; i < list->n; i++)
        r->marks[list->tokens[i]] = 1;
    for (uint32_t i = 0; i < r->n; i++)
        r->items[i].removed = r->marks[r->items[i].token] == marked;
    for (uint32_t i = 0; i < list->n; i++)
        r->marks[list->tokens[i]] = 0;
}

static void reference_bias(reference *r, const tg_list *list)
{
    for (uint32_t i = 0; i < r->n; i++)
        for (uint32_t k = list->n; k-- > 0;)
            if (list->tokens[k] == r->items[i].token) {
                r->items[i].logit += (double)list->values[k];
                r->items[i].removed = list->values[k] == -INFINITY;
                break;
            }
}

/* The last last_n tokens of the context, at most all; -1: all. */
static const int32_t *window(const tg_sample_request *q, double last_n, uint32_t *n)
{
    *n = last_n < 0 || last_n > q->n_context ? q->n_context : (uint32_t)last_n;
    return q->context + q->n_context - *n;
}

static void reference_penalties(reference *r, const tg_sample_request *q)
{
    uint32_t n;
    const int32_t *tokens = window(q, q->options[TG_OPTION_penalty_last_n], &n);
    for (uint32_t k = 0; k < n; k++)
        r->marks[tokens[k]]++;
    for (uint32_t i = 0; i < r->n; i++) {
        item *it = &r->items[i];
        const int count = r->marks[it->token];
        if (count) {
            const double repeat = q->options[TG_OPTION_penalty_repeat];
            it->logit = it->logit > 0 ? it->logit / repeat : it->logit * repeat;
            it->logit -=
                count * q->options[TG_OPTION_penalty_freq] + q->options[TG_OPTION_penalty_present];
        }
    }
    for (uint32_t k = 0; k < n; k++)
        r->marks[tokens[k]] = 0;
}

/* How many tokens follow the breaker that begins last, the longest if several begin there. */
static uint32_t tokens_after_breaker(const tg_list *breakers, const int32_t *tokens, uint32_t n)
{
    for (uint32_t start = n; start-- > 0;) {
        uint32_t longest = 0;
        for (uint32_t at = 0; at < breakers->n; at += 1 + (uint32_t)breakers->tokens[at]) {
            const uint32_t length = (uint32_t)breakers->tokens[at];
            uint32_t same = 0;
            while (same < length && start + same < n &&
                   tokens[start + same] == breakers->tokens[at + 1 + same])
                same++;
            if (same == length && length > longest)
                longest = length;
        }
        if (longest)
            return n - start - longest;
    }
    return n;
}

static void reference_dry(reference *r, const tg_sample_request *q)
{
    uint32_t n;
    const int32_t *tokens = window(q, q->options[TG_OPTION_dry_penalty_last_n], &n);
    const tg_list *breakers = &q->lists[TG_LIST_dry_sequence_breakers];
    const double allowed = q->options[TG_OPTION_dry_allowed_length];
    const uint32_t max_length = tokens_after_breaker(breakers, tokens, n);
    if (q->options[TG_OPTION_dry_multiplier] == 0 || n <= allowed || max_length < allowed)
        return;
    /* tokens[j] followed a run that the end repeats; its mark: the run's length + 1 */
    for (uint32_t j = 1; j < n; j++) {
        uint32_t same = 0;
        while (same < j && tokens[j - 1 - same] == tokens[n - 1 - same])
            same++;
        same = same < max_length ? same : max_length;
        if (same >= allowed && r->marks[tokens[j]] < (int)same + 1)
            r->marks[tokens[j]] = (int)same + 1;
    }
    for (uint32_t at = 0; at < breakers->n; at += 1 + (uint32_t)breakers->tokens[at])
        if (breakers->tokens[at] == 1)
            r->marks[breakers->tokens[at + 1]] = 0;
    for (uint32_t i = 0; i < r->n; i++)
        if (r->marks[r->items[i].token])
            r->items[i].logit -=
                q->options[TG_OPTION_dry_multiplier] *
                pow(q->options[TG_OPTION_dry_base], r->marks[r->items[i].token] - 1 - allowed);
    for (uint32_t j = 0; j < n; j++)
        r->marks[tokens[j]] = 0;
}

static void reference_sigma(reference *r, double sigmas)
{
    double mean = 0, variance = 0;
    uint32_t finite = 0;
    if (sigmas <= 0 || r->n < 2)
        return;
    for (uint32_t i = 0; i < r->n; i++)
        if (r->items[i].logit > -INFINITY)
            mean += r->items[i].logit, finite++;
    mean /= finite;
    for (uint32_t i = 0; i < finite; i++)
        variance += pow(r->items[i].logit - mean, 2) / finite;
    const double limit = r->items[0].logit - sigmas * sqrt(variance);
    for (uint32_t i = 0; i < r->n; i++) {
        r->doubtful |= r->items[i].logit < r->items[0].logit &&
                       fabs(r->items[i].logit - limit) < CLOSE * (1 + fabs(limit));
        r->items[i].removed = r->items[i].logit < limit;
    }
}

static void reference_typical(reference *r, double p)
{
    const double entropy = entropy_of(r);
    double mass = 0;
    uint32_t kept = 0;
    if (p >= 1)
        return;
    for (uint32_t i = 0; i < r->n; i++)
        r->items[i].key = r->items[i].p > 0 ? fabs(-log(r->items[i].p) - entropy) : INFINITY;
    qsort(r->items, r->n, sizeof *r->items, by_key);
    for (; kept < r->n && mass <= p; kept++) {
        if (kept > 0 && r->items[kept].key == INFINITY)
            break;
        mass += r->items[kept].p;
        r->doubtful |= fabs(mass - p) < CLOSE;
    }
    for (uint32_t i = 1; i < r->n; i++) /* two different logits that differ only by rounding */
        if (i < kept + 2 && r->items[i].logit != r->items[i - 1].logit)
            r->doubtful |= fabs(r->items[i].key - r->items[i - 1].key) < CLOSE;
    /* probabilities that underflow to 0 in only one of the two */
    r->doubtful |= kept < r->n && r->items[kept].p < 1e-290 && r->items[kept].logit > -INFINITY;
    remove_after(r, kept);
}

static void reference_xtc(reference *r, const tg_sample_request *q)
{
    const double threshold = q->options[TG_OPTION_xtc_threshold],
                 probability = q->options[TG_OPTION_xtc_probability];
    uint32_t top = 0;
    if (probability <= 0 || threshold > 0.5 || r->n < 2)
        return;
    if (tgi_coin(q->seed, q->position, q->sample_index, TG_COIN_XTC) > probability)
        return;
    for (uint32_t i = 0; i < r->n; i++) {
        r->doubtful |= fabs(r->items[i].p - threshold) < CLOSE;
        top += r->items[i].p > 0 && r->items[i].p >= threshold;
    }
    for (uint32_t i = 0; i + 1 < top; i++)
        r->items[i].removed = 1;
}

static void reference_temperature(reference *r, const double *options)
{
    const double range = options[TG_OPTION_dynatemp_range];
    double t = options[TG_OPTION_temperature];
    if (range > 0 && r->n == 1)
        return;
    if (range > 0) {
        const double low = fmax(0, t - range), high = t + range;
        const double share = fmin(1, fmax(0, entropy_of(r)) / log(r->n));
        t = low + (high - low) * pow(share, options[TG_OPTION_dynatemp_exponent]);
        r->doubtful |= t < 1e-6; /* whether a tiny entropy is 0 depends on rounding */
    }
    if (t == 0) {
        remove_after(r, 1);
        return;
    }
    for (uint32_t i = 0; i < r->n; i++)
        r->items[i].logit /= t;
}

static void reference_mirostat(reference *r, const tg_sample_request *q, uint32_t vocab)
{
    const double mu = isnan(q->mu) ? 2 * q->options[TG_OPTION_mirostat_tau] : q->mu;
    uint32_t kept = 1;
    if (q->options[TG_OPTION_mirostat] == 2) {
        for (uint32_t i = 0; i < r->n; i++)
            r->doubtful |= fabs(-log2(r->items[i].p) - mu) < CLOSE;
        while (kept < r->n && -log2(r->items[kept].p) <= mu)
            kept++;
        remove_after(r, kept);
    } else if (q->options[TG_OPTION_mirostat] == 1) {
        double ti_bi = 0, ti_sq = 0;
        for (uint32_t i = 0; i < 99 && i + 1 < r->n && r->items[i + 1].logit > -INFINITY; i++) {
            const double t = log((i + 2.0) / (i + 1.0));
            ti_bi += t * (r->items[i].logit - r->items[i + 1].logit);
            ti_sq += t * t;
        }
        const double s = ti_bi / ti_sq, epsilon = s - 1;
        const double k =
            ti_sq > 0 ? pow(epsilon * pow(2, mu) / (1 - pow(vocab, -epsilon)), 1 / s) : 1;
        r->doubtful |= ti_sq > 0 &&
                       (fabs(epsilon) < 1e-6 || (k < r->n + 1.0 && fabs(k - round(k)) < 1e-6 * k));
        remove_after(r, k >= r->n ? r->n : k >= 1 ? (uint32_t)k : 1);
    }
}

static void reference_prefix(reference *r, tg_stage stage, const double *options)
{
    uint32_t kept = 1;
    if (stage == TG_STAGE_top_k) {
        const double k = options[TG_OPTION_top_k];
        kept = k == 0 || k > r->n ? r->n : (uint32_t)k;
    } else if (stage == TG_STAGE_top_p) {
        const double p = options[TG_OPTION_top_p];
        double mass = r->items[0].p;
        for (; kept < r->n && (p >= 1 || mass < p); mass += r->items[kept++].p)
            r->doubtful |= p < 1 && fabs(mass - p) < CLOSE;
        r->doubtful |= p < 1 && fabs(mass - p) < CLOSE;
    } else {
        const double limit = options[TG_OPTION_min_p] * r->items[0].p;
        for (; kept < r->n && r->items[kept].p >= limit; kept++)
            r->doubtful |= limit > 0 && fabs(r->items[kept].p - limit) < CLOSE * limit;
        r->doubtful |= kept < r->n && fabs(r->items[kept].p - limit) < CLOSE * limit;
    }
    remove_after(r, kept);
}

static void apply_reference(reference *r, tg_stage stage, const tg_sample_request *q,
                            uint32_t vocab)
{
    const tg_list *lists = q->lists;
    switch (stage) {
    case TG_STAGE_logit_bias:
        reference_bias(r, &lists[TG_LIST_logit_bias]);
        return;
    case TG_STAGE_allowed_tokens:
        if (lists[TG_LIST_allowed_tokens].n)
            remove_marked(r, &lists[TG_LIST_allowed_tokens], 0);
        return;
    case TG_STAGE_banned_tokens:
        remove_marked(r, &lists[TG_LIST_banned_tokens], 1);
        return;
    case TG_STAGE_grammar:
        for (uint32_t i = 0; i < r->n && lists[TG_LIST_grammar].n; i++) {
            const int32_t token = r->items[i].token;
            r->items[i].removed =
                !((uint32_t)lists[TG_LIST_grammar].tokens[token / 32] & 1u << token % 32);
        }
        return;
    case TG_STAGE_penalties:
        reference_penalties(r, q);
        return;
    case TG_STAGE_dry:
        reference_dry(r, q);
        return;
    case TG_STAGE_top_n_sigma:
        reference_sigma(r, q->options[TG_OPTION_top_n_sigma]);
        return;
    case TG_STAGE_typ_p:
        reference_typical(r, q->options[TG_OPTION_typical_p]);
        return;
    case TG_STAGE_xtc:
        reference_xtc(r, q);
        return;
    case TG_STAGE_temperature:
        reference_temperature(r, q->options);
        return;
    case TG_STAGE_mirostat:
        reference_mirostat(r, q, vocab);
        return;
    default:
        reference_prefix(r, stage, q->options);
    }
}

/* Returns early when a stage leaves no token, or none with a probability. */
static void run_reference(reference *r, const float *logits, uint32_t vocab,
                          const tg_sample_request *request)
{
    r->n = vocab;
    r->doubtful = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        r->items[i] = (item){.logit = logits[i], .token = (int32_t)i};
        r->removed_by[i] = -1;
        r->p_final[i] = 0;
    }
    renormalize(r);
    r->entropy = entropy_of(r);
    for (uint32_t i = 0; i < vocab; i++)
        r->p[r->items[i].token] = r->items[i].p;
    for (uint32_t s = 0; s < request->n_order; s++) {
        uint32_t kept = 0;
        apply_reference(r, (tg_stage)request->order[s], request, vocab);
        for (uint32_t i = 0; i < r->n; i++) {
            if (r->items[i].removed)
                r->removed_by[r->items[i].token] = (int)s;
            else
                r->items[kept++] = r->items[i];
        }
        r->n = kept;
        renormalize(r);
        if (!r->n || r->items[0].logit == -INFINITY)
            return;
    }
    for (uint32_t i = 0; i < r->n; i++)
        r->p_final[r->items[i].token] = r->items[i].p;
}

#endif
