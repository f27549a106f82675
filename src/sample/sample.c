/* The chain: logits, softmax, the stages in order, the draw, and the trace of all of it. In: logits and a request. Out: a token
 * and a trace, which lives in the sampler until its next call; tg_sampler_free frees everything. */
#include "sample.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../arena.h"
#include "candidates.h"
#include "expd.h"
#include "random.h"

#define VOCAB_LIMIT (1u << 20)

struct tg_sampler {
    uint32_t vocab;
    tg_candidates candidates;
    double *p;          /* vocab: raw softmax, by token id */
    double *final_p;    /* vocab: after the last stage, by token id; survivors only */
    tg_candidate *list; /* vocab: room for the trace's candidates */
    int8_t *fates;      /* vocab: the stage, by its place in the trace, that removed the token; -1: none did */
    tg_trace trace;
};

static const struct stage {
    const char *name;
    tg_stage_apply *apply;
} stages[TG_STAGE_COUNT] = {
#define TG_STAGE(name) {#name, tg_apply_##name},
#include "stages.def"
};

static const struct option {
    const char *name;
    double initial, min, max;
} options[TG_OPTION_COUNT] = {
#define TG_OPTION(stage, name, default_value, min, max) {#name, default_value, min, max},
#include "stages.def"
};

const char *tg_stage_name(tg_stage stage)
{
    return (unsigned)stage < TG_STAGE_COUNT ? stages[stage].name : "unknown";
}

/* one allocation: | sampler | entries | p | final_p | list | fates | */
static tg_sampler *lay_out(tg_arena *arena, uint32_t vocab)
{
    tg_sampler *sampler = tg_arena_take(arena, 1, sizeof *sampler);
    tg_entry *entries = tg_arena_take(arena, vocab, sizeof *entries);
    double *p = tg_arena_take(arena, vocab, sizeof *p);
    double *final_p = tg_arena_take(arena, vocab, sizeof *final_p);
    tg_candidate *list = tg_arena_take(arena, vocab, sizeof *list);
    int8_t *fates = tg_arena_take(arena, vocab, sizeof *fates);
    if (sampler)
        *sampler =
            (tg_sampler){.vocab = vocab, .candidates.entries = entries, .p = p, .final_p = final_p, .list = list, .fates = fates};
    return sampler;
}

size_t tg_sampler_memory(uint32_t vocab)
{
    tg_arena arena = {NULL, 0};
    lay_out(&arena, vocab);
    return (size_t)arena.used;
}

tg_sampler *tg_sampler_new(uint32_t vocab)
{
    if (vocab == 0 || vocab > VOCAB_LIMIT)
        return NULL;
    tg_arena arena = {aligned_alloc(TG_ARENA_ALIGN, tg_sampler_memory(vocab)), 0};
    if (!arena.base)
        return NULL;
    tg_sampler *sampler = lay_out(&arena, vocab);
    memset(sampler->fates, -1, vocab);
    return sampler;
}

void tg_sampler_free(tg_sampler *sampler)
{
    free(sampler);
}

void tg_sample_defaults(tg_sample_request *request)
{
    *request = (tg_sample_request){.n_order = TG_STAGE_COUNT, .top_n = 50};
    for (int i = 0; i < TG_OPTION_COUNT; i++)
        request->options[i] = options[i].initial;
    for (int i = 0; i < TG_STAGE_COUNT; i++)
        request->order[i] = (uint8_t)i;
}

const int8_t *tg_sampler_fates(const tg_sampler *sampler)
{
    return sampler->fates;
}

static tg_status check_request(const tg_sample_request *request, tg_error *error)
{
    for (int i = 0; i < TG_OPTION_COUNT; i++) {
        const struct option *option = &options[i];
        const double value = request->options[i];
        if (!(value >= option->min && value <= option->max)) /* NaN fails both */
            return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "%s is %g; it must be %g to %.10g", option->name, value,
                           option->min, option->max);
        if (option->max == INT32_MAX && value != floor(value))
            return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "%s is %g; it must be a whole number", option->name,
                           value);
    }
    if (request->n_order > TG_STAGE_COUNT)
        return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "%u stages in the order, but there are only %u",
                       (unsigned)request->n_order, (unsigned)TG_STAGE_COUNT);
    for (uint32_t i = 0; i < request->n_order; i++) {
        if (request->order[i] >= TG_STAGE_COUNT)
            return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "stage number %u in the order is unknown",
                           (unsigned)request->order[i]);
        if (memchr(request->order, request->order[i], i))
            return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "stage %s is twice in the order",
                           stages[request->order[i]].name);
    }
    return TG_OK;
}

#define LANES 4 /* sums run in so many parts, so that a compiler can keep them in vectors without changing the result */

static tg_status find_greatest(const float *logits, uint32_t vocab, float *greatest, tg_error *error)
{
    float best[LANES] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    int bad = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        const float x = logits[i];
        bad |= !(x <= FLT_MAX); /* NaN or +infinity */
        best[i % LANES] = x > best[i % LANES] ? x : best[i % LANES];
    }
    for (uint32_t i = 0; bad && i < vocab; i++)
        if (!(logits[i] <= FLT_MAX))
            return tg_fail(error, TG_LOGITS_NOT_FINITE, TG_NO_OFFSET, "the logit of token %u is %g", (unsigned)i,
                           (double)logits[i]);
    *greatest = best[0];
    for (int lane = 1; lane < LANES; lane++)
        if (best[lane] > *greatest)
            *greatest = best[lane];
    if (*greatest == -INFINITY)
        return tg_fail(error, TG_NO_CANDIDATES, TG_NO_OFFSET, "all %u tokens are banned: their logits are -infinity",
                       (unsigned)vocab);
    return TG_OK;
}

/* The raw softmax into p, its entropy (nats) into the trace; returns the log of what it divided by: log p = logit - that. */
static double softmax(const float *logits, uint32_t vocab, double greatest, double *p, double *entropy)
{
    double total[LANES] = {0}, moment[LANES] = {0};
    for (uint32_t i = 0; i < vocab; i++)
        p[i] = tg_expd(logits[i] - greatest);
    for (uint32_t i = 0; i < vocab; i++) {
        const double x = logits[i] - greatest;
        total[i % LANES] += p[i];
        moment[i % LANES] += p[i] * (x < -800.0 ? -800.0 : x); /* p is 0 there: 0 times infinity must be 0 */
    }
    const double sum = (total[0] + total[1]) + (total[2] + total[3]);
    const double inverse = 1 / sum;
    for (uint32_t i = 0; i < vocab; i++)
        p[i] *= inverse;
    *entropy = fmax(0, log(sum) - ((moment[0] + moment[1]) + (moment[2] + moment[3])) * inverse);
    return greatest + log(sum);
}

/* Runs the stages; the accounts (fates, counts, masses) are kept here, so that no stage can get them wrong. */
static void run_stages(tg_sampler *sampler, const tg_sample_request *request)
{
    tg_candidates *candidates = &sampler->candidates;
    tg_trace *trace = &sampler->trace;
    double mass = 1;
    for (uint32_t s = 0; s < request->n_order; s++) {
        tg_stage_trace *account = &trace->stages[s];
        const uint32_t n = candidates->n;
        *account = (tg_stage_trace){.stage = (tg_stage)request->order[s], .mass_before = mass};
        stages[account->stage].apply(candidates, request, account);
        for (uint32_t i = candidates->n; i < n; i++)
            sampler->fates[candidates->entries[i].token] = (int8_t)s;
        if (candidates->n < n) {
            double sum = 0;
            for (uint32_t i = 0; i < candidates->n; i++)
                sum += sampler->p[candidates->entries[i].token];
            mass = fmin(mass, sum); /* rounding must not make it grow */
        }
        account->kept = candidates->n;
        account->removed = n - candidates->n;
        account->mass_after = mass;
    }
    trace->n_stages = request->n_order;
}

/* The top_n most probable by raw logit. It comes after the draw and takes the working set over: it cannot change what was drawn.
 */
static void list_candidates(tg_sampler *sampler, const float *logits, uint32_t top_n)
{
    tg_trace *trace = &sampler->trace;
    const tg_entry *entries = sampler->candidates.entries;
    trace->candidates = sampler->list;
    trace->n_candidates = top_n < sampler->vocab ? top_n : sampler->vocab;
    trace->other = 1;
    if (trace->n_candidates == 0)
        return;
    tg_candidates_fill(&sampler->candidates, logits, sampler->vocab);
    tg_candidates_order(&sampler->candidates, trace->n_candidates);
    for (uint32_t i = 0; i < trace->n_candidates; i++) {
        const int32_t token = entries[i].token;
        const int8_t fate = sampler->fates[token];
        sampler->list[i] = (tg_candidate){.token = token,
                                          .logit = logits[token],
                                          .p = sampler->p[token],
                                          .final_p = fate < 0 ? sampler->final_p[token] : 0,
                                          .removed_by = fate};
    }
    trace->other = 0; /* added up, not inferred: the honest mass is a finding */
    for (uint32_t i = trace->n_candidates; i < sampler->vocab; i++)
        trace->other += sampler->p[entries[i].token];
}

tg_status tg_sample(tg_sampler *sampler, const float *logits, const tg_sample_request *request, const tg_trace **out,
                    tg_error *error)
{
    tg_trace *trace = &sampler->trace;
    float greatest;
    *out = NULL;
    tg_status status = check_request(request, error);
    if (status == TG_OK)
        status = find_greatest(logits, sampler->vocab, &greatest, error);
    if (status != TG_OK)
        return status;

    trace->vocab = sampler->vocab;
    const double log_total = softmax(logits, sampler->vocab, greatest, sampler->p, &trace->entropy);
    tg_candidates_fill(&sampler->candidates, logits, sampler->vocab);
    memset(sampler->fates, -1, sampler->vocab);
    run_stages(sampler, request);
    tg_draw(&sampler->candidates, tg_random(request->seed, request->position, request->stream), sampler->final_p, trace);
    trace->logit = logits[trace->token];
    trace->logprob = trace->logit - log_total;
    list_candidates(sampler, logits, request->top_n);
    *out = trace;
    return TG_OK;
}
