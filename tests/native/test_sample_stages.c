/* The stages that use lists, the context, a coin or a state: small distributions with hand-computed
 * results. Needs only the C library, so that it runs in WebAssembly, too.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/sample/random.h"
#include "../../src/sample/sample.h"
#include "test.h"

#define MAX 16

static tg_sampler *sampler;
static tg_sample_request request;

/* One stage alone over n tokens. */
static void begin(tg_stage stage, uint32_t n)
{
    tgi_sampler_free(sampler);
    sampler = tgi_sampler_new(n, 64);
    tg_sample_defaults(&request);
    request.order[0] = (uint8_t)stage;
    request.n_order = 1;
}

static const tg_trace *sample(const float *logits)
{
    const tg_trace *trace = NULL;
    tg_error error = {0};
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == TG_OK, "%s", error.message);
    return trace;
}

/* '1' for each token that must survive */
static void keeps(const float *logits, const char *expected)
{
    char kept[MAX + 1] = "";
    const tg_trace *trace = sample(logits);
    if (!trace)
        return;
    for (uint32_t i = 0; i < trace->vocab; i++)
        kept[i] = tg_sampler_removed_by(sampler)[i] < 0 ? '1' : '0';
    CHECK(!strcmp(kept, expected), "%s, not %s: %s", kept, expected, trace->stages[0].reason);
}

/* A token's logit after the stage, by the ratio of its probability to that of token `base`, which
 * the stage did not change. */
static double logit_now(const float *logits, int token, int base)
{
    const double *p = tg_sampler_p_final(sampler);
    sample(logits);
    return log(p[token] / p[base]) + logits[base];
}

static void expect_error(const float *logits, tg_status status, const char *words)
{
    const tg_trace *trace;
    tg_error error = {0};
    CHECK(tgi_sample(sampler, logits, &request, &trace, &error) == status &&
              strstr(error.message, words),
          "%s", error.message);
    CHECK(!trace, "no trace with an error");
}

#define NEAR(a, b) CHECK(fabs((a) - (b)) < 1e-9, "%.12g, not %.12g", (double)(a), (double)(b))

static void lists(void)
{
    const float logits[5] = {3, 2, 1, 0, -INFINITY};
    const int32_t tokens[4] = {1, 3, 0, 1};
    const float values[4] = {-1, 2.5f, -INFINITY, 4};
    begin(TG_STAGE_logit_bias, 5);
    request.lists[TG_LIST_logit_bias] = (tg_list){tokens, values, 4};
    keeps(logits, "01111");
    NEAR(logit_now(logits, 3, 2), 2.5);
    NEAR(logit_now(logits, 1, 2), 6); /* the last of two biases */
    request.lists[TG_LIST_logit_bias].n = 0;
    keeps(logits, "11111");
    begin(TG_STAGE_allowed_tokens, 5);
    request.lists[TG_LIST_allowed_tokens] = (tg_list){tokens, NULL, 2};
    keeps(logits, "01010");
    request.lists[TG_LIST_allowed_tokens].n = 0;
    keeps(logits, "11111");
    begin(TG_STAGE_banned_tokens, 5);
    request.lists[TG_LIST_banned_tokens] = (tg_list){tokens, NULL, 4};
    keeps(logits, "00101");

    begin(TG_STAGE_grammar, 5);
    request.lists[TG_LIST_grammar] = (tg_list){(const int32_t[]){-32 + 22}, NULL, 1};
    keeps(logits, "01101");
    request.lists[TG_LIST_grammar].n = 0;
    keeps(logits, "11111");
    request.lists[TG_LIST_grammar] = (tg_list){(const int32_t[]){1, 2}, NULL, 2};
    expect_error(logits, TG_SAMPLER_BAD_OPTION, "grammar");
    begin(TG_STAGE_banned_tokens, 5);

    /* no token left, and none with a probability */
    request.lists[TG_LIST_banned_tokens] = (tg_list){(const int32_t[]){0, 1, 2, 3, 4}, NULL, 5};
    expect_error(logits, TG_NO_CANDIDATES, "banned_tokens");
    request.lists[TG_LIST_banned_tokens].n = 4;
    expect_error(logits, TG_NO_CANDIDATES, "banned_tokens");
    request.lists[TG_LIST_banned_tokens] = (tg_list){(const int32_t[]){5}, NULL, 1};
    expect_error(logits, TG_SAMPLER_BAD_OPTION, "token 5");
    request.lists[TG_LIST_banned_tokens].n = 0;
    request.lists[TG_LIST_logit_bias] = (tg_list){tokens, (const float[]){INFINITY}, 1};
    expect_error(logits, TG_SAMPLER_BAD_OPTION, "logit_bias of token 1");
    request.lists[TG_LIST_logit_bias] = (tg_list){tokens, (const float[]){NAN}, 1};
    expect_error(logits, TG_SAMPLER_BAD_OPTION, "logit_bias of token 1");
    request.lists[TG_LIST_logit_bias].n = 0;
    for (int length = -1; length < 3;
         length += 3) { /* sequences of no tokens, and of more than there are */
        const int32_t breakers[2] = {length, 1};
        request.lists[TG_LIST_dry_sequence_breakers] = (tg_list){breakers, NULL, 2};
        expect_error(logits, TG_SAMPLER_BAD_OPTION, "dry_sequence_breakers");
    }
    request.lists[TG_LIST_dry_sequence_breakers].n = 0;
    request.context = (const int32_t[]){7};
    request.n_context = 1;
    expect_error(logits, TG_SAMPLER_BAD_OPTION, "context");
    request.n_context = 0;
    keeps(logits, "11111");
}

static void penalties(void)
{
    const float logits[5] = {2, 1, -1, 0.5f, 0};
    const int32_t context[6] = {2, 0, 1, 1, 2, 1};
    begin(TG_STAGE_penalties, 5);
    request.context = context;
    request.n_context = 6;
    request.options[TG_OPTION_penalty_repeat] = 1.25;
    NEAR(logit_now(logits, 0, 3), 2 / 1.25);
    NEAR(logit_now(logits, 1, 3), 1 / 1.25);
    NEAR(logit_now(logits, 2, 3), -1 * 1.25);
    NEAR(logit_now(logits, 4, 3), 0);
    request.options[TG_OPTION_penalty_freq] = 0.5;
    request.options[TG_OPTION_penalty_present] = 0.125;
    NEAR(logit_now(logits, 1, 3), 1 / 1.25 - 3 * 0.5 - 0.125);
    request.options[TG_OPTION_penalty_last_n] = 2; /* 2 and 1 */
    NEAR(logit_now(logits, 1, 3), 1 / 1.25 - 0.5 - 0.125);
    NEAR(logit_now(logits, 0, 3), 2);
    request.options[TG_OPTION_penalty_last_n] = -1;
    NEAR(logit_now(logits, 2, 3), -1.25 - 2 * 0.5 - 0.125);
    request.options[TG_OPTION_penalty_last_n] = 0;
    NEAR(logit_now(logits, 2, 3), -1);
    CHECK(strstr(sample(logits)->stages[0].reason, "off"), "0 tokens are no window");
}

static void dry(void)
{
    const float logits[8] = {0};
    /* an earlier 3 4 5 was followed by 6, another 4 5 by 7 */
    const int32_t context[10] = {3, 4, 5, 6, 4, 5, 7, 3, 4, 5};
    const int32_t breakers[] = {1, 6, 2, 7, 3};
    begin(TG_STAGE_dry, 8);
    request.context = context;
    request.n_context = 10;
    request.options[TG_OPTION_dry_multiplier] = 0.5;
    request.options[TG_OPTION_dry_base] = 2;
    NEAR(logit_now(logits, 6, 0), -0.5 * 2); /* a run of 3 tokens; dry allows 2 */
    NEAR(logit_now(logits, 7, 0), -0.5 * 1); /* a run of 2 */
    NEAR(logit_now(logits, 3, 0), 0);
    request.options[TG_OPTION_dry_allowed_length] = 3;
    NEAR(logit_now(logits, 6, 0), -0.5);
    NEAR(logit_now(logits, 7, 0), 0);
    request.options[TG_OPTION_dry_allowed_length] = 2;
    request.options[TG_OPTION_dry_penalty_last_n] = 6; /* 4 5 7 3 4 5 */
    NEAR(logit_now(logits, 6, 0), 0);
    NEAR(logit_now(logits, 7, 0), -0.5);
    request.options[TG_OPTION_dry_penalty_last_n] = -1;
    /* only two tokens follow the breaker "7 3"; 6 is a breaker by itself and is never lowered
     */
    request.lists[TG_LIST_dry_sequence_breakers] = (tg_list){breakers, NULL, 5};
    NEAR(logit_now(logits, 6, 0), 0);
    NEAR(logit_now(logits, 7, 0), -0.5);
    /* only one token follows the breaker "4" */
    request.lists[TG_LIST_dry_sequence_breakers] = (tg_list){(const int32_t[]){1, 4}, NULL, 2};
    NEAR(logit_now(logits, 7, 0), 0);
    request.lists[TG_LIST_dry_sequence_breakers].n = 0;
    request.options[TG_OPTION_dry_base] = 0.5;
    CHECK(strstr(sample(logits)->stages[0].reason, "off"), "a base below 1");
    /* a very long run: the penalty stays finite, and bans no other token */
    static int32_t same[64];
    request.options[TG_OPTION_dry_base] = 1e6;
    request.context = same;
    request.n_context = 64;
    const tg_trace *trace = sample(logits);
    CHECK(trace && trace->token != 0 && isfinite(trace->p_final), "%d",
          trace ? (int)trace->token : -1);
}

static void sigma(void)
{
    const float logits[6] = {4, 2, 0, -2, -INFINITY, -4}; /* mean 0, deviation sqrt(8) */
    begin(TG_STAGE_top_n_sigma, 6);
    request.options[TG_OPTION_top_n_sigma] = 1;
    keeps(logits, "110000");
    NEAR(sample(logits)->stages[0].threshold, 4 - sqrt(8));
    request.options[TG_OPTION_top_n_sigma] = 2.2;
    keeps(logits, "111100");
    request.options[TG_OPTION_top_n_sigma] = 0;
    keeps(logits, "111111");
}

static void typical(void)
{
    /* entropy of 0.5, 0.25, 0.125, 0.125 is 1.75 bits: 0.25 is nearest (2 bits), then 0.5 (1 bit),
     * then the two of 3 */
    const float logits[4] = {logf(0.5f), logf(0.25f), logf(0.125f), logf(0.125f)};
    begin(TG_STAGE_typ_p, 4);
    request.options[TG_OPTION_typical_p] = 0.2;
    keeps(logits, "0100");
    request.options[TG_OPTION_typical_p] = 0.7;
    keeps(logits, "1100");
    request.options[TG_OPTION_typical_p] = 0.8;
    keeps(logits, "1110");
    request.options[TG_OPTION_typical_p] = 0;
    keeps(logits, "0100");
    request.options[TG_OPTION_typical_p] = 1;
    keeps(logits, "1111");
    NEAR(tg_sampler_p_final(sampler)[0], 0.5);
}

static void xtc(void)
{
    const float logits[5] = {logf(0.1f), logf(0.4f), logf(0.05f), logf(0.25f), logf(0.2f)};
    begin(TG_STAGE_xtc, 5);
    request.options[TG_OPTION_xtc_probability] = 1;
    request.options[TG_OPTION_xtc_threshold] =
        0.15; /* 1, 3 and 4 reach it: the last of them stays */
    keeps(logits, "10101");
    CHECK(sample(logits)->stages[0].coin == tgi_coin(0, 0, 0, TG_COIN_XTC) &&
              sample(logits)->u == tgi_random(0, 0, 0),
          "coins");
    request.options[TG_OPTION_xtc_threshold] = 0.3;
    keeps(logits, "11111");
    request.options[TG_OPTION_xtc_threshold] = 0.51;
    CHECK(strstr(sample(logits)->stages[0].reason, "off") && isnan(sample(logits)->stages[0].coin),
          "no coin is thrown");
    request.options[TG_OPTION_xtc_threshold] = 0;
    keeps(logits, "00100");
    request.options[TG_OPTION_xtc_probability] = 0.25;
    request.options[TG_OPTION_xtc_threshold] = 0.15;
    int hits = 0;
    for (request.position = 0; request.position < 4000; request.position++)
        hits += sample(logits)->stages[0].removed == 2;
    CHECK(abs(hits - 1000) < 100, "%d of 4,000 at a quarter", hits);
}

static void dynamic_temperature(void)
{
    const float even[4] = {1, 1, 1, 1}, certain[4] = {50, 0, 0, 0},
                two[4] = {1, 0, -INFINITY, -INFINITY};
    begin(TG_STAGE_temperature, 4);
    request.options[TG_OPTION_temperature] = 1;
    request.options[TG_OPTION_dynatemp_range] = 0.5;
    NEAR(sample(even)->stages[0].threshold, 1.5);
    NEAR(sample(certain)->stages[0].threshold, 0.5);
    const double p = 1 / (1 + exp(-1)), share = -(p * log(p) + (1 - p) * log(1 - p)) / log(4);
    NEAR(sample(two)->stages[0].threshold, 0.5 + share);
    request.options[TG_OPTION_dynatemp_exponent] = 2;
    NEAR(sample(two)->stages[0].threshold, 0.5 + share * share);
    request.options[TG_OPTION_dynatemp_range] = 3; /* the temperature does not go below 0 */
    request.options[TG_OPTION_dynatemp_exponent] = 0;
    NEAR(sample(two)->stages[0].threshold, 4);
}

static void mirostat(void)
{
    const float logits[5] = {logf(0.5f), logf(0.25f), logf(0.125f), logf(0.0625f), logf(0.0625f)};
    begin(TG_STAGE_mirostat, 5);
    request.options[TG_OPTION_mirostat] = 2;
    request.mu = 2.5;
    keeps(logits, "11000");
    request.mu = 0.5; /* no token has so little surprise */
    keeps(logits, "10000");
    CHECK(sample(logits)->mu > 0.5, "it moves up: %g", sample(logits)->mu);
    NEAR(sample(logits)->mu, 0.5 + 0.1 * 5);
    request.mu = NAN; /* starts at twice tau */
    keeps(logits, "11111");
    const tg_trace *trace = sample(logits);
    NEAR(trace->mu, 10 - 0.1 * (-log2(trace->p_final) - 5));
    request.options[TG_OPTION_mirostat] = 1;
    request.mu = 2;
    /* by the definition: s over ratios of neighbours, then k */
    double products = 0, squares = 0;
    for (int i = 0; i < 4; i++) {
        const double t = log((i + 2.0) / (i + 1));
        products += t * (logits[i] - (double)logits[i + 1]);
        squares += t * t;
    }
    const double s = products / squares, k = pow((s - 1) * pow(2, 2) / (1 - pow(5, 1 - s)), 1 / s);
    CHECK(k > 1 && k < 4, "%g", k);
    CHECK(sample(logits)->stages[0].kept == (uint32_t)k, "%u, not %g",
          (unsigned)sample(logits)->stages[0].kept, k);
    request.options[TG_OPTION_mirostat] = 0;
    keeps(logits, "11111");
    CHECK(sample(logits)->mu == request.mu, "off leaves mu alone");
}

static void single(void)
{
    /* with one token in the vocabulary, every stage leaves it */
    begin(TG_STAGE_top_k, 1);
    request.n_order = 0;
    for (int stage = 0; stage < TG_STAGE_COUNT; stage++)
        request.order[request.n_order++] = (uint8_t)stage;
    static const double values[3] = {0, 1, 2};
    for (int v = 0; v < 3; v++) {
        request.options[TG_OPTION_mirostat] = values[v];
        request.options[TG_OPTION_xtc_probability] = 1;
        request.options[TG_OPTION_typical_p] = 0;
        request.options[TG_OPTION_top_n_sigma] = 1e-3;
        request.options[TG_OPTION_dynatemp_range] = v;
        keeps((const float[]){-80}, "1");
        CHECK(sample((const float[]){-80})->p_final == 1, "all of it");
    }
    tgi_sampler_free(sampler);
    sampler = NULL;
}

static const tg_test tests[] = {
    {"lists", "biases, allowed and banned tokens, and what they refuse", lists},
    {"penalties", "repeat, frequency and presence over a window", penalties},
    {"dry", "runs, their limits and their breakers", dry},
    {"top_n_sigma", "deviations below the highest", sigma},
    {"typ_p", "the nearest to the entropy", typical},
    {"xtc", "all top choices but the last, at its own coin", xtc},
    {"dynatemp", "temperature by entropy", dynamic_temperature},
    {"mirostat", "both versions and their state", mirostat},
    {"single", "one token survives everything", single},
};
TEST_MAIN(tests)
