/* From bytes to logits on small random models: the same bits for any portions, batches, rewinds,
 * and forks; the error codes; the memory plan. */
#include "../../src/tokenglass.h"
#include "test.h"
#include "tiny_session.h"

#include <threads.h>

static void portions(void)
{
    size_t size;
    uint8_t *bytes = tiny_model(tiny_default, 3, &size);
    static const size_t sizes[] = {1, 7, 33, 4096};
    float whole[VOCAB], parts[VOCAB];
    int32_t ids[20];
    fill(ids, 20, 1);
    tg_model *model = load(bytes, size, 0, (tg_model_options){.file_size = size});
    fresh(model, ids, 20, 64, whole);
    tg_model_info a, b;
    tg_model_get_info(model, &a);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        /* the size of the file is not known */
        tg_model *again = load(bytes, size, sizes[i], (tg_model_options){0});
        fresh(again, ids, 20, 64, parts);
        CHECK(same(whole, parts), "portions of %zu", sizes[i]);
        tg_model_get_info(again, &b);
        CHECK(!memcmp(a.fingerprint, b.fingerprint, 32),
              "the fingerprint does not depend on knowing the size beforehand");
        tg_model_free(again);
    }
    for (int i = 0; i < VOCAB; i++)
        CHECK(isfinite(whole[i]), "logit %d is %f", i, whole[i]);
    tg_model_free(model);
    free(bytes);
}

static void cuts(void)
{
    size_t size;
    uint8_t *bytes = tiny_model(tiny_default, 3, &size);
    for (int i = 0; i < 50; i++) {
        const size_t end = size * (size_t)i / 50;
        tg_model *model = tg_model_new(&(tg_model_options){0});
        tg_status status = TG_OK;
        for (size_t at = 0, used; at < end && !status; at += used) {
            status = tg_model_feed(model, bytes + at, end - at, &used);
            if (!status && tg_model_get_state(model) == TG_MODEL_PLANNED)
                status = tg_model_allocate(model);
        }
        if (!status)
            status = tg_model_finish(model);
        CHECK(status == TG_GGUF_TRUNCATED && tg_model_error(model)->offset == (int64_t)end,
              "cut at %zu: %s at %lld", end, tg_status_name(status),
              (long long)tg_model_error(model)->offset);
        CHECK(tg_model_finish(model) == status, "a loading error is final");
        tg_model_free(model);
    }
    free(bytes);
}

/* ---- threads ---- */

typedef struct helper {
    tg_model *model;
    uint32_t thread;
} helper;

static int help(void *context)
{
    const helper *h = context;
    tg_model_thread_main(h->model, h->thread);
    return 0;
}

/* Starts n - 1 further threads that work on the model. */
static void start_helpers(tg_model *model, helper *helpers, thrd_t *threads, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        helpers[i] = (helper){model, i};
        CHECK(thrd_create(&threads[i], help, &helpers[i]) == thrd_success, "thread %u",
              (unsigned)i);
    }
}

/* Frees the model and waits for its threads. */
static void end_helpers(tg_model *model, thrd_t *threads, uint32_t n)
{
    tg_model_free(model);
    for (uint32_t i = 1; i < n; i++)
        thrd_join(threads[i], NULL);
}

static void threads(void)
{
    int32_t ids[100];
    float one[VOCAB], many[VOCAB];
    fill(ids, 100, 4);
    for (int cache = 0; cache < TG_CACHE_TYPE_COUNT; cache++) {
        const tg_model_options options = {.cache_type_k = (tg_cache_type)cache,
                                          .cache_type_v = (tg_cache_type)cache};
        tg_model *alone = load_tiny(wide_heads, options);
        for (uint32_t n = 2; n <= 4; n++) {
            tg_model_options threaded = options;
            helper helpers[4];
            thrd_t handles[4];
            threaded.n_threads = n;
            tg_model *model = load_tiny(wide_heads, threaded);
            start_helpers(model, helpers, handles, n);
            for (size_t batch = 1; batch <= 64; batch *= 8) {
                fresh(alone, ids, 100, batch, one);
                fresh(model, ids, 100, batch, many);
                CHECK(same(one, many), "cache %d, %u threads, batches of %zu", cache, (unsigned)n,
                      batch);
            }
            end_helpers(model, handles, n);
        }
        tg_model_free(alone);
    }
}

static void lost_thread(void)
{
    int32_t ids[20];
    tg_session *session = NULL, *other = NULL;
    tg_score scores[3];
    tg_model *model = load_tiny(tiny_default, (tg_model_options){.n_threads = 2});
    fill(ids, 20, 5);
    CHECK(!tg_session_new(model, &session) && !tg_session_sync(session, ids, 20) &&
              !tg_session_eval(session, 10, 0),
          "%s", tg_model_error(model)->message);
    tg_model_thread_died(model);
    CHECK(tg_session_eval(session, 10, 0) == TG_THREAD_LOST, "eval");
    CHECK(tg_session_pending(session) == 10, "nothing counts as run: %zu",
          tg_session_pending(session));
    CHECK(!tg_session_rewind(session, 10), "a rewind needs no thread");
    CHECK(!tg_session_new(model, &other), "nor does a new session");
    CHECK(!tg_session_append(other, 1) && !tg_session_append(session, 1), "nor do tokens");
    CHECK(tg_sessions_eval((tg_session *[]){other, session}, 2, 10, 0) == TG_THREAD_LOST,
          "a batch of two sessions");
    tg_session_free(other);
    CHECK(!tg_session_rewind(session, 10), "a rewind needs no thread");
    CHECK(tg_session_score(session, ids, 3, 0, scores, NULL) == TG_THREAD_LOST, "score");
    tg_session_free(session);
    tg_model_free(model);
}

/* A clock that reports a thread as dead when it is read for the n-th time: within any step. */
static tg_model *dying;
static int reads_left;

static double deadly_clock(void)
{
    if (reads_left-- == 0)
        tg_model_thread_died(dying);
    return 0;
}

static void lost_anywhere(void)
{
    int32_t ids[20];
    fill(ids, 20, 5);
    bool survived = false;
    for (int n_reads = 1; !survived; n_reads++) {
        tg_session *session = NULL;
        const float *logits;
        dying = load_tiny(tiny_default, (tg_model_options){.n_threads = 2, .clock = deadly_clock});
        reads_left = INT32_MAX;
        CHECK(!tg_session_new(dying, &session) && !tg_session_sync(session, ids, 10) &&
                  !tg_session_eval(session, 10, 0),
              "%s", tg_model_error(dying)->message);
        CHECK(!tg_session_sync(session, ids, 20), "%s", tg_model_error(dying)->message);
        reads_left = n_reads;
        const tg_status status = tg_session_eval(session, 10, 0);
        CHECK(!status || (status == TG_THREAD_LOST && tg_session_logits(session, &logits)),
              "clock read %d times: logits of %zu tokens, although their run ended with %s",
              n_reads, (size_t)20, tg_status_name(status));
        survived = reads_left >= 0;
        tg_session_free(session);
        tg_model_free(dying);
    }
}

static void batches(void)
{
    int32_t ids[100];
    float one[VOCAB], many[VOCAB];
    fill(ids, 100, 2);
    for (int type = 0; type < TG_QUANT_COUNT; type++) {
        /* slow, so they are tested with one cache type each and fewer lengths */
        const bool long_rows = tg_quants[type].block > 32;
        const size_t longest = long_rows ? 12 : 100;
        const bool one_cache = long_rows && !test_all();
        for (int cache = one_cache ? type % 3 : 0;
             cache < (one_cache ? type % 3 + 1 : TG_CACHE_TYPE_COUNT); cache++) {
            /* one cache type with all lengths and batches, the others with the longest */
            const bool few = cache != type % 3 && !test_all();
            tiny_shape shape = wide_heads;
            if (long_rows)
                shape = (tiny_shape){256, 1, 2, 1, 256, VOCAB, 160, TG_QUANT_Q8_0, 1};
            shape.type = (tg_quant)type;
            shape.tied = type % 2;
            tg_model *model = load_tiny(
                shape, (tg_model_options){.cache_type_k = (tg_cache_type)cache,
                                          .cache_type_v = (tg_cache_type)((cache + type) % 3)});
            for (size_t n = few ? longest : 1; n <= longest; n += long_rows ? 11 : 33) {
                fresh(model, ids, n, 1, one);
                static const size_t sizes[] = {7, 1000, 2, 31, 32, 64};
                for (size_t i = 0; i < (few || long_rows ? 2 : sizeof sizes / sizeof sizes[0]);
                     i++) {
                    fresh(model, ids, n, sizes[i], many);
                    CHECK(same(one, many), "%s, cache %d: %zu tokens in batches of %zu",
                          tg_quants[type].name, cache, n, sizes[i]);
                }
            }
            tg_model_free(model);
        }
    }
}

/* One token's activations overflow in the first layer; the tokens after it see them in the second.
 */
static void broken_position(void)
{
    enum { BROKEN = 9 };
    tiny_shape shape = wide_heads;
    shape.type = TG_QUANT_F32;
    size_t size;
    uint8_t *bytes = tiny_model(shape, 3, &size);
    const size_t kv = shape.dim / shape.heads * shape.kv_heads;
    /* floats of the tensors, in the order of tiny_model.h */
    const size_t embd = shape.dim * shape.vocab,
                 attn = 2 * shape.dim + 2 * shape.dim * (shape.dim + 2 * kv);
    const size_t all = embd + shape.dim + attn + 2 * shape.dim * shape.dim + 2 * shape.dim +
                       6 * shape.dim * shape.ffn;
    float *weights = (float *)(bytes + size) - all; /* no tensor needs padding */
    float *output = weights + embd + shape.dim + attn,
          *gate = output + 2 * shape.dim * shape.dim + 2 * shape.dim;
    for (size_t t = 0; t < shape.vocab; t++) /* only this token has a value in element 0 ... */
        weights[t * shape.dim] = t == BROKEN ? 8 : 0;
    memset(output, 0, shape.dim * sizeof *output);
    for (size_t i = 0; i < shape.ffn; i++) /* ... which the feed-forward network makes infinite */
        gate[i * shape.dim] = gate[(i + 2 * shape.ffn) * shape.dim] = 1e25f;
    for (int cache = 0; cache < TG_CACHE_TYPE_COUNT; cache++) {
        tg_model *model = load(bytes, size, 0,
                               (tg_model_options){.cache_type_k = (tg_cache_type)cache,
                                                  .cache_type_v = (tg_cache_type)cache});
        int32_t ids[] = {5, 6, 7, 8, 10, 11, 12, 13};
        float logits[VOCAB];
        fresh(model, ids, 8, 8, logits);
        CHECK(isfinite(logits[0]), "cache %d: without the broken token", cache);
        ids[3] = BROKEN;
        fresh(model, ids, 8, 8, logits);
        CHECK(isnan(logits[0]),
              "cache %d: four tokens after the broken one the logits are not NaN: %g", cache,
              logits[0]);
        tg_model_free(model);
    }
    free(bytes);
}

static void branches_in(tg_cache_type cache, uint32_t n_kv)
{
    tg_model *model = load_tiny(
        wide_heads, (tg_model_options){.n_kv = n_kv, .cache_type_k = cache, .cache_type_v = cache});
    test_random r = {9};
    tg_session *sessions[6];
    float expected[VOCAB];
    for (int i = 0; i < 6; i++) {
        CHECK(!tg_session_new(model, &sessions[i]), "%s", tg_model_error(model)->message);
        CHECK(!tg_session_append(sessions[i], 1), "%s", tg_model_error(model)->message);
    }
    for (int round = 0; round < 300; round++) {
        const uint32_t i = random_u32(&r) % 6;
        tg_session *s = sessions[i];
        size_t n;
        tg_session_tokens(s, &n);
        switch (random_u32(&r) % 5) {
        case 0:
            CHECK(!tg_session_rewind(s, 1 + random_u32(&r) % n), "%s",
                  tg_model_error(model)->message);
            break;
        case 1: {
            const uint32_t other = (i + 1 + random_u32(&r) % 5) % 6;
            tg_session_free(sessions[other]);
            CHECK(!tg_session_fork(s, &sessions[other]), "%s", tg_model_error(model)->message);
            break;
        }
        case 2: { /* another text with a common prefix */
            int32_t ids[150];
            size_t length = 1 + random_u32(&r) % 150, common = random_u32(&r) % (length + 1);
            fill(ids, length, round + 1);
            const int32_t *tokens = tg_session_tokens(s, &n);
            memcpy(ids, tokens, (common < n ? common : n) * sizeof *ids);
            CHECK(!tg_session_sync(s, ids, length), "%s", tg_model_error(model)->message);
            break;
        }
        default:
            for (uint32_t k = random_u32(&r) % 20; k && n < 160; k--, n++)
                CHECK(!tg_session_append(s, (int32_t)(random_u32(&r) % VOCAB)), "%s",
                      tg_model_error(model)->message);
        }
        if (random_u32(&r) % 3 == 0)
            CHECK(!tg_session_eval(s, random_u32(&r) % 40, random_u32(&r) % 3), "%s",
                  tg_model_error(model)->message);
        if (round % 10 == 9) {
            const float *logits;
            const int32_t *tokens = tg_session_tokens(s, &n);
            CHECK(!tg_session_eval(s, SIZE_MAX, 0) && !tg_session_logits(s, &logits), "%s",
                  tg_model_error(model)->message);
            fresh(model, tokens, n, 64, expected);
            CHECK(same(logits, expected),
                  "session %u differs from a fresh run of its %zu tokens in round %d", (unsigned)i,
                  n, round);
        }
    }
    for (int i = 0; i < 6; i++)
        tg_session_free(sessions[i]);
    /* every page was given back: the whole pool can be taken again */
    float logits[VOCAB];
    int32_t ids[160];
    fill(ids, 160, 4);
    fresh(model, ids, 160, 64, logits);
    tg_model_free(model);
}

/* A pending batch has taken pages after the cached positions. A fork must not share them, or both
 * sessions would write their own tokens into them. */
static void fork_pending_batch(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_kv = 1024});
    tg_session *session = NULL, *fork = NULL;
    int32_t ids[100];
    float expected[VOCAB];
    const float *logits;
    const int32_t *tokens;
    size_t n;
    fill(ids, 100, 6);
    CHECK(!tg_session_new(model, &session) && !tg_session_sync(session, ids, 70) &&
              !tg_session_eval(session, 10, 0) && !tg_session_eval(session, 60, 1) &&
              tg_session_has_pending_batch(session),
          "60 tokens are in the pending batch, the last of them in the third page");
    CHECK(!tg_session_fork(session, &fork), "%s", tg_model_error(model)->message);
    for (int i = 0; i < 10; i++)
        CHECK(!tg_session_append(session, ids[70 + i]) && !tg_session_append(fork, ids[80 + i]),
              "both continue, with different tokens");
    CHECK(!tg_session_eval(fork, SIZE_MAX, 0) && !tg_session_eval(session, SIZE_MAX, 0), "%s",
          tg_model_error(model)->message);
    tg_session *const both[] = {session, fork};
    for (int i = 0; i < 2; i++) {
        CHECK(!tg_session_append(both[i], 5) && !tg_session_eval(both[i], 1, 0) &&
                  !tg_session_logits(both[i], &logits),
              "%s", tg_model_error(model)->message);
        tokens = tg_session_tokens(both[i], &n);
        fresh(model, tokens, n, 64, expected);
        CHECK(same(logits, expected), "%s differs from a fresh run",
              i ? "the fork" : "the forked session");
    }
    tg_session_free(fork);
    tg_session_free(session);
    tg_model_free(model);
}

static void scores(void)
{
    tg_model *model = load_tiny(tiny_default, (tg_model_options){0});
    int32_t ids[150];
    tg_score whole[150], parts[150];
    float logits[VOCAB];
    tg_session *session = NULL;
    fill(ids, 150, 5);
    CHECK(!tg_session_new(model, &session) && !tg_session_score(session, ids, 150, 0, whole, NULL),
          "%s", tg_model_error(model)->message);
    tg_session_free(session);
    CHECK(!tg_session_new(model, &session) && !tg_session_score(session, ids, 3, 0, parts, NULL) &&
              !tg_session_score(session, ids + 3, 147, 0, parts + 3, NULL),
          "%s", tg_model_error(model)->message);
    CHECK(!memcmp(whole + 1, parts + 1, 149 * sizeof *whole), "a text scored in two parts");
    CHECK(isnan(whole[0].logprob), "the first token has no distribution");
    for (size_t i = 1; i < 150; i += 13) {
        fresh(model, ids, i, 64, logits);
        double sum = 0, max = -INFINITY, entropy = 0, above = 0;
        int rank = 0, tied = -1;
        for (int k = 0; k < VOCAB; k++)
            max = fmax(max, logits[k]);
        for (int k = 0; k < VOCAB; k++)
            sum += exp(logits[k] - max);
        for (int k = 0; k < VOCAB; k++) {
            const double p = exp(logits[k] - max) / sum;
            entropy -= p > 0 ? p * log(p) : 0;
            if (logits[k] > logits[ids[i]])
                rank++, above += p;
            tied += logits[k] == logits[ids[i]];
        }
        CHECK(fabs(whole[i].logprob - (logits[ids[i]] - max - log(sum))) < 1e-5,
              "log-probability of token %zu", i);
        CHECK(whole[i].rank == rank && whole[i].tied == tied &&
                  fabs(whole[i].entropy - entropy) < 1e-5 && fabs(whole[i].top_mass - above) < 1e-5,
              "measures of token %zu", i);
    }
    CHECK(tg_session_score(session, ids, 11, 0, parts, NULL) == TG_CONTEXT_FULL,
          "more than the context");
    tg_session_free(session);
    tg_model_free(model);
}

static void limits(void)
{
    tg_model *model = load_tiny(tiny_default, (tg_model_options){.n_ctx = 64, .n_kv = 96});
    int32_t ids[65];
    const float *logits;
    const tg_trace *trace;
    tg_sample_request request;
    tg_session *a = NULL, *b = NULL;
    fill(ids, 65, 6);
    tg_sample_defaults(&request);
    CHECK(!tg_session_new(model, &a) && !tg_session_new(model, &b), "%s",
          tg_model_error(model)->message);
    CHECK(tg_session_logits(a, &logits) == TG_SESSION_EMPTY, "no logits before the first token");
    CHECK(tg_session_sample(a, &request, &trace) == TG_SESSION_EMPTY,
          "no sampling before the first token");
    CHECK(tg_session_sync(a, ids, 65) == TG_CONTEXT_FULL, "longer than the context");
    CHECK(!tg_session_sync(a, ids, 64) && tg_session_logits(a, &logits) == TG_MODEL_NOT_READY,
          "pending tokens");
    CHECK(!tg_session_eval(a, 64, 0) && !tg_session_logits(a, &logits), "%s",
          tg_model_error(model)->message);
    CHECK(tg_session_append(a, 5) == TG_CONTEXT_FULL, "one more than the context");
    CHECK(tg_session_rewind(a, 65) == TG_POSITION_OUT_OF_RANGE, "more than there are");
    CHECK(!tg_session_sync(b, ids, 40) && !tg_session_eval(b, 64, 0),
          "the pool has 3 pages, 2 are taken: a loses one");
    CHECK(!tg_session_pending(a) && !tg_session_logits(a, &logits), "a keeps its logits");
    tg_session_free(a);
    ids[0] = VOCAB;
    CHECK(tg_session_sync(b, ids, 1) == TG_TOKEN_OUT_OF_RANGE &&
              tg_session_append(b, -1) == TG_TOKEN_OUT_OF_RANGE,
          "ids outside the vocabulary");
    CHECK(!tg_session_sample(b, &request, &trace) && trace->token >= 0 && trace->token < VOCAB,
          "%s", tg_model_error(model)->message);
    CHECK(tg_model_n_decoded(model) == 64 + 40, "%llu tokens were run",
          (unsigned long long)tg_model_n_decoded(model));
    tg_session_free(b);
    tg_model_free(model);
}

static void plan(void)
{
    size_t size;
    uint8_t *bytes = tiny_model(tiny_default, 3, &size);
    tg_model *model = load(bytes, size, 1000, (tg_model_options){.file_size = size});
    tg_model_plan p;
    tg_model_info info;
    CHECK(!tg_model_get_plan(model, &p) && !tg_model_get_info(model, &info), "%s",
          tg_model_error(model)->message);
    CHECK(p.file == size, "file %llu, not %zu", (unsigned long long)p.file, size);
    CHECK(p.kv >= 320u * 2 * 2 * 2 * 16 * 4 && p.kv < 330u * 2 * 2 * 2 * 16 * 4 + 4096,
          "320 positions take %llu", (unsigned long long)p.kv);
    CHECK(p.weights >= size / 2 && p.weights < size * 107 / 100, "weights %llu of a file of %zu",
          (unsigned long long)p.weights, size);
    CHECK(info.n_ctx == 160 && info.n_kv == 320 && info.n_vocab == VOCAB && info.n_layer == 2 &&
              info.tied_output,
          "the shape");
    CHECK(info.n_params == 301 * 64 + 64 + 2 * (2 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64),
          "%llu parameters", (unsigned long long)info.n_params);
    tg_model_free(model);
    model = load(bytes, size, 0, (tg_model_options){.vocab_only = true});
    tg_session *session = NULL;
    CHECK(tg_session_new(model, &session) == TG_MODEL_NOT_READY,
          "a vocabulary alone has no sessions");
    int32_t ids[8];
    size_t n;
    CHECK(!tg_model_tokenize(model, "ab", 2, 0, ids, NULL, 8, &n) && n > 0, "but tokens");
    tg_model_free(model);
    free(bytes);
}

static void branches(void)
{
    for (int cache = 0; cache < TG_CACHE_TYPE_COUNT; cache++)
        /* a pool for all sessions, and smaller ones, in which they lose pages */
        for (uint32_t n_kv = 4096; n_kv >= 256; n_kv /= 4)
            branches_in((tg_cache_type)cache, n_kv);
}

static const tg_test tests[] = {
    {"session-portions", "a file fed in portions of any size gives the same bits", portions},
    {"session-cuts", "a file cut at every 1/50 is refused with the byte", cuts},
    {"session-batches", "every weight and cache type: the same bits in batches of any size",
     batches},
    {"session-threads", "any number of threads gives the same bits", threads},
    {"session-lost-thread",
     "with a dead thread every run fails with its code, and no token is lost", lost_thread},
    {"session-lost-anywhere",
     "wherever in a run a thread dies, old logits are not taken for new ones", lost_anywhere},
    {"session-broken-position",
     "NaN at one position reaches the logits of later ones, with every cache type",
     broken_position},
    {"session-branches", "random rewinds, forks and new texts equal fresh runs bit for bit",
     branches},
    {"session-fork-pending",
     "a fork during a pending batch shares no page that is still to be written",
     fork_pending_batch},
    {"session-scores", "scores equal a plain recomputation from logits", scores},
    {"session-limits", "full context, full cache, empty sessions and bad ids have their codes",
     limits},
    {"session-plan", "memory plan, shape and vocabulary-only models", plan},
};
TEST_MAIN(tests)
