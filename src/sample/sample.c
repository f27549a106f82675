/* Runs the chain: softmax of the logits, the stages in order, the draw, and the trace. */
#include "sample.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "candidates.h"
#include "expd.h"
#include "random.h"

#define VOCAB_LIMIT (1u << 20)
#define CTX_LIMIT   (1u << 24)

struct tg_sampler {
    uint32_t vocab, n_ctx;
    tg_candidates candidates;
    double *p;         /* [vocab] raw softmax, by token id */
    double *p_final;   /* [vocab] after the last stage, by token id; survivors only */
    tg_candidate *top; /* [vocab] the trace's candidates */
    /* [vocab] index in the trace of the stage that removed the token; -1: it survived */
    int8_t *removed_by;
    tg_trace trace;
};

static const struct stage {
    const char *name;
    tgi_stage_apply *apply;
} stages[TG_STAGE_COUNT] = {
#define TG_STAGE(name, chain) {#name, tgi_apply_##name},
#include "stages.def"
};

static const struct option {
    const char *name;
    double initial, min, max;
    bool whole;
} options[TG_OPTION_COUNT] = {
#define TG_OPTION(stage, name_, meaning, ...) {.name = #name_, __VA_ARGS__},
#include "stages.def"
};

static const char *const list_names[TG_LIST_COUNT] = {
#define TG_LIST(stage, name) #name,
#include "stages.def"
};

enum { LISTED, USUAL, ALWAYS, MIROSTAT };
static const uint8_t chains[TG_STAGE_COUNT] = {
#define TG_STAGE(name, chain) chain,
#include "stages.def"
};

const char *tg_stage_name(tg_stage stage)
{
    return (unsigned)stage < TG_STAGE_COUNT ? stages[stage].name : "unknown";
}

/* One allocation: | sampler | entries | p | p_final | top | removed_by | marks | lengths | */
static tg_sampler *layout(tg_arena *arena, uint32_t vocab, uint32_t n_ctx)
{
    tg_sampler *sampler = tgi_arena_alloc(arena, 1, sizeof *sampler);
    tg_entry *entries = tgi_arena_alloc(arena, vocab, sizeof *entries);
    double *p = tgi_arena_alloc(arena, vocab, sizeof *p);
    double *p_final = tgi_arena_alloc(arena, vocab, sizeof *p_final);
    tg_candidate *top = tgi_arena_alloc(arena, vocab, sizeof *top);
    int8_t *removed_by = tgi_arena_alloc(arena, vocab, sizeof *removed_by);
    uint32_t *marks = tgi_arena_alloc(arena, vocab, sizeof *marks);
    uint32_t *lengths = tgi_arena_alloc(arena, n_ctx, sizeof *lengths);
    if (sampler) {
        memset(removed_by, -1, vocab);
        memset(marks, 0, vocab * sizeof *marks);
        *sampler = (tg_sampler){.vocab = vocab,
                                .n_ctx = n_ctx,
                                .p = p,
                                .p_final = p_final,
                                .top = top,
                                .removed_by = removed_by};
        /* p_final is free as scratch before the draw */
        sampler->candidates = (tg_candidates){entries, vocab, vocab, 0, marks, p_final, lengths};
    }
    return sampler;
}

size_t tgi_sampler_memory(uint32_t vocab, uint32_t n_ctx)
{
    tg_arena arena = {NULL, 0};
    layout(&arena, vocab, n_ctx);
    return (size_t)arena.used;
}

tg_sampler *tgi_sampler_new(uint32_t vocab, uint32_t n_ctx)
{
    if (vocab == 0 || vocab > VOCAB_LIMIT || n_ctx > CTX_LIMIT)
        return NULL;
    tg_arena arena = {aligned_alloc(TG_ARENA_ALIGN, tgi_sampler_memory(vocab, n_ctx)), 0};
    return arena.base ? layout(&arena, vocab, n_ctx) : NULL;
}

void tgi_sampler_free(tg_sampler *sampler)
{
    free(sampler);
}

void tg_sample_defaults(tg_sample_request *request)
{
    *request = (tg_sample_request){.mu = NAN, .top_n = 50};
    for (int i = 0; i < TG_OPTION_COUNT; i++)
        request->options[i] = options[i].initial;
    for (int i = 0; i < TG_STAGE_COUNT; i++)
        if (chains[i] == USUAL || chains[i] == ALWAYS)
            request->order[request->n_order++] = (uint8_t)i;
}

const int8_t *tg_sampler_removed_by(const tg_sampler *sampler)
{
    return sampler->removed_by;
}

const double *tg_sampler_p(const tg_sampler *sampler)
{
    return sampler->p;
}

const double *tg_sampler_p_final(const tg_sampler *sampler)
{
    return sampler->p_final;
}

static tg_status check_token(const tg_sampler *sampler, int32_t token, const char *where,
                             uint32_t position, tg_error *error)
{
    if (token >= 0 && (uint32_t)token < sampler->vocab)
        return TG_OK;
    return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                    "%s has token %d at %u; the vocabulary has %u", where, (int)token,
                    (unsigned)position, (unsigned)sampler->vocab);
}

/* Checks what the stages assume about lists and context. */
static tg_status check_tokens(const tg_sampler *sampler, const tg_sample_request *request,
                              tg_error *error)
{
    tg_status status = TG_OK;
    if (request->n_context > sampler->n_ctx)
        return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                        "a context of %u tokens; the sampler was made for %u",
                        (unsigned)request->n_context, (unsigned)sampler->n_ctx);
    for (uint32_t i = 0; i < request->n_context && !status; i++)
        status = check_token(sampler, request->context[i], "the context", i, error);
    for (int name = 0; name < TG_LIST_COUNT; name++) {
        const tg_list *list = &request->lists[name];
        if (name == TG_LIST_grammar) {
            if (list->n && list->n != (sampler->vocab + 31) / 32)
                return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                                "grammar has %u words of bits for %u tokens", (unsigned)list->n,
                                (unsigned)sampler->vocab);
            continue;
        }
        for (uint32_t i = 0; i < list->n && !status; i++) {
            if (name == TG_LIST_dry_sequence_breakers) {
                const int32_t length = list->tokens[i];
                if (length < 1 || (uint32_t)length >= list->n - i)
                    return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                                    "%s: a sequence of %d tokens at %u", list_names[name],
                                    (int)length, (unsigned)i);
                for (const uint32_t end = i + (uint32_t)length; i < end && !status;) {
                    ++i;
                    status = check_token(sampler, list->tokens[i], list_names[name], i, error);
                }
            } else {
                status = check_token(sampler, list->tokens[i], list_names[name], i, error);
            }
            if (name == TG_LIST_logit_bias && !status && !(list->values[i] <= FLT_MAX))
                return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                                "logit_bias of token %d is %g", (int)list->tokens[i],
                                (double)list->values[i]);
        }
    }
    return status;
}

static tg_status check_request(const tg_sample_request *request, tg_error *error)
{
    for (int i = 0; i < TG_OPTION_COUNT; i++) {
        const struct option *option = &options[i];
        const double value = request->options[i];
        if (!(value >= option->min && value <= option->max)) /* NaN fails both */
            return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                            "%s is %g; it must be %g to %.10g", option->name, value, option->min,
                            option->max);
        if (option->whole && value != floor(value))
            return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                            "%s is %g; it must be an integer", option->name, value);
    }
    if (request->n_order > TG_STAGE_COUNT)
        return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                        "%u stages in the order, but there are only %u", (unsigned)request->n_order,
                        (unsigned)TG_STAGE_COUNT);
    for (uint32_t i = 0; i < request->n_order; i++) {
        if (request->order[i] >= TG_STAGE_COUNT)
            return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                            "stage number %u in the order is unknown", (unsigned)request->order[i]);
        if (memchr(request->order, request->order[i], i))
            return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                            "stage %s is twice in the order", stages[request->order[i]].name);
    }
    return TG_OK;
}

#define BLOCK 1024u
#define LANES 4 /* sums have 4 parts, so that vector code gives the same result */

/* The highest logit; an error if a logit is NaN or +infinity or all are -infinity. */
static tg_status find_max(const float *logits, uint32_t vocab, float *max, tg_error *error)
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
            return tgi_fail(error, TG_LOGITS_NOT_FINITE, TG_NO_OFFSET,
                            "the logit of token %u is %g", (unsigned)i, (double)logits[i]);
    *max = best[0];
    for (int lane = 1; lane < LANES; lane++)
        if (best[lane] > *max)
            *max = best[lane];
    if (*max == -INFINITY)
        return tgi_fail(error, TG_NO_CANDIDATES, TG_NO_OFFSET,
                        "all %u tokens are banned: their logits are -infinity", (unsigned)vocab);
    return TG_OK;
}

/* Writes the raw softmax to p and its entropy, in nats. Returns the log of the denominator:
 * log p = logit - this. Sums have blocks, so that the rounding error does not grow with the
 * vocabulary. */
static double softmax(const float *logits, uint32_t vocab, double max, double *p, double *entropy)
{
    double sum = 0, moments = 0;
    for (uint32_t i = 0; i < vocab; i++)
        p[i] = tgi_expd(logits[i] - max);
    for (uint32_t i = 0; i < vocab;) {
        const uint32_t end = vocab - i < BLOCK ? vocab : i + BLOCK;
        double total[LANES] = {0}, moment[LANES] = {0};
        for (; i < end; i++) {
            const double x = logits[i] - max;
            total[i % LANES] += p[i];
            /* p is 0 below -800; the bound makes 0 times -infinity 0 */
            moment[i % LANES] += p[i] * (x < -800.0 ? -800.0 : x);
        }
        sum += (total[0] + total[1]) + (total[2] + total[3]);
        moments += (moment[0] + moment[1]) + (moment[2] + moment[3]);
    }
    const double inverse = 1 / sum;
    for (uint32_t i = 0; i < vocab; i++)
        p[i] *= inverse;
    *entropy = fmax(0, log(sum) - moments * inverse);
    return max + log(sum);
}

/* Writes the survivors' probabilities to after [vocab]. same: they are those after the stage
 * before, which has its probabilities before them in memory. */
static void write_after(const tg_sampler *sampler, double *after, bool same)
{
    if (same) {
        memcpy(after, after - sampler->vocab, sampler->vocab * sizeof *after);
    } else {
        memset(after, 0, sampler->vocab * sizeof *after);
        tgi_candidates_softmax(&sampler->candidates, after);
    }
}

/* Runs the stages. Counts, masses and removed_by are set here, so that no stage can get them
 * wrong. */
static tg_status run_stages(tg_sampler *sampler, const tg_sample_request *request, tg_error *error)
{
    tg_candidates *candidates = &sampler->candidates;
    tg_trace *trace = &sampler->trace;
    double mass = 1;
    for (uint32_t s = 0; s < request->n_order; s++) {
        tg_stage_trace *stage_trace = &trace->stages[s];
        const uint32_t n = candidates->n;
        *stage_trace = (tg_stage_trace){
            .stage = (tg_stage)request->order[s], .mass_before = mass, .coin = NAN};
        stages[stage_trace->stage].apply(candidates, request, stage_trace);
        const bool off = !stage_trace->reason[0];
        if (off)
            snprintf(stage_trace->reason, sizeof stage_trace->reason, "%s: off",
                     stages[stage_trace->stage].name);
        for (uint32_t i = candidates->n; i < n; i++)
            sampler->removed_by[candidates->entries[i].token] = (int8_t)s;
        if (candidates->n < n) {
            if (!candidates->n || tgi_candidates_max(candidates) == -INFINITY)
                return tgi_fail(error, TG_NO_CANDIDATES, TG_NO_OFFSET,
                                "%s leaves no token that can be drawn, of %u",
                                stages[stage_trace->stage].name, (unsigned)n);
            double sum = 0;
            for (uint32_t i = 0; i < candidates->n; i++)
                sum += sampler->p[candidates->entries[i].token];
            mass = fmin(mass, sum); /* rounding must not make it grow */
        }
        stage_trace->kept = candidates->n;
        stage_trace->removed = n - candidates->n;
        stage_trace->mass_after = mass;
        if (request->after)
            write_after(sampler, request->after + (size_t)s * sampler->vocab, s && off);
    }
    trace->n_stages = request->n_order;
    return TG_OK;
}

/* Sums in blocks, so that the rounding error does not grow with n. */
static double sum_of(const double *p, uint32_t n)
{
    double sum = 0;
    for (uint32_t at = 0; at < n;) {
        const uint32_t end = n - at < BLOCK ? n : at + BLOCK;
        double part[LANES] = {0};
        for (; at < end; at++)
            part[at % LANES] += p[at];
        sum += (part[0] + part[1]) + (part[2] + part[3]);
    }
    return sum;
}

/* Lists the top_n tokens with the highest raw logits in the trace. It runs after the draw and
 * reuses the working set's memory, so that it cannot change the draw. */
static void list_candidates(tg_sampler *sampler, const float *logits, uint32_t top_n)
{
    tg_trace *trace = &sampler->trace;
    const tg_entry *entries = sampler->candidates.entries;
    trace->candidates = sampler->top;
    trace->n_candidates =
        tgi_top_logits(logits, sampler->vocab, top_n, sampler->candidates.entries);
    for (uint32_t i = 0; i < trace->n_candidates; i++) {
        const int32_t token = entries[i].token;
        const int8_t removed_by = sampler->removed_by[token];
        sampler->top[i] = (tg_candidate){.token = token,
                                         .logit = logits[token],
                                         .p = sampler->p[token],
                                         .p_final = removed_by < 0 ? sampler->p_final[token] : 0,
                                         .removed_by = removed_by};
        sampler->p[token] = 0; /* so that the sum has only the others */
    }
    trace->other = sum_of(sampler->p, sampler->vocab); /* added up, not 1 minus the listed */
    for (uint32_t i = 0; i < trace->n_candidates; i++)
        sampler->p[sampler->top[i].token] = sampler->top[i].p;
}

tg_status tgi_sample(tg_sampler *sampler, const float *logits, const tg_sample_request *request,
                     const tg_trace **out, tg_error *error)
{
    tg_trace *trace = &sampler->trace;
    float max;
    *out = NULL;
    tg_status status = check_request(request, error);
    if (status == TG_OK)
        status = check_tokens(sampler, request, error);
    if (status == TG_OK)
        status = find_max(logits, sampler->vocab, &max, error);
    if (status != TG_OK)
        return status;

    trace->vocab = sampler->vocab;
    const double log_total = softmax(logits, sampler->vocab, max, sampler->p, &trace->entropy);
    tgi_candidates_fill(&sampler->candidates, logits);
    memset(sampler->removed_by, -1, sampler->vocab);
    status = run_stages(sampler, request, error);
    if (status != TG_OK)
        return status;
    tgi_draw(&sampler->candidates,
             tgi_random(request->seed, request->position, request->sample_index), sampler->p_final,
             trace);
    trace->logit = logits[trace->token];
    trace->logprob = trace->logit - log_total;
    trace->rank = 0;
    for (uint32_t i = 0; i < sampler->vocab; i++)
        trace->rank += logits[i] > trace->logit;
    trace->mu = request->mu;
    if (request->options[TG_OPTION_mirostat] > 0 &&
        memchr(request->order, TG_STAGE_mirostat, request->n_order))
        trace->mu = tgi_mirostat_next(request, trace->p_final);
    list_candidates(sampler, logits, request->top_n);
    *out = trace;
    return TG_OK;
}

uint32_t tgi_sampler_top(tg_sampler *sampler, const float *logits, uint32_t k, tg_top *out)
{
    const tg_entry *entries = sampler->candidates.entries;
    const uint32_t n = tgi_top_logits(logits, sampler->vocab, k, sampler->candidates.entries);
    for (uint32_t i = 0; i < n; i++)
        out[i] = (tg_top){entries[i].token, (float)entries[i].logit};
    return n;
}
