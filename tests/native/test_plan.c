/* Sessions with edits and observations, with memory that is checked: random texts in parts, in the
 * company of others, in forks, after rewinds and evictions, have the bits of a run alone; and an
 * observation writes its results and nothing beside them. tests/node/observe.test.mjs compares the
 * numbers with a float64 pass. */
#include "../../src/tokenglass.h"
#include "test.h"
#include "tiny_session.h"

#include <math.h>
#include <threads.h>

enum { N_CTX = 160, SESSIONS = 6, N_EMBD = 64 };

#define CHECK_OK(call) CHECK(!(call), "%s", tg_model_error(model)->message)
#define OPTION(name)   [TG_EDIT_OPTION_##name]

static const uint32_t first_layer[] = {0}, second[] = {1}, both[] = {0, 1}, heads[] = {1},
                      hidden[] = {0, 7, 40}, at[] = {33}, copied[] = {5, 60}, back[] = {60, 5};
static float values[N_EMBD];
static const uint8_t mask[9] = {1, 0, 0, 0, 1, 0, 1, 0, 1};
static const double halved[TG_EDIT_OPTION_COUNT] = {OPTION(head_scale) = 0.5,
                                                    OPTION(feed_forward_scale) = 0.5};
static const double added[TG_EDIT_OPTION_COUNT] = {OPTION(residual_add) = 1};
static const double masked[TG_EDIT_OPTION_COUNT] = {OPTION(visible_sees) = TG_SEES_MASK};
static const double first_only[TG_EDIT_OPTION_COUNT] = {OPTION(visible_sees) =
                                                            TG_SEES_SELF_AND_FIRST};
static const double few[TG_EDIT_OPTION_COUNT] = {OPTION(keep_top_keep) = 3,
                                                 OPTION(keep_top_recent) = 2};

#define LAYERS(list)    .layers = list, .n_layers = sizeof(list) / sizeof *(list)
#define HEADS(list)     .heads = list, .n_heads = sizeof(list) / sizeof *(list)
#define POSITIONS(list) .positions = list, .n_positions = sizeof(list) / sizeof *(list)

/* Sets of edits: set i is edits[i][0 .. n_edits[i]). */
static const tg_edit edits[SESSIONS][3] = {
    {{0}},
    {{TG_EDIT_head, LAYERS(second), HEADS(heads), .options = halved},
     {TG_EDIT_feed_forward, LAYERS(first_layer), .options = halved},
     {TG_EDIT_residual, LAYERS(second), POSITIONS(at), .values = values, .n_values = N_EMBD,
      .options = added}},
    {{TG_EDIT_hide, POSITIONS(hidden)},
     {TG_EDIT_visible, LAYERS(first_layer), .bytes = mask, .n_bytes = 9, .options = masked}},
    {{TG_EDIT_keep_top, .options = few}, {TG_EDIT_visible, LAYERS(second), .options = first_only}},
    {{TG_EDIT_copy_residual, LAYERS(both), POSITIONS(copied)}},
    {{TG_EDIT_keep_top, LAYERS(second), HEADS(heads), .options = few}},
};
static const size_t n_edits[SESSIONS] = {0, 3, 2, 2, 1, 1};

static tg_session *new_session(tg_model *model, size_t set)
{
    tg_session *session = NULL;
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_set_edits(session, edits[set], n_edits[set]));
    return session;
}

static void expect_alone(tg_model *alone, tg_session *session, size_t set)
{
    tg_model *model = alone;
    const float *logits, *expected;
    size_t n;
    const int32_t *tokens = tg_session_tokens(session, &n);
    tg_session *other = new_session(alone, set);
    CHECK_OK(tg_session_sync(other, tokens, n));
    CHECK_OK(tg_session_eval(other, SIZE_MAX, 0));
    CHECK_OK(tg_session_logits(other, &expected));
    CHECK(!tg_session_logits(session, &logits) && same(logits, expected), "set %zu, %zu tokens",
          set, n);
    tg_session_free(other);
}

static int help(void *context)
{
    tg_model_thread_main(context, 1);
    return 0;
}

static void random_sessions(tg_cache_type cache, uint32_t n_threads)
{
    const tg_model_options options = {
        .n_ctx = N_CTX, .n_kv = 3 * N_CTX, .cache_type_k = cache, .cache_type_v = cache};
    tg_model_options threaded = options;
    threaded.n_threads = n_threads;
    tg_model *model = load_tiny(wide_heads, threaded), *alone = load_tiny(wide_heads, options);
    thrd_t thread;
    if (n_threads > 1)
        CHECK(thrd_create(&thread, help, model) == thrd_success, "a thread");
    test_random r = {7 + (uint64_t)cache};
    tg_session *s[SESSIONS];
    for (size_t i = 0; i < SESSIONS; i++) {
        s[i] = new_session(model, i);
        CHECK_OK(tg_session_append(s[i], (int32_t)i));
    }
    for (int round = 0; round < (test_all() ? 60 : 10); round++) {
        const size_t k = random_u32(&r) % SESSIONS;
        size_t n;
        if (random_u32(&r) % 4 == 0) { /* a fork has the edits of its session */
            tg_session *fork;
            CHECK_OK(tg_session_fork(s[k], &fork));
            tg_session_free(s[k]);
            s[k] = fork;
        }
        for (size_t i = 0; i < SESSIONS; i++) {
            tg_session_tokens(s[i], &n);
            if (random_u32(&r) % 5 == 0)
                CHECK_OK(tg_session_rewind(s[i], 1 + random_u32(&r) % n));
            tg_session_tokens(s[i], &n);
            for (uint32_t m = random_u32(&r) % 30; m && n < N_CTX; m--, n++)
                CHECK_OK(tg_session_append(s[i], (int32_t)(random_u32(&r) % VOCAB)));
        }
        for (int calls = 0; calls < 30; calls++) {
            tg_session *set[SESSIONS];
            n = 0;
            for (size_t i = 0; i < SESSIONS; i++)
                if (tg_session_pending(s[i]) && random_u32(&r) % 3)
                    set[n++] = s[i];
            if (n)
                CHECK_OK(tg_sessions_eval(set, n, 1 + random_u32(&r) % 60, random_u32(&r) % 3));
        }
        for (size_t i = 0; i < SESSIONS; i++)
            if (!tg_session_pending(s[i]))
                expect_alone(alone, s[i], i);
    }
    for (size_t i = 0; i < SESSIONS; i++)
        tg_session_free(s[i]);
    tg_model_free(model);
    if (n_threads > 1)
        thrd_join(thread, NULL);
    tg_model_free(alone);
}

static void test_company(void)
{
    for (uint32_t i = 0; i < N_EMBD; i++)
        values[i] = sinf((float)i);
    random_sessions(TG_CACHE_F32, 1);
    random_sessions(TG_CACHE_Q8_0, 2);
}

/* A copy to an earlier position waits for the tokens, and runs both positions in one batch. */
static void test_backward(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = N_CTX});
    const tg_edit edit = {TG_EDIT_copy_residual, LAYERS(both), POSITIONS(back)};
    tg_session *session;
    uint32_t first, n;
    int32_t ids[100];
    fill(ids, 100, 3);
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_set_edits(session, &edit, 1));
    CHECK_OK(tg_session_sync(session, ids, 50));
    CHECK_OK(tg_session_next_batch(session, 8, &first, &n));
    CHECK(first == 0 && n == 5, "the batch ends before the copy: %u", (unsigned)n);
    CHECK(tg_session_eval(session, SIZE_MAX, 0) == TG_POSITION_OUT_OF_RANGE, "%s",
          tg_model_error(model)->message);
    CHECK_OK(tg_session_sync(session, ids, 100));
    CHECK_OK(tg_session_next_batch(session, 8, &first, &n));
    CHECK(first == 5 && n == 56, "positions %u and %u more", (unsigned)first, (unsigned)n);
    CHECK_OK(tg_session_eval(session, 8, 0));
    CHECK(tg_session_pending(session) == 39, "%zu", tg_session_pending(session));
    tg_session_free(session);
    tg_model_free(model);
}

/* An observation of some positions fills exactly its arrays, which are allocated by their size. */
static void test_observation(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = N_CTX});
    enum { N = 140 };
    const uint32_t positions[] = {0, 37, 129, 139}, boundaries[] = {0, 2}, all_heads[] = {0, 1};
    const int32_t targets[] = {5};
    int32_t ids[N];
    uint32_t n_done;
    fill(ids, N, 4);
    for (size_t set = 0; set < SESSIONS; set++) {
        tg_session *session = new_session(model, set);
        tg_observation seen = {
            .logit_positions = positions,
            .residual_layers = boundaries,
            .residual_positions = positions,
            .lens_layers = boundaries,
            .lens_positions = positions,
            .lens_targets = targets,
            .attention_layers = both,
            .attention_heads = all_heads,
            .attention_queries = positions,
            .output_layers = both,
            .output_heads = heads,
            .output_positions = positions,
            .n_logit_positions = 4,
            .n_residual_layers = 2,
            .n_residual_positions = 4,
            .n_lens_layers = 2,
            .n_lens_positions = 4,
            .n_lens_targets = 1,
            .lens_top_n = 3,
            .n_attention_layers = 2,
            .n_attention_heads = 2,
            .n_attention_queries = 4,
            .n_keys = N,
            .n_output_layers = 2,
            .n_output_heads = 1,
            .n_output_positions = 4,
        };
        seen.logits = malloc(sizeof(float) * 4 * VOCAB);
        seen.residuals = malloc(sizeof(float) * 2 * 4 * N_EMBD);
        seen.lens_tops = malloc(sizeof(tg_top) * 2 * 4 * 3);
        seen.lens_entropies = malloc(sizeof(float) * 2 * 4);
        seen.lens_scores = malloc(sizeof(tg_lens_target) * 2 * 4);
        seen.attention = malloc(sizeof(float) * 2 * 2 * 4 * N);
        seen.outputs = malloc(sizeof(float) * 2 * 4 * 32);
        CHECK_OK(tg_session_sync(session, ids, N));
        for (uint32_t done = 0; done < N; done += n_done) {
            CHECK_OK(tg_session_observe(session, &seen, 50, &n_done));
            if (!n_done)
                break;
        }
        expect_alone(model, session, set);
        const float *logits;
        CHECK_OK(tg_session_logits(session, &logits));
        CHECK(same(logits, seen.logits + 3 * VOCAB), "the last logits, set %zu", set);
        for (int row = 0; row < 16; row++) {
            double sum = 0;
            for (int k = 0; k < N; k++)
                sum += seen.attention[row * N + k];
            CHECK(fabs(sum - 1) < 1e-5, "row %d of set %zu: %f", row, set, sum);
        }
        for (int i = 0; i < 8; i++) {
            const float entropy = seen.lens_entropies[i];
            CHECK(entropy >= 0 && entropy <= logf(VOCAB), "entropy %d: %f", i, (double)entropy);
            CHECK(seen.lens_tops[3 * i].logprob >= seen.lens_tops[3 * i + 1].logprob, "top %d", i);
            CHECK(seen.lens_scores[i].logprob <= seen.lens_tops[3 * i].logprob, "target %d", i);
        }
        free(seen.logits);
        free(seen.residuals);
        free(seen.lens_tops);
        free(seen.lens_entropies);
        free(seen.lens_scores);
        free(seen.attention);
        free(seen.outputs);
        tg_session_free(session);
    }
    tg_model_free(model);
}

static const tg_test tests[] = {
    {"company", "sessions with edits have the bits of a run alone", test_company},
    {"backward", "a copy to an earlier position", test_backward},
    {"observation", "an observation fills its arrays", test_observation},
};

TEST_MAIN(tests)
