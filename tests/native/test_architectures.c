/* Architectures whose layers cache or see other things than llama's (windows, soft caps, short
 * convolutions, delta nets, experts), on their golden files: the same bits for any batches,
 * threads, rewinds, forks and cache types, and after saving. */
#include "../../src/session/model.h"
#include "golden_file.h"
#include "test.h"
#include "tiny_session.h"

#include <threads.h>

enum { N = 150 };

static int help(void *context)
{
    tg_model_thread_main(context, 1);
    return 0;
}

/* One token at a time, in batches, by two threads. */
static void batches(const uint8_t *bytes, size_t size, tg_model *model, tg_model_options options)
{
    int32_t ids[N];
    float one[VOCAB], many[VOCAB];
    fill(ids, N, 7);
    fresh(model, ids, N, 1, one);
    for (size_t batch = 5; batch <= N; batch = batch * 3 - 1) {
        fresh(model, ids, N, batch, many);
        CHECK(same(one, many), "in batches of %zu", batch);
    }
    for (int i = 0; i < VOCAB; i++)
        CHECK(isfinite(one[i]), "logit %d is %f", i, one[i]);
    options.n_threads = 2;
    tg_model *threaded = load(bytes, size, 0, options);
    thrd_t thread;
    CHECK(thrd_create(&thread, help, threaded) == thrd_success, "a thread");
    fresh(threaded, ids, N, 64, many);
    CHECK(same(one, many), "with two threads");
    tg_model_free(threaded);
    thrd_join(thread, NULL);
}

/* Random rewinds, forks and new tokens, compared with fresh runs; and a saved session. */
static void branches(tg_model *model)
{
    test_random r = {9};
    tg_session *sessions[3];
    float expected[VOCAB];
    const float *logits;
    size_t n;
    for (int i = 0; i < 3; i++)
        CHECK(!tg_session_new(model, &sessions[i]) && !tg_session_append(sessions[i], 1), "%s",
              tg_model_error(model)->message);
    for (int round = 0; round < (test_all() ? 60 : 30); round++) {
        const uint32_t i = random_u32(&r) % 3, other = (i + 1 + random_u32(&r) % 2) % 3;
        tg_session *s = sessions[i];
        tg_session_tokens(s, &n);
        if (round % 3 == 0)
            CHECK(!tg_session_rewind(s, 1 + random_u32(&r) % n), "%s",
                  tg_model_error(model)->message);
        if (round % 3 == 1) {
            tg_session_free(sessions[other]);
            CHECK(!tg_session_fork(s, &sessions[other]), "%s", tg_model_error(model)->message);
        }
        tg_session_tokens(s, &n);
        for (uint32_t k = random_u32(&r) % 30; k && n < N; k--, n++)
            CHECK(!tg_session_append(s, (int32_t)(random_u32(&r) % VOCAB)), "%s",
                  tg_model_error(model)->message);
        CHECK(!tg_session_eval(s, 1 + random_u32(&r) % 40, 1), "%s",
              tg_model_error(model)->message);
        if (round % 5 == 4) {
            const int32_t *tokens = tg_session_tokens(s, &n);
            CHECK(!tg_session_eval(s, SIZE_MAX, 0), "%s", tg_model_error(model)->message);
            while (tg_session_pending(s))
                CHECK(!tg_session_eval(s, SIZE_MAX, 0), "%s", tg_model_error(model)->message);
            CHECK(!tg_session_logits(s, &logits), "%s", tg_model_error(model)->message);
            fresh(model, tokens, n, 64, expected);
            CHECK(same(logits, expected), "%zu tokens in round %d", n, round);
        }
    }
    /* a snapshot, loaded as another session, which continues */
    tg_session *loaded = NULL;
    void *from, *to;
    size_t length, total = 0;
    while (tg_session_pending(sessions[0]))
        CHECK(!tg_session_eval(sessions[0], SIZE_MAX, 0), "%s", tg_model_error(model)->message);
    tg_session_save_snapshot_begin(sessions[0], 0);
    for (uint32_t i = 0; tg_session_snapshot_chunk(sessions[0], i, &from, &length); i++)
        total += length;
    CHECK(tg_session_snapshot_chunk(sessions[0], 0, &from, &length) &&
              !tg_session_load_snapshot_begin(model, from, total, &loaded),
          "%s", tg_model_error(model)->message);
    for (uint32_t i = 1; loaded && tg_session_snapshot_chunk(sessions[0], i, &from, &length); i++)
        if (tg_session_snapshot_chunk(loaded, i, &to, &length))
            memcpy(to, from, length);
    CHECK(loaded && !tg_session_load_snapshot_commit(loaded) && !tg_session_append(loaded, 5), "%s",
          tg_model_error(model)->message);
    const int32_t *tokens = tg_session_tokens(loaded, &n);
    CHECK(!tg_session_eval(loaded, SIZE_MAX, 0) && !tg_session_logits(loaded, &logits), "%s",
          tg_model_error(model)->message);
    fresh(model, tokens, n, 64, expected);
    CHECK(same(logits, expected), "a loaded session continues");
    tg_session_free(loaded);
    for (int i = 0; i < 3; i++)
        tg_session_free(sessions[i]);
}

static void all(const char *name)
{
    size_t size;
    uint8_t *bytes = read_file("valid/", name, &size);
    if (!bytes) {
        SKIP("the golden files are found only from the project's root");
        return;
    }
    for (int cache = 0; cache < TG_CACHE_TYPE_COUNT; cache++) {
        const tg_model_options options = {.cache_type_k = (tg_cache_type)cache,
                                          .cache_type_v = (tg_cache_type)cache,
                                          .n_ctx = 160,
                                          .n_kv = 640};
        tg_model *model = load(bytes, size, 0, options);
        batches(bytes, size, model, options);
        branches(model);
        tg_model_free(model);
    }
    free(bytes);
}

static void gemma2(void)
{
    all("gemma2.gguf");
}

static void gemma4(void)
{
    all("gemma4.gguf");
}

static void lfm2(void)
{
    all("lfm2.gguf");
}

/* The same sessions with hardly more slots than sessions, so that they take slots from each other;
 * and how few tokens are run again when a session goes back. */
static void few_slots(void)
{
    size_t size;
    uint8_t *bytes = read_file("valid/", "qwen35.gguf", &size);
    if (!bytes) {
        SKIP("the golden files are found only from the project's root");
        return;
    }
    for (uint32_t n_slots = 2; n_slots < 8; n_slots++) {
        tg_model *model = load(bytes, size, 0, (tg_model_options){.n_ctx = 160, .n_kv = 640});
        model->cache.recurrent.n_slots = n_slots;
        branches(model);
        for (uint32_t i = 0; i < n_slots; i++)
            CHECK(!model->cache.recurrent.refs[i],
                  "a slot of %u is still taken although all sessions are freed", (unsigned)n_slots);
        tg_model_free(model);
    }
    tg_model *model = load(bytes, size, 0, (tg_model_options){.n_ctx = 160});
    tg_session *s;
    int32_t ids[N];
    fill(ids, N, 5);
    CHECK(!tg_session_new(model, &s), "%s", tg_model_error(model)->message);
    for (size_t n = 1; n <= N; n++)
        CHECK(!tg_session_append(s, ids[n - 1]) && !tg_session_eval(s, 1, 0), "%s",
              tg_model_error(model)->message);
    for (size_t n = N - 1; n > 8; n -= 7) {
        CHECK(!tg_session_rewind(s, n), "%s", tg_model_error(model)->message);
        CHECK(tg_session_pending(s) <= TG_CHECKPOINT_INTERVAL,
              "%zu tokens to run again after going back to %zu", tg_session_pending(s), n);
    }
    tg_session_free(s);
    tg_model_free(model);
    free(bytes);
}

static void qwen35(void)
{
    all("qwen35.gguf");
}

static void granitemoe(void)
{
    all("granitemoe.gguf");
}

static const tg_test tests[] = {
    {"architectures-windows", "windows and caps: the same bits in any batch and branch", gemma2},
    {"architectures-varied",
     "the same with layers of several widths, shared caches, embeddings for each layer", gemma4},
    {"architectures-conv", "the same with short convolutions", lfm2},
    {"architectures-recurrent", "the same with gated delta nets", qwen35},
    {"architectures-few-slots", "sessions that take recurrent states from each other", few_slots},
    {"architectures-experts", "the same with mixtures of experts", granitemoe},
};
TEST_MAIN(tests)
