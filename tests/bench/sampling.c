/* Measures sampling: the whole chain with its trace, for vocabularies of the usual sizes. Prints
 * one JSON object a line: {"vocab", "chain", "ms"}, the median over many samples of logits like a
 * model's. */
#include "../../src/sample/sample.h"
#include "../native/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TIMES   301
#define WARM    200
#define CONTEXT 1024
#define ROWS    8 /* different sets of logits */

static double seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef tg_status sample_fn(tg_sampler *sampler, const float *logits,
                            const tg_sample_request *request, const tg_trace **trace,
                            tg_error *error);

/* Calls tgi_sample through a volatile pointer, for the reason given in kernels.c. */
static int measure(tg_sampler *sampler, const float *logits, uint32_t vocab,
                   tg_sample_request *request, const char *chain)
{
    sample_fn *volatile sample = tgi_sample;
    static double ms[TIMES];
    tg_error error = {0};
    const tg_trace *trace;
    for (int i = -WARM; i < TIMES; i++) {
        const double start = seconds();
        request->position = CONTEXT + (uint64_t)(i + WARM);
        if (sample(sampler, logits + (size_t)((i + WARM) % ROWS) * vocab, request, &trace,
                   &error)) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        if (i >= 0)
            ms[i] = 1e3 * (seconds() - start);
    }
    qsort(ms, TIMES, sizeof *ms, by_size);
    printf("{\"vocab\": %u, \"chain\": \"%s\", \"ms\": %.4f}\n", (unsigned)vocab, chain,
           ms[TIMES / 2]);
    return 0;
}

int main(void)
{
    static const uint32_t vocabularies[] = {49152, 151936};
    static int32_t context[CONTEXT];
    static const int32_t breakers[] = {1, 13, 1, 200, 2, 5, 9};
    int failed = 0;
    for (size_t v = 0; v < sizeof vocabularies / sizeof *vocabularies; v++) {
        const uint32_t vocab = vocabularies[v];
        test_random r = {v + 1};
        tg_sampler *sampler = tgi_sampler_new(vocab, CONTEXT);
        float *logits = malloc((size_t)ROWS * vocab * sizeof *logits);
        if (!sampler || !logits)
            return 1;
        for (size_t i = 0; i < (size_t)ROWS * vocab; i++) /* a few high ones, as of a model */
            logits[i] = 2.5f * random_gauss(&r) + (random_u32(&r) % 2000 ? 0 : 8);
        for (int i = 0; i < CONTEXT; i++)
            context[i] = (int32_t)(random_u32(&r) % 97);
        tg_sample_request request;
        tg_sample_defaults(&request);
        request.context = context;
        request.n_context = CONTEXT;
        failed |= measure(sampler, logits, vocab, &request, "default, trace of 50");
        request.top_n = 0;
        failed |= measure(sampler, logits, vocab, &request, "default, no trace");
        request.top_n = 50;
        request.options[TG_OPTION_penalty_repeat] = 1.1;
        request.options[TG_OPTION_dry_multiplier] = 0.8;
        request.lists[TG_LIST_dry_sequence_breakers] =
            (tg_list){breakers, NULL, sizeof breakers / sizeof *breakers};
        request.options[TG_OPTION_top_n_sigma] = 4;
        request.options[TG_OPTION_typical_p] = 0.9;
        request.options[TG_OPTION_xtc_probability] = 0.5;
        request.options[TG_OPTION_dynatemp_range] = 0.3;
        failed |= measure(sampler, logits, vocab, &request, "every stage on, trace of 50");
        tg_sample_defaults(&request);
        request.options[TG_OPTION_top_k] = 0;
        failed |= measure(sampler, logits, vocab, &request, "top_k off, trace of 50");
        free(logits);
        tgi_sampler_free(sampler);
    }
    return failed;
}
