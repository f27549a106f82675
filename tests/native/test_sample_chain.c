/* Random chains of stages over random distributions, against a naive implementation in double
 * precision (sample_reference.h). Needs only the C library, so that it runs in WebAssembly, too. */
#include <math.h>
#include <stdlib.h>

#include "../../src/sample/random.h"
#include "../../src/sample/sample.h"
#include "random.h"
#include "sample_reference.h"
#include "test.h"

static int is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9;
}

/* The token whose interval contains u, by the reference; -1 if u is too near a border. */
static int32_t reference_draw(const reference *r, double u, double *low, double *high)
{
    for (uint32_t i = 0; i < r->n; i++) {
        *low = i ? *high : 0;
        *high = *low + r->items[i].p;
        if (fabs(*high - u) < CLOSE)
            return -1;
        if (u < *high)
            return r->items[i].token;
    }
    return -1;
}

/* Invariants 1 and 3 on a full trace: mass and removals, token by token. */
static void check_accounts(const tg_trace *trace, const int8_t *removed_by, const reference *r,
                           uint32_t vocab)
{
    double listed = 0, entering = 1;
    uint32_t before = vocab;
    for (uint32_t i = 0; i < trace->n_candidates; i++) {
        const tg_candidate *c = &trace->candidates[i];
        listed += c->p;
        CHECK(fabs(c->p - r->p[c->token]) <= 1e-12, "p of %d: %.17g, not %.17g", (int)c->token,
              c->p, r->p[c->token]);
        CHECK(fabs(c->p - r->p[c->token]) <= 1e-9 * r->p[c->token] + 1e-290, "p of %d: %g, not %g",
              (int)c->token, c->p, r->p[c->token]);
        CHECK(c->removed_by == removed_by[c->token]);
        CHECK(i == 0 || c[-1].logit > c->logit ||
                  (c[-1].logit == c->logit && c[-1].token < c->token),
              "the list's order");
    }
    CHECK(trace->n_candidates == vocab && fabs(listed + trace->other - 1) < 1e-11, "%.17g",
          listed + trace->other);
    for (uint32_t s = 0; s < trace->n_stages; s++) {
        const tg_stage_trace *stage = &trace->stages[s];
        double mass = 0;
        uint32_t kept = 0, removed = 0;
        for (uint32_t i = 0; i < vocab; i++) {
            removed += removed_by[i] == (int)s;
            if (removed_by[i] < 0 || removed_by[i] > (int)s) {
                kept++;
                mass += r->p[i];
            }
        }
        CHECK(stage->kept == kept && stage->removed == removed && kept + removed == before,
              "stage %d", (int)s);
        CHECK(isnan(stage->coin) ||
              (stage->stage == TG_STAGE_xtc && stage->coin >= 0 && stage->coin < 1));
        CHECK(is_near(stage->mass_before, entering) && is_near(stage->mass_after, mass), "stage %d",
              (int)s);
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
    CHECK(!memcmp(&a->high, &b->high, sizeof a->high) &&
          !memcmp(&a->p_final, &b->p_final, sizeof a->p_final));
    CHECK(!memcmp(&a->logprob, &b->logprob, sizeof a->logprob) &&
          !memcmp(&a->entropy, &b->entropy, sizeof a->entropy));
    for (uint32_t s = 0; s < a->n_stages && s < b->n_stages; s++) {
        const tg_stage_trace *x = &a->stages[s], *y = &b->stages[s];
        CHECK(x->stage == y->stage && x->kept == y->kept && x->removed == y->removed &&
              x->threshold == y->threshold);
        CHECK(x->mass_before == y->mass_before && x->mass_after == y->mass_after &&
              !strcmp(x->reason, y->reason));
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
        logits[random_u32(random) % vocab] = 60; /* nearly certain */
    if (kind == 4)
        logits[random_u32(random) % vocab] = 0;
}

#define MAX_CONTEXT 60
#define MAX_LISTED  12

/* The memory that the lists of a random request point to. */
typedef struct lists {
    int32_t context[MAX_CONTEXT], allowed[MAX_LISTED], banned[MAX_LISTED], biased[MAX_LISTED],
        breakers[8];
    float biases[MAX_LISTED];
    int32_t grammar[262144 / 32];
} lists;

static tg_list random_list(test_random *random, uint32_t vocab, int32_t *tokens, uint32_t max)
{
    const uint32_t n = random_u32(random) % (max + 1);
    for (uint32_t i = 0; i < n; i++)
        tokens[i] = (int32_t)(random_u32(random) % vocab);
    return (tg_list){tokens, NULL, n};
}

/* Contexts with few different tokens, so that they contain repetitions; mostly short lists. */
static void random_lists(tg_sample_request *request, test_random *random, uint32_t vocab,
                         lists *lists)
{
    const uint32_t alphabet = 1 + random_u32(random) % (vocab < 5 ? vocab : 5),
                   dice = random_u32(random);
    request->n_context = random_u32(random) % (MAX_CONTEXT + 1);
    request->context = lists->context;
    for (uint32_t i = 0; i < request->n_context; i++)
        lists->context[i] = (int32_t)(random_u32(random) % alphabet);
    for (uint32_t i = 0; i < MAX_LISTED; i++)
        lists->biases[i] = random_u32(random) % 4 ? 3 * random_gauss(random) : -INFINITY;
    request->lists[TG_LIST_logit_bias] =
        random_list(random, vocab, lists->biased, dice & 3 ? 0 : MAX_LISTED);
    request->lists[TG_LIST_logit_bias].values = lists->biases;
    request->lists[TG_LIST_allowed_tokens] =
        random_list(random, vocab, lists->allowed, dice & 28 ? 0 : MAX_LISTED);
    request->lists[TG_LIST_banned_tokens] =
        random_list(random, vocab, lists->banned, dice & 96 ? 0 : MAX_LISTED);
    if ((dice & 1536) == 0) { /* bits past the vocabulary are ignored */
        for (uint32_t i = 0; i < (vocab + 31) / 32; i++)
            lists->grammar[i] = (int32_t)(random_u32(random) | random_u32(random));
        request->lists[TG_LIST_grammar] = (tg_list){lists->grammar, NULL, (vocab + 31) / 32};
    }
    if (dice & 128) { /* one token, and two in a row */
        lists->breakers[0] = 1;
        lists->breakers[2] = 2;
        lists->breakers[1] = lists->breakers[3] = (int32_t)(random_u32(random) % vocab);
        lists->breakers[4] = (int32_t)(random_u32(random) % alphabet);
        if (dice & 256)
            lists->breakers[3] = (int32_t)(random_u32(random) % alphabet);
        request->lists[TG_LIST_dry_sequence_breakers] = (tg_list){lists->breakers, NULL, 5};
    }
}

/* A random chain. Every option of every stage gets a random value, also the one that turns the
 * stage off. */
static void random_request(tg_sample_request *request, test_random *random, uint32_t vocab,
                           lists *lists)
{
    tg_sample_defaults(request);
    random_lists(request, random, vocab, lists);
    for (uint32_t i = 0; i < TG_STAGE_COUNT; i++)
        request->order[i] = (uint8_t)i;
    for (uint32_t i = TG_STAGE_COUNT - 1; i > 0; i--) {
        const uint32_t j = random_u32(random) % (i + 1);
        const uint8_t t = request->order[i];
        request->order[i] = request->order[j];
        request->order[j] = t;
    }
    request->n_order = random_u32(random) % (TG_STAGE_COUNT + 1);
    const uint32_t dice = random_u32(random);
    request->options[TG_OPTION_top_k] =
        dice & 1 ? random_u32(random) % (vocab + 2) : random_u32(random) % 60;
    request->options[TG_OPTION_top_p] = dice & 14 ? random_unit(random) : dice & 16;
    request->options[TG_OPTION_top_p] =
        request->options[TG_OPTION_top_p] > 1 ? 1 : request->options[TG_OPTION_top_p];
    request->options[TG_OPTION_min_p] = dice & 96 ? pow(10, -6 * random_unit(random)) : 0;
    request->options[TG_OPTION_temperature] = dice & 896 ? pow(10, 6 * random_unit(random) - 3) : 0;
    double *options = request->options;
    const uint32_t more = random_u32(random);
    if (more & 1) {
        options[TG_OPTION_penalty_repeat] = 0.8 + random_unit(random);
        options[TG_OPTION_penalty_freq] = more & 2 ? random_gauss(random) : 0;
        options[TG_OPTION_penalty_present] = more & 4 ? random_gauss(random) : 0;
        options[TG_OPTION_penalty_last_n] = (double)(random_u32(random) % 70) - 1;
    }
    if (more & 8) {
        options[TG_OPTION_dry_multiplier] = random_unit(random);
        options[TG_OPTION_dry_base] = 1 + random_unit(random);
        options[TG_OPTION_dry_allowed_length] = random_u32(random) % 4;
        options[TG_OPTION_dry_penalty_last_n] = (double)(random_u32(random) % 70) - 1;
    }
    options[TG_OPTION_top_n_sigma] = more & 16 ? 3 * random_unit(random) : -1;
    options[TG_OPTION_typical_p] = more & 32 ? random_unit(random) : 1;
    options[TG_OPTION_xtc_probability] = more & 64 ? random_unit(random) : 0;
    options[TG_OPTION_xtc_threshold] = random_unit(random) * random_unit(random);
    options[TG_OPTION_dynatemp_range] = more & 128 ? random_unit(random) : 0;
    options[TG_OPTION_dynatemp_exponent] = more & 256 ? 2 * random_unit(random) : 1;
    options[TG_OPTION_mirostat] = (more >> 9) % 3;
    options[TG_OPTION_mirostat_tau] = 6 * random_unit(random);
    request->mu = more & 2048 ? NAN : 8 * random_unit(random);
    request->sample_index = more & 4096 ? random_u32(random) : 0;
    request->seed = (uint64_t)random_u32(random) << 32 | random_u32(random);
    request->position = random_u32(random);
}

/* How often each stage ran while it was not off, in all chains so far. */
static uint32_t active[TG_STAGE_COUNT];

static void count_active(const tg_trace *trace)
{
    for (uint32_t s = 0; s < trace->n_stages; s++)
        active[trace->stages[s].stage] += !strstr(trace->stages[s].reason, ": off");
}

/* The probabilities after each stage are the final ones of the chain that ends with the stage. They
 * change nothing in the draw. */
static void check_after(tg_sampler *sampler, const float *logits, uint32_t vocab,
                        const tg_sample_request *given, const tg_trace *unseen)
{
    tg_sample_request request = *given;
    const tg_trace *trace = NULL;
    tg_error error = {0};
    double *after = malloc((given->n_order * vocab + 1) * sizeof *after);
    request.after = after;
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
    check_same(trace, unseen);
    request.after = NULL;
    for (uint32_t s = 0; s < given->n_order; s++) {
        request.n_order = s + 1;
        CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        const int8_t *removed_by = tg_sampler_removed_by(sampler);
        const double *p_final = tg_sampler_p_final(sampler);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < vocab; i++)
            wrong += after[s * vocab + i] != (removed_by[i] < 0 ? p_final[i] : 0);
        CHECK(wrong == 0, "%u probabilities differ after stage %u, %s", (unsigned)wrong,
              (unsigned)s, tg_stage_name((tg_stage)given->order[s]));
    }
    free(after);
}

/* Runs `times` random chains over one vocabulary. Returns how many depended on rounding and were
 * not compared. */
static int run_chains(uint32_t vocab, int times, uint64_t seed)
{
    test_random random = {seed};
    tg_sampler *sampler = tgi_sampler_new(vocab, MAX_CONTEXT);
    float *logits = malloc(vocab * sizeof *logits);
    reference r = {.items = malloc(vocab * sizeof *r.items),
                   .p = malloc(vocab * sizeof *r.p),
                   .p_final = malloc(vocab * sizeof *r.p_final),
                   .marks = calloc(vocab, sizeof *r.marks),
                   .removed_by = malloc(vocab * sizeof *r.removed_by)};
    int doubtful = 0;
    static lists lists;
    for (int time = 0; time < times; time++) {
        tg_sample_request request;
        const tg_trace *trace = NULL;
        tg_error error = {0};
        fill_logits(logits, vocab, &random);
        random_request(&request, &random, vocab, &lists);
        run_reference(&r, logits, vocab, &request);

        request.top_n = 0;
        if (!r.n || r.items[0].logit == -INFINITY) {
            CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_NO_CANDIDATES &&
                      !trace,
                  "%s", error.message);
            continue;
        }
        CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        CHECK(trace->n_candidates == 0);
        const tg_trace unseen = *trace;
        check_after(sampler, logits, vocab, &request, &unseen);
        request.top_n = 50;
        CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        check_same(trace, &unseen);
        double listed = trace->other;
        for (uint32_t i = 0; i < trace->n_candidates; i++)
            listed += trace->candidates[i].p;
        CHECK(fabs(listed - 1) < 1e-12, "%.17g", listed);
        request.top_n = UINT32_MAX;
        CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
        check_same(trace, &unseen);

        const int8_t *removed_by = tg_sampler_removed_by(sampler);
        check_accounts(trace, removed_by, &r, vocab);
        count_active(trace);
        CHECK(fabs(trace->entropy - r.entropy) < 1e-9 && trace->entropy >= 0, "%g, not %g",
              trace->entropy, r.entropy);
        if (isnan(request.mu) && !request.options[TG_OPTION_mirostat])
            CHECK(isnan(trace->mu));
        CHECK(trace->low <= trace->u && trace->u < trace->high && trace->high <= 1);
        CHECK(trace->p_final > 0 && removed_by[trace->token] == -1);
        for (uint32_t i = 0; i < trace->n_candidates; i++)
            CHECK(trace->candidates[i].p == tg_sampler_p(sampler)[trace->candidates[i].token]);
        if (r.doubtful) {
            doubtful++;
            continue;
        }
        int wrong_fates = 0;
        double distance = 0;
        for (uint32_t i = 0; i < trace->n_candidates; i++) {
            const tg_candidate *c = &trace->candidates[i];
            wrong_fates += c->removed_by != r.removed_by[c->token];
            distance = fmax(distance, fabs(c->p_final - r.p_final[c->token]));
        }
        CHECK(wrong_fates == 0, "vocab %u, chain %d: %d removed_by differ", (unsigned)vocab, time,
              wrong_fates);
        CHECK(distance <= 1e-9, "vocab %u, chain %d: final p is off by %g", (unsigned)vocab, time,
              distance);
        double low = 0, high = 0;
        const int32_t token = reference_draw(&r, trace->u, &low, &high);
        if (token >= 0) {
            CHECK(trace->token == token, "vocab %u, chain %d: %d, not %d", (unsigned)vocab, time,
                  (int)trace->token, (int)token);
            CHECK(is_near(trace->low, low) && is_near(trace->high, high),
                  "%.17g-%.17g, not %.17g-%.17g", trace->low, trace->high, low, high);
        }
    }
    free(r.items);
    free(r.p);
    free(r.p_final);
    free(r.removed_by);
    free(r.marks);
    free(logits);
    tgi_sampler_free(sampler);
    return doubtful;
}

static void run_small(void)
{
    int doubtful = run_chains(1, 100, 1) + run_chains(2, 400, 2) + run_chains(7, 900, 3) +
                   run_chains(512, 700, 4);
    CHECK(doubtful < 42, "%d of 2,100 chains were not compared", doubtful);
    for (int stage = 0; stage < TG_STAGE_COUNT; stage++)
        CHECK(active[stage] >= 30, "%s was on in only %u chains: random_request sets its options",
              tg_stage_name((tg_stage)stage), (unsigned)active[stage]);
}

static void run_large(void)
{
    CHECK(run_chains(32000, 24, 5) < 3);
    CHECK(run_chains(262144, 4, 6) < 2);
}

/* One long run, in which every token repeats the one before: the time of dry must not grow with the
 * square of the length. */
static void run_long_context(void)
{
    enum { LONG = 60000 };
    static int32_t context[LONG];
    const float logits[3] = {0, 1, 2};
    tg_sampler *sampler = tgi_sampler_new(3, LONG);
    const tg_trace *trace = NULL;
    tg_error error = {0};
    tg_sample_request request;
    tg_sample_defaults(&request);
    request.context = context;
    request.n_context = LONG;
    request.options[TG_OPTION_dry_multiplier] = 1;
    request.options[TG_OPTION_dry_base] = 1;
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
    CHECK(strstr(trace->stages[1].reason, "lowered 1 logits") &&
              strstr(trace->stages[1].reason, "59999"),
          "%s", trace->stages[1].reason);
    request.n_context = LONG + 1;
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_SAMPLER_BAD_OPTION && !trace);
    tgi_sampler_free(sampler);
}

static const tg_test tests[] = {
    {"long context", "dry over 60,000 equal tokens", run_long_context},
    {"small chains", "2,100 random chains over 1 to 512 tokens", run_small},
    {"large chains", "random chains over 32,000 and 262,144 tokens", run_large},
};
TEST_MAIN(tests)
