/* Prints the memory plans of a 64-bit build, which tests/node/plans.test.mjs compares with those in
 * WebAssembly. Standard input, repeated: n_ctx, n_kv, cache types of keys and of values, threads,
 * and the length of a GGUF header, 32 bits each; then the header. Output, for each header a line:
 * the status, and the bytes of weights, cache and scratch memory. */
#include "../../src/tokenglass.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    enum { N_CTX, N_KV, TYPE_K, TYPE_V, THREADS, LENGTH, N };
    uint32_t in[N];
    while (fread(in, sizeof *in, N, stdin) == N) {
        const tg_model_options options = {.n_ctx = in[N_CTX],
                                          .n_kv = in[N_KV],
                                          .cache_type_k = (tg_cache_type)in[TYPE_K],
                                          .cache_type_v = (tg_cache_type)in[TYPE_V],
                                          .n_threads = in[THREADS]};
        uint8_t *bytes = malloc(in[LENGTH]);
        tg_model *model = tg_model_new(&options);
        if (!bytes || !model || fread(bytes, 1, in[LENGTH], stdin) != in[LENGTH])
            return 1;
        tg_model_plan plan = {0};
        size_t used;
        tg_status status = tg_model_feed(model, bytes, in[LENGTH], &used);
        if (!status)
            status = tg_model_get_plan(model, &plan);
        printf("%d %llu %llu %llu\n", (int)status, (unsigned long long)plan.weights,
               (unsigned long long)plan.kv, (unsigned long long)plan.scratch);
        tg_model_free(model);
        free(bytes);
    }
    return 0;
}
