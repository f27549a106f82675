/* Random chains of stages over random distributions, held to a plain reference in double precision: softmax by libm, a full sort
 * before every stage. In: nothing. Out: passed and failed checks. Needs only the C library. */
#include <math.h>
#include <stdlib.h>

#include "../../src/sample/random.h"
#include "../../src/sample/sample.h"
#include "random.h"
#include "test.h"

#define CLOSE 1e-9 /* how near a border the reference calls a decision a matter of rounding */

typedef struct item {
    double logit, share;
    int32_t token;
} item;

typedef struct reference {
    item *items; /* survivors, in order */
    uint32_t n;
    double *p, *final_p; /* by token */
    int *fates;
    double entropy;
    int doubtful; /* a decision hung on less than CLOSE */
} reference;

static int by_order(const void *left, const void *right)
{
    const item *a = left, *b = right;
    if (a->logit != b->logit)
        return a->logit > b->logit ? -1 : 1;
    return a->token < b->token ? -1 : 1;
}

/* sorts the survivors and gives each its share */
static void settle(reference *r)
{
    double total = 0;
    qsort(r->items, r->n, sizeof *r->items, by_order);
    for (uint32_t i = 0; i < r->n; i++)
        total += r->items[i].share = exp(r->items[i].logit - r->items[0].logit);
    for (uint32_t i = 0; i < r->n; i++)
        r->items[i].share /= total;
}

static uint32_t survivors(reference *r, tg_stage stage, const double *options)
{
    uint32_t kept = 1;
    switch (stage) {
    case TG_STAGE_top_k: {
        const double k = options[TG_OPTION_top_k];
        return k == 0 || k > r->n ? r->n : (uint32_t)k;
    }
    case TG_STAGE_top_p: {
        const double p = options[TG_OPTION_top_p];
        double mass = r->items[0].share;
        if (p >= 1)
            return r->n;
        for (;; mass += r->items[kept++].share) {
            r->doubtful |= fabs(mass - p) < CLOSE;
            if (mass >= p || kept == r->n)
                return kept;
        }
    }
    case TG_STAGE_min_p: {
        const double least = options[TG_OPTION_min_p] * r->items[0].share;
        if (least == 0)
            return r->n;
        for (; kept < r->n; kept++) {
            r->doubtful |= fabs(r->items[kept].share - least) < CLOSE * least;
            if (r->items[kept].share < least)
                break;
        }
        return kept;
    }
    default: {
        const double t = options[TG_OPTION_temperature];
        if (t == 0)
            return 1;
        for (uint32_t i = 0; i < r->n; i++)
            r->items[i].logit /= t;
        return r->n;
    }
    }
}

static void run_reference(reference *r, const float *logits, uint32_t vocab, const tg_sample_request *request)
{
    r->n = vocab;
    r->doubtful = 0;
    r->entropy = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        r->items[i] = (item){.logit = logits[i], .token = (int32_t)i};
        r->fates[i] = -1;
        r->final_p[i] = 0;
    }
    settle(r);
    for (uint32_t i = 0; i < vocab; i++) {
        const double p = r->p[r->items[i].token] = r->items[i].share;
        r->entropy -= p > 0 ? p * log(p) : 0;
    }
    for (uint32_t s = 0; s < request->n_order; s++) {
        const uint32_t kept = survivors(r, (tg_stage)request->order[s], request->options);
        for (uint32_t i = kept; i < r->n; i++)
            r->fates[r->items[i].token] = (int)s;
        r->n = kept;
        settle(r);
    }
    for (uint32_t i = 0; i < r->n; i++)
        r->final_p[r->items[i].token] = r->items[i].share;
}

static int is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9;
}

/* the token whose interval holds u, by the reference; -1 when u is too near a border to tell */
static int32_t reference_draw(const reference *r, double u, double *low, double *high)
{
    for (uint32_t i = 0; i < r->n; i++) {
        *low = i ? *high : 0;
        *high = *low + r->items[i].share;
        if (fabs(*high - u) < CLOSE)
            return -1;
        if (u < *high)
            return r->items[i].token;
    }
    return -1;
}

/* Invariants 1 and 3 on a full trace: mass and removals, token by token. */
static void check_accounts(const tg_trace *trace, const int8_t *fates, const reference *r, uint32_t vocab)
{
    double listed = 0, entering = 1;
    uint32_t before = vocab;
    for (uint32_t i = 0; i < trace->n_candidates; i++) {
        const tg_candidate *c = &trace->candidates[i];
        listed += c->p;
        CHECK(fabs(c->p - r->p[c->token]) <= 1e-12, "p of %d: %.17g, not %.17g", (int)c->token, c->p, r->p[c->token]);
        CHECK(fabs(c->p - r->p[c->token]) <= 1e-9 * r->p[c->token] + 1e-290, "p of %d: %g, not %g", (int)c->token, c->p,
              r->p[c->token]);
        CHECK(c->removed_by == fates[c->token]);
        CHECK(i == 0 || c[-1].logit > c->logit || (c[-1].logit == c->logit && c[-1].token < c->token), "the list's order");
    }
    CHECK(trace->n_candidates == vocab && fabs(listed + trace->other - 1) < 1e-12, "%.17g", listed + trace->other);
    for (uint32_t s = 0; s < trace->n_stages; s++) {
        const tg_stage_trace *stage = &trace->stages[s];
        double mass = 0;
        uint32_t kept = 0, removed = 0;
        for (uint32_t i = 0; i < vocab; i++) {
            removed += fates[i] == (int)s;
            if (fates[i] < 0 || fates[i] > (int)s) {
                kept++;
                mass += r->p[i];
            }
        }
        CHECK(stage->kept == kept && stage->removed == removed && kept + removed == before, "stage %d", (int)s);
        CHECK(is_near(stage->mass_before, entering) && is_near(stage->mass_after, mass), "stage %d", (int)s);
        CHECK(stage->mass_after <= stage->mass_before && stage->mass_after >= 0);
        CHECK(stage->reason[0] && memchr(stage->reason, 0, sizeof stage->reason));
        entering = mass;
        before = kept;
    }
}

static void check_same(const tg_trace *a, const tg_trace *b)
{
    CHECK(a->token == b->token && a->n_stages == b->n_stages);
    CHECK(!memcmp(&a->u, &b->u, sizeof a->u) && !memcmp(&a->low, &b->low, sizeof a->low));
    CHECK(!memcmp(&a->high, &b->high, sizeof a->high) && !memcmp(&a->p_final, &b->p_final, sizeof a->p_final));
    CHECK(!memcmp(&a->logprob, &b->logprob, sizeof a->logprob) && !memcmp(&a->entropy, &b->entropy, sizeof a->entropy));
    for (uint32_t s = 0; s < a->n_stages && s < b->n_stages; s++) {
        const tg_stage_trace *x = &a->stages[s], *y = &b->stages[s];
        CHECK(x->stage == y->stage && x->kept == y->kept && x->removed == y->removed && x->threshold == y->threshold);
        CHECK(x->mass_before == y->mass_before && x->mass_after == y->mass_after && !strcmp(x->reason, y->reason));
    }
}

static void fill_logits(float *logits, uint32_t vocab, test_random *random)
{
    const uint32_t kind = random_u32(random) % 9;
    const float scale = (float)exp(4 * random_unit(random) - 1);
    for (uint32_t i = 0; i < vocab; i++) {
        const float x = random_gauss(random) * scale;
        logits[i] = kind == 0   ? 1.5f                                     /* all equal */
                    : kind == 1 ? floorf(x)                                /* many ties */
                    : kind == 2 ? (float)i * 0.01f                         /* ascending */
                    : kind == 3 ? -(float)i * 0.01f                        /* descending */
                    : kind == 4 ? (random_u32(random) % 3 ? x : -INFINITY) /* bans */
                                : x;
    }
    if (kind == 5)
        logits[random_u32(random) % vocab] = 60; /* as good as certain */
    if (kind == 4)
        logits[random_u32(random) % vocab] = 0;
}

static void random_request(tg_sample_request *request, test_random *random, uint32_t vocab)
{
    tg_sample_defaults(request);
    for (uint32_t i = TG_STAGE_COUNT - 1; i > 0; i--) {
        const uint32_t j = random_u32(random) % (i + 1);
        const uint8_t t = request->order[i];
        request->order[i] = request->order[j];
        request->order[j] = t;
    }
    request->n_order = random_u32(random) % (TG_STAGE_COUNT + 1);
    const uint32_t dice = random_u32(random);
    request->options[TG_OPTION_top_k] = dice & 1 ? random_u32(random) % (vocab + 2) : random_u32(random) % 60;
    request->options[TG_OPTION_top_p] = dice & 14 ? random_unit(random) : dice & 16;
    request->options[TG_OPTION_top_p] = request->options[TG_OPTION_top_p] > 1 ? 1 : request->options[TG_OPTION_top_p];
    request->options[TG_OPTION_min_p] = dice & 96 ? pow(10, -6 * random_unit(random)) : 0;
    request->options[TG_OPTION_temperature] = dice & 896 ? pow(10, 6 * random_unit(random) - 3) : 0;
    request->seed = (uint64_t)random_u32(random) << 32 | random_u32(random);
    request->position = random_u32(random);
}

/* `times` random chains over one vocabulary; returns how many hung on rounding and were not compared */
static int run_chains(uint32_t vocab, int times, uint64_t seed)
{
    test_random random = {seed};
    tg_sampler *sampler = tg_sampler_new(vocab);
    float *logits = malloc(vocab * sizeof *logits);
    reference r = {.items = malloc(vocab * sizeof *r.items),
                   .p = malloc(vocab * sizeof *r.p),
                   .final_p = malloc(vocab * sizeof *r.final_p),
                   .fates = malloc(vocab * sizeof *r.fates)};
    int doubtful = 0;
    for (int time = 0; time < times; time++) {
        tg_sample_request request;
        const tg_trace *trace = NULL;
        tg_error error = {0};
        fill_logits(logits, vocab, &random);
        random_request(&request, &random, vocab);
        run_reference(&r, logits, vocab, &request);

        request.top_n = 0;
        CHECK(tg_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        CHECK(trace->n_candidates == 0);
        const tg_trace unseen = *trace;
        request.top_n = 50;
        CHECK(tg_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        check_same(trace, &unseen);
        double listed = trace->other;
        for (uint32_t i = 0; i < trace->n_candidates; i++)
            listed += trace->candidates[i].p;
        CHECK(fabs(listed - 1) < 1e-12, "%.17g", listed);
        request.top_n = UINT32_MAX;
        CHECK(tg_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        check_same(trace, &unseen);

        const int8_t *fates = tg_sampler_fates(sampler);
        check_accounts(trace, fates, &r, vocab);
        CHECK(fabs(trace->entropy - r.entropy) < 1e-9 && trace->entropy >= 0, "%g, not %g", trace->entropy, r.entropy);
        CHECK(trace->low <= trace->u && trace->u < trace->high && trace->high <= 1);
        CHECK(trace->p_final > 0 && fates[trace->token] == -1);
        if (r.doubtful) {
            doubtful++;
            continue;
        }
        int wrong_fates = 0;
        double distance = 0;
        for (uint32_t i = 0; i < trace->n_candidates; i++) {
            const tg_candidate *c = &trace->candidates[i];
            wrong_fates += c->removed_by != r.fates[c->token];
            distance = fmax(distance, fabs(c->final_p - r.final_p[c->token]));
        }
        CHECK(wrong_fates == 0, "vocab %u, chain %d: %d fates differ", (unsigned)vocab, time, wrong_fates);
        CHECK(distance <= 1e-9, "vocab %u, chain %d: final p is off by %g", (unsigned)vocab, time, distance);
        double low = 0, high = 0;
        const int32_t token = reference_draw(&r, trace->u, &low, &high);
        if (token >= 0) {
            CHECK(trace->token == token, "vocab %u, chain %d: %d, not %d", (unsigned)vocab, time, (int)trace->token, (int)token);
            CHECK(is_near(trace->low, low) && is_near(trace->high, high), "%.17g-%.17g, not %.17g-%.17g", trace->low, trace->high,
                  low, high);
        }
    }
    free(r.items);
    free(r.p);
    free(r.final_p);
    free(r.fates);
    free(logits);
    tg_sampler_free(sampler);
    return doubtful;
}

static void run_small(void)
{
    int doubtful = run_chains(1, 100, 1) + run_chains(2, 400, 2) + run_chains(7, 900, 3) + run_chains(512, 700, 4);
    CHECK(doubtful < 42, "%d of 2,100 chains were not compared", doubtful);
}

static void run_large(void)
{
    CHECK(run_chains(32000, 24, 5) < 3);
    CHECK(run_chains(262144, 4, 6) < 2);
}

static const tg_test tests[] = {
    {"small chains", "2,100 random chains over 1 to 512 tokens", run_small},
    {"large chains", "random chains over 32,000 and 262,144 tokens", run_large},
};
TEST_MAIN(tests)
