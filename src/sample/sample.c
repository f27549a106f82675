/* In: logits and a request. Out: a token and the trace of how it was chosen, in the sampler's one allocation. */
#include "sample.h"
#include "candidates.h"
#include "expd.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tg_sampler {
    uint32_t vocab;
    /* [vocab] each */
    tg_candidate *listed;
    tg_item *items;
    tg_item *order; /* for the list: so that looking does not change the order in which the stages see the survivors */
    float *work;    /* by token: the survivors' logits after the last stage */
    int8_t *fates;
    tg_trace trace;
};

static const struct {
    const char *name;
    tg_stage_fn *run;
} stages[TG_STAGE_COUNT] = {
#define TG_STAGE(name) {#name, tg_stage_##name},
#include "stages.def"
};

static const struct {
    const char *name;
    double default_value, min, max;
} options[TG_OPTION_COUNT] = {
#define TG_OPTION(stage, name, default_value, min, max) {#name, (default_value), (min), (max)},
#include "stages.def"
};

#define PER_TOKEN (sizeof(tg_candidate) + 2 * sizeof(tg_item) + sizeof(float) + sizeof(int8_t))

size_t tg_sampler_memory(uint32_t vocab)
{
    return sizeof(tg_sampler) + vocab * PER_TOKEN;
}

tg_sampler *tg_sampler_new(uint32_t vocab)
{
    tg_sampler *s = malloc(tg_sampler_memory(vocab));
    if (!s)
        return NULL;
    s->vocab = vocab;
    s->listed = (tg_candidate *)(s + 1);
    s->items = (tg_item *)(s->listed + vocab);
    s->order = s->items + vocab;
    s->work = (float *)(s->order + vocab);
    s->fates = (int8_t *)(s->work + vocab);
    memset(s->fates, -1, vocab);
    return s;
}

void tg_sampler_free(tg_sampler *sampler)
{
    free(sampler);
}

const int8_t *tg_sampler_fates(const tg_sampler *sampler)
{
    return sampler->fates;
}

const char *tg_stage_name(tg_stage stage)
{
    return stage < TG_STAGE_COUNT ? stages[stage].name : "unknown";
}

void tg_sample_defaults(tg_sample_request *request)
{
    memset(request, 0, sizeof *request);
    for (int i = 0; i < TG_OPTION_COUNT; i++)
        request->options[i] = options[i].default_value;
    for (int i = 0; i < TG_STAGE_COUNT; i++)
        request->order[i] = (uint8_t)i;
    request->n_order = TG_STAGE_COUNT;
    request->top_n = 50;
}

static tg_status check_request(const tg_sample_request *request, tg_error *error)
{
    unsigned seen = 0;
    for (int i = 0; i < TG_OPTION_COUNT; i++)
        if (!(request->options[i] >= options[i].min && request->options[i] <= options[i].max))
            return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "%s is %g; it must be %g to %g", options[i].name,
                           request->options[i], options[i].min, options[i].max);
    if (request->options[TG_OPTION_top_k] != floor(request->options[TG_OPTION_top_k]))
        return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "top_k is %g; it must be a whole number",
                       request->options[TG_OPTION_top_k]);
    if (request->n_order > TG_STAGE_COUNT)
        return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "%u stages; there are %d", (unsigned)request->n_order,
                       TG_STAGE_COUNT);
    for (uint32_t i = 0; i < request->n_order; i++) {
        const unsigned stage = request->order[i];
        if (stage >= TG_STAGE_COUNT || seen >> stage & 1)
            return tg_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET, "stage %u (%s) is unknown or stands twice", stage,
                           tg_stage_name((tg_stage)stage));
        seen |= 1u << stage;
    }
    return TG_OK;
}

/* What the raw distribution is measured by: p = exp(logit - most) / sum. */
typedef struct raw {
    const float *logits;
    float most;
    double sum;
} raw;

static double raw_p(const raw *r, int32_t token)
{
    return tg_expd((double)r->logits[token] - r->most) / r->sum;
}

static tg_status measure(tg_sampler *s, const float *logits, raw *out, tg_error *error)
{
    float most = -INFINITY;
    double sum = 0, weighted = 0;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < s->vocab; i++) {
        bad |= !(logits[i] < INFINITY); /* NaN, too */
        most = logits[i] > most ? logits[i] : most;
    }
    for (uint32_t i = 0; bad && i < s->vocab; i++)
        if (!(logits[i] < INFINITY))
            return tg_fail(error, TG_LOGITS_NOT_FINITE, TG_NO_OFFSET, "the logit of token %u is %f", (unsigned)i,
                           (double)logits[i]);
    if (most == -INFINITY)
        return tg_fail(error, TG_NO_CANDIDATES, TG_NO_OFFSET, "all %u logits are -infinity", (unsigned)s->vocab);
    for (uint32_t i = 0; i < s->vocab; i++) {
        const double below = (double)logits[i] - most, e = tg_expd(below);
        sum += e;
        weighted += e > 0 ? e * below : 0;
    }
    *out = (raw){logits, most, sum};
    s->trace.entropy = log(sum) - weighted / sum; /* -sum p log p, with log p = below - log sum */
    return TG_OK;
}

/* Runs the stages and notes, for every token that one removed, which it was. */
static void run_stages(tg_sampler *s, const tg_sample_request *request, const raw *r, tg_candidates *c)
{
    double mass = 1;
    for (uint32_t i = 0; i < request->n_order; i++) {
        const uint32_t before = c->n;
        tg_stage_trace *t = &s->trace.stages[i];
        *t = (tg_stage_trace){.stage = (tg_stage)request->order[i], .mass_before = mass};
        stages[t->stage].run(c, request->options, t);
        if (c->sorted > c->n)
            c->sorted = c->n;
        t->kept = c->n;
        t->removed = before - c->n;
        /* the smaller part is summed */
        double part = 0;
        const uint32_t from = t->kept < t->removed ? 0 : c->n, upto = t->kept < t->removed ? c->n : before;
        for (uint32_t k = from; k < upto; k++)
            part += raw_p(r, c->items[k].token);
        if (t->removed)
            mass = from ? mass - part : part;
        t->mass_after = mass;
        for (uint32_t k = c->n; k < before; k++)
            s->fates[c->items[k].token] = (int8_t)i;
    }
    s->trace.n_stages = request->n_order;
}

/* The survivor in whose interval u falls: survivors in descending probability, cumulated. One of probability 0 is never drawn;
 * the last takes what rounding left of 1. */
static int32_t draw(tg_candidates *c, float most, double sum, double u, tg_trace *trace)
{
    double low = 0;
    for (uint32_t i = 0;; i++) {
        tg_candidates_order(c, i + 1);
        const double p = tg_expd((double)c->items[i].logit - most) / sum;
        bool last = i + 1 == c->n;
        if (!last) {
            tg_candidates_order(c, i + 2);
            last = tg_expd((double)c->items[i + 1].logit - most) == 0;
        }
        if (last || u < low + p) {
            trace->low = low;
            trace->high = last ? 1 : low + p;
            trace->p_final = p;
            return c->items[i].token;
        }
        low += p;
    }
}

/* The n most probable tokens with what became of them. */
static void list(tg_sampler *s, uint32_t n, const raw *r, float most, double sum)
{
    for (uint32_t i = 0; n && i < s->vocab; i++)
        s->order[i] = (tg_item){(int32_t)i, r->logits[i]};
    if (n)
        tg_items_select(s->order, s->vocab, n);
    for (uint32_t i = 0; i < n; i++) {
        const int32_t token = s->order[i].token, fate = s->fates[token];
        s->listed[i] = (tg_candidate){token, r->logits[token], raw_p(r, token),
                                      fate < 0 ? tg_expd((double)s->work[token] - most) / sum : 0, fate};
    }
    s->trace.candidates = s->listed;
    s->trace.n_candidates = n;
    /* what is not listed is summed by itself, so that it is honest also when it is tiny */
    double other = 0;
    for (uint32_t i = n; n && i < s->vocab; i++)
        other += raw_p(r, s->order[i].token);
    s->trace.other = n ? other : 1;
}

tg_status tg_sample(tg_sampler *s, const float *logits, const tg_sample_request *request, const tg_trace **trace, tg_error *error)
{
    raw r;
    tg_status status = check_request(request, error);
    if (!status)
        status = measure(s, logits, &r, error);
    if (status)
        return status;
    tg_candidates c = {s->items, s->vocab, 0};
    for (uint32_t i = 0; i < s->vocab; i++)
        s->items[i] = (tg_item){(int32_t)i, logits[i]};
    memset(s->fates, -1, s->vocab);
    run_stages(s, request, &r, &c);

    const float most = tg_candidates_most(&c);
    const double sum = tg_candidates_sum(&c, most);
    s->trace.vocab = s->vocab;
    s->trace.u = tg_random(request->seed, request->position, request->stream);
    s->trace.token = draw(&c, most, sum, s->trace.u, &s->trace);
    s->trace.logit = logits[s->trace.token];
    s->trace.logprob = (double)s->trace.logit - r.most - log(r.sum);
    if (request->top_n)
        for (uint32_t i = 0; i < c.n; i++)
            s->work[c.items[i].token] = c.items[i].logit;
    list(s, request->top_n < s->vocab ? request->top_n : s->vocab, &r, most, sum);
    *trace = &s->trace;
    return TG_OK;
}
