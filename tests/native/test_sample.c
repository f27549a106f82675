/* The sampler's stages one by one on small distributions, its coins, errors and draw. Needs only
 * the C library, so that it runs in WebAssembly, too. */
#include <math.h>
#include <stdlib.h>

#include "../../src/sample/random.h"
#include "../../src/sample/sample.h"
#include "random.h"
#include "test.h"

#define P(...)                                                                                     \
    (const double[]){__VA_ARGS__}, (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#define MAX_SMALL 64

/* Runs one stage with one option over logits log(probs): kept has a '1' for each token that must
 * survive and a '0' for the others. */
static void check_stage(tg_stage stage, tg_option option, double value, const double *probs, int n,
                        const char *kept)
{
    float logits[MAX_SMALL];
    const tg_trace *trace = NULL;
    tg_error error = {0};
    tg_sample_request request;
    tg_sampler *sampler = tgi_sampler_new((uint32_t)n, 8);
    tg_sample_defaults(&request);
    request.options[option] = value;
    request.order[0] = (uint8_t)stage;
    request.n_order = 1;
    for (int i = 0; i < n; i++)
        logits[i] = (float)log(probs[i]);
    const tg_status status = tgi_sample(sampler, logits, &request, &trace, &error);
    CHECK(status == TG_OK, "%s", error.message);
    uint32_t expected = 0;
    for (int i = 0; status == TG_OK && i < n; i++) {
        const int fate = tg_sampler_removed_by(sampler)[i];
        expected += kept[i] == '1';
        CHECK(fate == (kept[i] == '1' ? -1 : 0), "%s %g, token %d of %s", tg_stage_name(stage),
              value, i, kept);
    }
    if (status == TG_OK) {
        CHECK(trace->n_stages == 1 && trace->stages[0].stage == stage);
        CHECK(trace->stages[0].kept == expected &&
              trace->stages[0].removed == (uint32_t)n - expected);
        CHECK(!strncmp(trace->stages[0].reason, tg_stage_name(stage), strlen(tg_stage_name(stage))),
              "%s", trace->stages[0].reason);
    }
    tgi_sampler_free(sampler);
}

#define test_top_k(probs_n, k, kept) check_stage(TG_STAGE_top_k, TG_OPTION_top_k, k, probs_n, kept)
#define test_top_p(probs_n, p, kept) check_stage(TG_STAGE_top_p, TG_OPTION_top_p, p, probs_n, kept)
#define test_min_p(probs_n, p, kept) check_stage(TG_STAGE_min_p, TG_OPTION_min_p, p, probs_n, kept)
#define test_temperature(probs_n, t, kept)                                                         \
    check_stage(TG_STAGE_temperature, TG_OPTION_temperature, t, probs_n, kept)

static void run_top_k(void)
{
    test_top_k(P(0.1, 0.2, 0.3, 0.4), 1, "0001");
    test_top_k(P(0.1, 0.2, 0.3, 0.4), 3, "0111");
    test_top_k(P(0.1, 0.2, 0.3, 0.4), 4, "1111");
    test_top_k(P(0.1, 0.2, 0.3, 0.4), 2147483647, "1111");
    test_top_k(P(0.1, 0.2, 0.3, 0.4), 0, "1111");
    test_top_k(P(0.2, 0.2, 0.2, 0.2, 0.2), 2, "11000");
    test_top_k(P(0.1, 0.2, 0.1, 0.5, 0.1), 3, "11010");
    test_top_k(P(0, 0.5, 0, 0.5), 3, "1101");
    test_top_k(P(1), 1, "1");
}

static void run_top_p(void)
{
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 0, "0001");
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 0.39, "0001");
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 0.41, "0011");
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 0.69, "0011");
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 0.71, "0111");
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 0.91, "1111");
    test_top_p(P(0.1, 0.2, 0.3, 0.4), 1, "1111");
    test_top_p(P(0.25, 0.25, 0.25, 0.25), 0.5, "1100");
    test_top_p(P(0, 0.3, 0.7, 0), 0.99, "0110");
    test_top_p(P(0, 0.3, 0.7, 0), 1, "1111");
    test_top_p(P(1), 0.5, "1");
}

static void run_min_p(void)
{
    test_min_p(P(0.1, 0.2, 0.3, 0.4), 0, "1111");
    test_min_p(P(0.1, 0.2, 0.3, 0.4), 0.24, "1111");
    test_min_p(P(0.1, 0.2, 0.3, 0.4), 0.26, "0111");
    test_min_p(P(0.1, 0.2, 0.3, 0.4), 0.74, "0011");
    test_min_p(P(0.1, 0.2, 0.3, 0.4), 0.76, "0001");
    test_min_p(P(0.3, 0.3, 0.1, 0.3), 1, "1101");
    test_min_p(P(0, 0.5, 0.5, 0), 1e-300, "0110");
    test_min_p(P(0, 0.5, 0.5, 0), 0, "1111");
    test_min_p(P(1), 1, "1");
}

static void run_temperature(void)
{
    test_temperature(P(0.1, 0.4, 0.1, 0.4), 0, "0100");
    test_temperature(P(0.1, 0.2, 0.3, 0.4), 1e-300, "0001");
    test_temperature(P(0.1, 0.2, 0.3, 0.4), 0.001, "1111");
    test_temperature(P(0.1, 0.2, 0.3, 0.4), 1, "1111");
    test_temperature(P(0.1, 0.2, 0.3, 0.4), 1e6, "1111");
    test_temperature(P(0, 0.2, 0.3, 0.5), 0.8, "1111");

    /* the probabilities after it: p^(1/t), normalized */
    const float logits[3] = {0, 1, -2};
    const tg_trace *trace = NULL;
    tg_error error = {0};
    tg_sample_request request;
    tg_sampler *sampler = tgi_sampler_new(3, 8);
    tg_sample_defaults(&request);
    request.order[0] = TG_STAGE_temperature;
    request.n_order = 1;
    request.options[TG_OPTION_temperature] = 0.5;
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
    const double total = 1 + exp(2) + exp(-4);
    CHECK(fabs(trace->candidates[0].p_final - exp(2) / total) < 1e-12);
    CHECK(fabs(trace->candidates[1].p_final - 1 / total) < 1e-12);
    CHECK(fabs(trace->candidates[2].p_final - exp(-4) / total) < 1e-12);
    CHECK(trace->stages[0].threshold == 0.5);
    tgi_sampler_free(sampler);
}

static void run_philox(void)
{
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } known[] = {
        /* the test vectors of the authors' library (kat_vectors, philox4x32 10) */
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];
        tgi_philox(known[i].counter, known[i].key, out);
        CHECK(!memcmp(out, known[i].expected, sizeof out), "vector %d", (int)i);
    }
    double sum = 0, squares = 0;
    for (uint64_t position = 0; position < 100000; position++) {
        const double u = tgi_random(7, position, 0);
        CHECK(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    CHECK(fabs(sum / 1e5 - 0.5) < 0.004, "mean %g", sum / 1e5);
    CHECK(fabs(squares / 1e5 - 1.0 / 3) < 0.004, "mean square %g", squares / 1e5);
    /* every part of the address counts */
    const double u = tgi_random(1, 2, 3);
    CHECK(u == tgi_random(1, 2, 3));
    CHECK(u != tgi_random(2, 2, 3) && u != tgi_random(1 + (UINT64_C(1) << 32), 2, 3));
    CHECK(u != tgi_random(1, 3, 3) && u != tgi_random(1, 2 + (UINT64_C(1) << 32), 3) &&
          u != tgi_random(1, 2, 4));
}

static void expect(tg_sampler *sampler, const float *logits, const tg_sample_request *request,
                   tg_status status, const char *words)
{
    const tg_trace *trace = NULL;
    tg_error error = {0};
    CHECK(tgi_sample(sampler, logits, request, &trace, &error) == status, "got %s: %s",
          tg_status_name(error.status), error.message);
    CHECK(error.status == status && strstr(error.message, words), "'%s' lacks '%s'", error.message,
          words);
    CHECK(tgi_sample(sampler, logits, request, &trace, NULL) == status,
          "without an error to fill in");
}

static void run_errors(void)
{
    const float good[4] = {0, 1, 2, 3};
    tg_sampler *sampler = tgi_sampler_new(4, 8);
    tg_sample_request request;
    static const struct {
        tg_option option;
        double value;
        const char *name;
    } bad[] = {
        {TG_OPTION_top_k, -1, "top_k"},      {TG_OPTION_top_k, 2.5, "top_k"},
        {TG_OPTION_top_k, 3e9, "top_k"},     {TG_OPTION_top_k, NAN, "top_k"},
        {TG_OPTION_top_p, -0.1, "top_p"},    {TG_OPTION_top_p, 1.1, "top_p"},
        {TG_OPTION_top_p, NAN, "top_p"},     {TG_OPTION_min_p, -1e-9, "min_p"},
        {TG_OPTION_min_p, 2, "min_p"},       {TG_OPTION_temperature, -1, "temper"},
        {TG_OPTION_temperature, 1e7, "tem"}, {TG_OPTION_temperature, INFINITY, "tem"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tg_sample_defaults(&request);
        request.options[bad[i].option] = bad[i].value;
        expect(sampler, good, &request, TG_SAMPLER_BAD_OPTION, bad[i].name);
    }
    tg_sample_defaults(&request);
    request.order[1] = request.order[0];
    expect(sampler, good, &request, TG_SAMPLER_BAD_OPTION,
           tg_stage_name((tg_stage)request.order[0]));
    tg_sample_defaults(&request);
    request.order[2] = TG_STAGE_COUNT;
    expect(sampler, good, &request, TG_SAMPLER_BAD_OPTION, "unknown");
    tg_sample_defaults(&request);
    request.n_order = TG_STAGE_COUNT + 1;
    expect(sampler, good, &request, TG_SAMPLER_BAD_OPTION, "stages");

    tg_sample_defaults(&request);
    expect(sampler, (const float[]){0, NAN, 2, 3}, &request, TG_LOGITS_NOT_FINITE, "token 1");
    expect(sampler, (const float[]){0, 1, 2, INFINITY}, &request, TG_LOGITS_NOT_FINITE, "token 3");
    expect(sampler, (const float[]){-INFINITY, 1, NAN, INFINITY}, &request, TG_LOGITS_NOT_FINITE,
           "token 2");
    expect(sampler, (const float[]){-INFINITY, -INFINITY, -INFINITY, -INFINITY}, &request,
           TG_NO_CANDIDATES, "4");
    expect(sampler, good, &request, TG_OK, ""); /* the sampler works after an error */
    tgi_sampler_free(sampler);
    CHECK(tgi_sampler_memory(512, 8) > 512 * sizeof(tg_candidate));
}

/* 20,000 draws over positions against the probabilities in the trace: Pearson's chi-square, 7
 * degrees of freedom. */
static void run_distribution(void)
{
    const float logits[8] = {1, 0.5f, -1, 2, 0, 1, -INFINITY, 0.25f};
    enum { DRAWS = 20000 };
    tg_sampler *sampler = tgi_sampler_new(8, 8);
    const tg_trace *trace = NULL;
    tg_error error = {0};
    tg_sample_request request;
    double p[8] = {0};
    int counts[8] = {0};
    tg_sample_defaults(&request);
    request.n_order = 0;
    request.seed = 11;
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
    CHECK(trace->n_candidates == 8 && trace->n_stages == 0);
    for (int i = 0; i < 8; i++)
        p[trace->candidates[i].token] = trace->candidates[i].p_final;
    for (request.position = 0; request.position < DRAWS; request.position++)
        if (tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK)
            counts[trace->token]++;
    double chi_square = 0;
    for (int i = 0; i < 8; i++)
        if (p[i] > 0)
            chi_square += (counts[i] - DRAWS * p[i]) * (counts[i] - DRAWS * p[i]) / (DRAWS * p[i]);
    CHECK(counts[6] == 0 && p[6] == 0, "a banned token was drawn");
    CHECK(chi_square < 22.46, "chi-square %g: above the 99.9 %% point for 6 degrees of freedom",
          chi_square);
    tgi_sampler_free(sampler);
}

/* Probabilities that are powers of two: the intervals are known exactly. */
static void run_intervals(void)
{
    const float logits[4] = {0, (float)-0.6931471805599453, (float)-1.3862943611198906,
                             (float)-1.3862943611198906};
    static const double from[4] = {0, 0.5, 0.75, 0.875}, upto[4] = {0.5, 0.75, 0.875, 1};
    tg_sampler *sampler = tgi_sampler_new(4, 8);
    const tg_trace *trace = NULL;
    tg_error error = {0};
    tg_sample_request request;
    unsigned seen = 0;
    tg_sample_defaults(&request);
    request.n_order = 0;
    for (request.position = 0; request.position < 200; request.position++) {
        const tg_status status = tgi_sample(sampler, logits, &request, &trace, &error);
        CHECK(status == TG_OK, "%s", error.message);
        CHECK(trace->u == tgi_random(0, request.position, 0));
        CHECK(trace->low <= trace->u && trace->u < trace->high && trace->high <= 1);
        CHECK(fabs(trace->low - from[trace->token]) < 1e-7 &&
              fabs(trace->high - upto[trace->token]) < 1e-7);
        CHECK(trace->logit == logits[trace->token] &&
              fabs(trace->logprob - log(trace->p_final)) < 1e-12);
        seen |= 1u << trace->token;
    }
    CHECK(seen == 15, "not all of the four were drawn: %x", seen);
    CHECK(fabs(trace->entropy - 1.75 * 0.6931471805599453) < 1e-6, "entropy %.9g", trace->entropy);
    tgi_sampler_free(sampler);
}

static void run_names(void)
{
    tg_sample_request request;
    tg_sample_defaults(&request);
    CHECK(!strcmp(tg_stage_name(TG_STAGE_top_k), "top_k") &&
          !strcmp(tg_stage_name(TG_STAGE_COUNT), "unknown"));
    static const char *const chain[] = {"penalties", "dry",   "top_n_sigma", "top_k",      "typ_p",
                                        "top_p",     "min_p", "xtc",         "temperature"};
    CHECK(request.top_n == 50 && request.seed == 0 && request.sample_index == 0);
    CHECK(request.options[TG_OPTION_top_k] == 40 && request.options[TG_OPTION_temperature] == 0.8);
    /* llama.cpp's stages run in llama.cpp's order; stages of our own may run between them */
    const uint32_t n_chain = sizeof chain / sizeof chain[0];
    uint32_t n_same = 0;
    for (uint32_t i = 0; i < request.n_order && n_same < n_chain; i++)
        n_same += !strcmp(tg_stage_name((tg_stage)request.order[i]), chain[n_same]);
    CHECK(n_same == n_chain, "%s does not follow", chain[n_same]);
}

static const tg_test tests[] = {
    {"top_k", "keeps the k highest, lower ids first", run_top_k},
    {"top_p", "keeps the shortest prefix that reaches p", run_top_p},
    {"min_p", "keeps tokens with a share of the largest probability", run_min_p},
    {"temperature", "scales logits; 0 is greedy", run_temperature},
    {"philox", "the published vectors; coins are uniform and addressed", run_philox},
    {"errors", "bad options and logits are named", run_errors},
    {"distribution", "draws follow the trace's probabilities", run_distribution},
    {"intervals", "the coin falls into the token's interval", run_intervals},
    {"names", "names and defaults are the list's", run_names},
};
TEST_MAIN(tests)
