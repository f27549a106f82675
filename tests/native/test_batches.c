/* Batches of rows of several sessions, and drafts that a session keeps a path of: whatever the
 * company, the cache type, the architecture, the threads and the evictions in between, every
 * session has the bits of a run alone. */
#include "../../src/session/model.h"
#include "golden_file.h"
#include "test.h"
#include "tiny_session.h"

#include <threads.h>

enum { N_CTX = 96, SESSIONS = 6 };

#define CHECK_OK(call) CHECK(!(call), "%s", tg_model_error(model)->message)

static int help(void *context)
{
    tg_model_thread_main(context, 1);
    return 0;
}

/* A model that runs the sessions, a second one that runs each text alone, and the text's logits. */
typedef struct pair {
    tg_model *model, *alone;
    thrd_t thread;
    bool has_thread;
} pair;

static void expect_alone(pair *p, tg_session *session, const char *when)
{
    tg_model *model = p->model;
    float expected[VOCAB];
    const float *logits;
    size_t n;
    const int32_t *tokens = tg_session_tokens(session, &n);
    CHECK_OK(tg_session_logits(session, &logits));
    fresh(p->alone, tokens, n, 64, expected);
    CHECK(logits && same(logits, expected), "%s: %zu tokens", when, n);
}

/* A random tree of tokens; where it is likely that the text goes on, it has that token, too. */
static size_t random_draft(test_random *r, int32_t *tokens, int32_t *parents, size_t max)
{
    const size_t n = 1 + random_u32(r) % max;
    for (size_t i = 0; i < n; i++) {
        tokens[i] = (int32_t)(random_u32(r) % 4); /* few tokens: a random text follows the tree */
        parents[i] = random_u32(r) % 3 ? (int32_t)i - 1 : (int32_t)(random_u32(r) % (i + 1)) - 1;
    }
    return n;
}

/* Changes a session at random. */
static void change(tg_model *model, tg_session **s, test_random *r, bool drafts)
{
    size_t n;
    int32_t tokens[TG_MAX_DRAFT], parents[TG_MAX_DRAFT];
    tg_session_tokens(*s, &n);
    switch (random_u32(r) % 6) {
    case 0:
        CHECK_OK(tg_session_rewind(*s, 1 + random_u32(r) % n));
        break;
    case 1:
        for (uint32_t k = random_u32(r) % 40; k && n < N_CTX; k--, n++)
            CHECK_OK(tg_session_append(*s, (int32_t)(random_u32(r) % VOCAB)));
        break;
    default: /* most often one more token, as generations do */
        if (n < N_CTX)
            CHECK_OK(tg_session_append(*s, (int32_t)(random_u32(r) % 4)));
    }
    if (drafts && tg_session_pending(*s))
        CHECK_OK(tg_session_draft(*s, tokens, parents, random_draft(r, tokens, parents, 20)));
}

/* Runs a random set of sessions in batches of random sizes, perhaps not to the end. */
static void run_some(pair *p, tg_session **s, test_random *r)
{
    tg_model *model = p->model;
    tg_session *set[SESSIONS];
    size_t n = 0;
    for (int i = 0; i < SESSIONS; i++)
        if (random_u32(r) % 3)
            set[n++] = s[i];
    for (int calls = 0; n && calls < 200; calls++) {
        size_t pending = 0;
        for (size_t i = 0; i < n; i++)
            pending += tg_session_pending(set[i]);
        if (!pending || random_u32(r) % 12 == 0)
            break;
        CHECK_OK(tg_sessions_eval(set, n, 1 + random_u32(r) % 40, random_u32(r) % 3));
    }
    for (size_t i = 0; i < n; i++)
        if (!tg_session_pending(set[i]))
            expect_alone(p, set[i], "in company");
}

/* Returns how many tokens were in a draft. */
static uint32_t random_sets(pair *p, uint64_t seed, int rounds, bool drafts)
{
    tg_model *model = p->model;
    test_random r = {seed};
    tg_session *s[SESSIONS];
    uint32_t proposed, accepted, n_accepted = 0;
    for (int i = 0; i < SESSIONS; i++) {
        CHECK_OK(tg_session_new(model, &s[i]));
        CHECK_OK(tg_session_append(s[i], i));
    }
    for (int round = 0; round < rounds; round++) {
        const uint32_t i = random_u32(&r) % SESSIONS;
        if (random_u32(&r) % 6 == 0) {
            const uint32_t from = (i + 1) % SESSIONS;
            tg_session_free(s[i]);
            CHECK_OK(tg_session_fork(s[from], &s[i]));
        }
        for (int k = 0; k < SESSIONS; k++) {
            tg_session_draft_use(s[k], &proposed, &accepted);
            change(model, &s[k], &r, drafts);
            const uint32_t before = accepted;
            tg_session_draft_use(s[k], &proposed, &accepted);
            if (accepted > before) {
                n_accepted++;
                expect_alone(p, s[k], "a token of the draft");
            }
        }
        run_some(p, s, &r);
    }
    for (int i = 0; i < SESSIONS; i++)
        tg_session_free(s[i]);
    CHECK(model->cache.kv.n_free == model->cache.kv.n_pages, "all pages are free again");
    for (uint32_t i = 0; model->cache.recurrent.state_size && i < model->cache.recurrent.n_slots;
         i++)
        CHECK(!model->cache.recurrent.refs[i], "slot %u is free again", (unsigned)i);
    return n_accepted;
}

/* The bytes of a snapshot: tokens, logits and everything that is cached. */
static void snapshot_digest(tg_session *session, uint8_t out[32])
{
    tg_session_save_snapshot_begin(session, 0);
    memcpy(out, session->snapshot.digest, 32);
}

/* A draft, a path of it that is accepted, then a token that it does not have: the logits after each
 * node, and what is cached at the end, are those of a plain run. */
static void accepted_paths(pair *p, uint64_t seed)
{
    tg_model *model = p->model;
    test_random r = {seed};
    for (int round = 0; round < 3; round++) {
        int32_t prefix[N_CTX + 1], tokens[TG_MAX_DRAFT], parents[TG_MAX_DRAFT], node = -1;
        const size_t n_prefix = 1 + random_u32(&r) % (N_CTX - 1),
                     n_draft = random_draft(&r, tokens, parents, TG_MAX_DRAFT);
        size_t n;
        tg_session *session, *plain;
        uint8_t digest[32], expected[32];
        uint32_t proposed, accepted;
        fill(prefix, n_prefix, seed + (uint64_t)round);
        CHECK_OK(tg_session_new(model, &session));
        CHECK_OK(tg_session_sync(session, prefix, n_prefix - 1));
        CHECK_OK(tg_session_eval(session, SIZE_MAX, 0));
        CHECK_OK(tg_session_append(session, prefix[n_prefix - 1]));
        CHECK_OK(tg_session_draft(session, tokens, parents, n_draft));
        const uint64_t decoded = tg_model_n_decoded(model);
        CHECK_OK(tg_session_eval(session, SIZE_MAX, 0));
        tg_session_draft_use(session, &proposed, &accepted);
        CHECK(tg_model_n_decoded(model) - decoded == 1 + proposed && !accepted, "one batch");
        expect_alone(p, session, "the root of a draft");
        /* down to a random leaf */
        for (;;) {
            int32_t children[TG_MAX_DRAFT];
            uint32_t n_children = 0;
            for (size_t i = 0; i < n_draft; i++)
                if (parents[i] == node)
                    children[n_children++] = (int32_t)i;
            tg_session_tokens(session, &n);
            if (!n_children || n == N_CTX)
                break;
            const int32_t token = tokens[children[random_u32(&r) % n_children]];
            for (uint32_t i = n_children; i--;) /* the first child with this token */
                if (tokens[children[i]] == token)
                    node = children[i];
            CHECK_OK(tg_session_append(session, token));
            CHECK(!tg_session_pending(session), "its logits are there");
            expect_alone(p, session, "a node of a draft");
        }
        if (n < N_CTX) {
            CHECK_OK(tg_session_append(session, 200));
            CHECK(tg_session_pending(session) == 1, "a token that the draft does not have");
            CHECK_OK(tg_session_eval(session, SIZE_MAX, 0));
        }
        snapshot_digest(session, digest); /* before the plain run takes its pages */
        const int32_t *all = tg_session_tokens(session, &n);
        CHECK_OK(tg_session_new(model, &plain));
        CHECK_OK(tg_session_sync(plain, all, n));
        CHECK_OK(tg_session_eval(plain, SIZE_MAX, 0));
        snapshot_digest(plain, expected);
        CHECK(!memcmp(digest, expected, sizeof digest), "the cache after %zu tokens", n);
        tg_session_free(plain);
        tg_session_free(session);
    }
}

static uint32_t run_pair(pair *p, uint64_t seed, int rounds, bool drafts)
{
    const uint32_t n_accepted = random_sets(p, seed, rounds, drafts);
    if (drafts)
        accepted_paths(p, seed);
    tg_model_free(p->model);
    tg_model_free(p->alone);
    if (p->has_thread)
        thrd_join(p->thread, NULL);
    return n_accepted;
}

/* The pair of models of a file: with one thread or two, and with hardly enough pages and slots. */
static pair make_pair(const uint8_t *bytes, size_t size, tg_cache_type cache, bool threads,
                      bool tight)
{
    const tg_model_options plain = {
        .cache_type_k = cache, .cache_type_v = cache, .n_ctx = N_CTX, .n_kv = 4 * N_CTX};
    tg_model_options options = plain;
    options.n_threads = threads ? 2 : 1;
    options.n_kv = tight ? N_CTX + 2 * TG_PAGE : SESSIONS * (N_CTX + 2 * TG_PAGE);
    pair p = {.model = load(bytes, size, 0, options), .alone = load(bytes, size, 0, plain)};
    if (tight && p.model->cache.recurrent.state_size)
        p.model->cache.recurrent.n_slots = 3;
    if (threads) {
        p.has_thread = true;
        CHECK(thrd_create(&p.thread, help, p.model) == thrd_success, "a thread");
    }
    return p;
}

/* Every cache type, with one thread and two, with enough memory and with little. */
static void all_pairs(const uint8_t *bytes, size_t size, bool drafts)
{
    uint32_t n_accepted = 0;
    for (int cache = 0; cache < TG_CACHE_TYPE_COUNT; cache++)
        for (int kind = 0; kind < 4; kind++) {
            if (!test_all() && (cache + kind) % 2)
                continue;
            pair p = make_pair(bytes, size, (tg_cache_type)cache, kind & 1, kind & 2);
            n_accepted +=
                run_pair(&p, (uint64_t)(10 * cache + kind + 1), test_all() ? 24 : 5, drafts);
        }
    CHECK(!drafts || n_accepted > 0, "no token was in a draft");
}

static void golden(const char *name, bool drafts)
{
    size_t size;
    uint8_t *bytes = read_file("valid/", name, &size);
    if (bytes)
        all_pairs(bytes, size, drafts);
    else
        SKIP("the golden files are found only from the project's root");
    free(bytes);
}

static void llama(void)
{
    size_t size;
    uint8_t *bytes = tiny_model(wide_heads, 3, &size);
    all_pairs(bytes, size, true);
    free(bytes);
}

static void windows(void)
{
    golden("gemma2.gguf", true);
}

static void varied(void)
{
    golden("gemma4.gguf", true);
}

static void conv(void)
{
    golden("lfm2.gguf", true);
}

static void recurrent(void)
{
    golden("qwen35.gguf", false);
}

static void experts(void)
{
    golden("granitemoe.gguf", true);
}

/* Two sessions that fill the cache: their drafts take no pages from each other. */
static void drafts_evict_nothing(void)
{
    enum { TOKENS = 2 * TG_PAGE - 12, DRAFT = 20 };
    tg_model *model =
        load_tiny(wide_heads, (tg_model_options){.n_ctx = N_CTX, .n_kv = 4 * TG_PAGE});
    tg_session *s[2];
    int32_t ids[N_CTX], tokens[DRAFT], parents[DRAFT];
    fill(ids, N_CTX, 9);
    for (int i = 0; i < DRAFT; i++) {
        tokens[i] = 1;
        parents[i] = i - 1;
    }
    for (int i = 0; i < 2; i++) {
        CHECK_OK(tg_session_new(model, &s[i]));
        CHECK_OK(tg_session_sync(s[i], ids + i, TOKENS));
        CHECK_OK(tg_session_eval(s[i], SIZE_MAX, 0));
    }
    for (int step = 0; step < 10; step++) {
        for (int i = 0; i < 2; i++) {
            CHECK_OK(tg_session_append(s[i], 2));
            CHECK(tg_session_pending(s[i]) == 1, "%zu tokens to run", tg_session_pending(s[i]));
            CHECK_OK(tg_session_draft(s[i], tokens, parents, DRAFT));
        }
        CHECK_OK(tg_sessions_eval(s, 2, SIZE_MAX, 0));
        CHECK(!tg_session_pending(s[0]) && !tg_session_pending(s[1]), "one batch for both");
    }
    for (int i = 0; i < 2; i++)
        tg_session_free(s[i]);
    tg_model_free(model);
}

/* What is refused, and what is left out. */
static void limits(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = N_CTX, .n_kv = N_CTX});
    tg_session *s[2], *many[TG_BATCH + 1];
    uint32_t proposed, accepted;
    const int32_t tokens[3] = {1, 2, 3}, chain[3] = {-1, 0, 1}, late[3] = {-1, 2, 1},
                  before[3] = {-1, -2, 1}, unknown[3] = {1, VOCAB, 3};
    static int32_t long_tokens[TG_MAX_DRAFT + 1], long_parents[TG_MAX_DRAFT + 1];
    for (int i = 0; i < 2; i++) {
        CHECK_OK(tg_session_new(model, &s[i]));
        CHECK_OK(tg_session_append(s[i], i));
    }
    for (int i = 0; i <= TG_BATCH; i++)
        many[i] = s[0];
    CHECK(tg_sessions_eval(many, TG_BATCH + 1, 10, 0) == TG_INVALID_ARGUMENT, "too many");
    CHECK(tg_session_draft(s[0], tokens, late, 3) == TG_INVALID_ARGUMENT, "a later parent");
    CHECK(tg_session_draft(s[0], tokens, before, 3) == TG_INVALID_ARGUMENT, "parent -2");
    CHECK(tg_session_draft(s[0], unknown, chain, 3) == TG_TOKEN_OUT_OF_RANGE, "no such token");
    CHECK(tg_session_draft(s[0], long_tokens, long_parents, TG_MAX_DRAFT + 1) ==
              TG_INVALID_ARGUMENT,
          "too long");
    /* a draft, a batch that is canceled and started again, and a rewind */
    CHECK_OK(tg_session_draft(s[0], tokens, chain, 3));
    CHECK_OK(tg_session_eval(s[0], 1, 1));
    CHECK_OK(tg_session_eval(s[1], 1, 1));
    CHECK_OK(tg_sessions_eval(s, 2, 10, 0));
    tg_session_draft_use(s[0], &proposed, &accepted);
    CHECK(proposed == 3 && accepted == 0, "it ran with the batch that was run to the end");
    CHECK_OK(tg_session_append(s[0], 1));
    CHECK_OK(tg_session_rewind(s[0], 1));
    CHECK_OK(tg_session_append(s[0], 1));
    CHECK(tg_session_pending(s[0]) > 0, "a rewind drops the draft");
    /* near the end of the context: no position for all of it */
    int32_t ids[N_CTX];
    fill(ids, N_CTX, 3);
    CHECK_OK(tg_session_sync(s[0], ids, N_CTX - 2));
    CHECK_OK(tg_session_eval(s[0], SIZE_MAX, 0));
    CHECK_OK(tg_session_append(s[0], 9));
    CHECK_OK(tg_session_draft(s[0], tokens, chain, 3));
    CHECK_OK(tg_session_eval(s[0], SIZE_MAX, 0));
    tg_session_draft_use(s[0], &proposed, &accepted);
    CHECK(proposed == 1, "%u tokens have a position", (unsigned)proposed);
    CHECK_OK(tg_session_append(s[0], 1));
    CHECK(!tg_session_pending(s[0]), "the last position of the context");
    CHECK(tg_session_append(s[0], 1) == TG_CONTEXT_FULL, "no more");
    tg_session_free(s[0]);
    tg_session_free(s[1]);
    tg_model_free(model);

    size_t size;
    uint8_t *bytes = read_file("valid/", "qwen35.gguf", &size);
    if (!bytes)
        return;
    model = load(bytes, size, 0, (tg_model_options){.n_ctx = N_CTX});
    CHECK_OK(tg_session_new(model, &s[0]));
    CHECK_OK(tg_session_append(s[0], 1));
    CHECK(tg_session_draft(s[0], tokens, chain, 3) == TG_OPTION_UNSUPPORTED,
          "recurrent states are refused");
    tg_session_free(s[0]);
    tg_model_free(model);
    free(bytes);
}

/* A batch needs a slot for a recurrent state and takes that of a checkpoint of a session that is in
 * the batch already: this session keeps the pages that it has for the batch. */
static void slots(void)
{
    size_t size;
    uint8_t *bytes = read_file("valid/", "qwen35.gguf", &size);
    if (!bytes) {
        SKIP("the golden files are found only from the project's root");
        return;
    }
    const tg_model_options options = {.n_ctx = N_CTX, .n_kv = 4 * N_CTX};
    pair p = {.model = load(bytes, size, 0, options), .alone = load(bytes, size, 0, options)};
    tg_model *model = p.model;
    tg_session *s[2];
    int32_t ids[N_CTX];
    model->cache.recurrent.n_slots = 3;
    fill(ids, N_CTX, 5);
    for (int i = 0; i < 2; i++)
        CHECK_OK(tg_session_new(model, &s[i]));
    for (size_t i = 1; i <= 2; i++) {
        CHECK_OK(tg_session_sync(s[0], ids, i * TG_CHECKPOINT_INTERVAL));
        CHECK_OK(tg_session_eval(s[0], SIZE_MAX, 0));
    }
    CHECK(s[0]->cache.checkpoints.n == 2, "%u checkpoints", (unsigned)s[0]->cache.checkpoints.n);
    CHECK_OK(tg_session_sync(s[0], ids, N_CTX));
    CHECK_OK(tg_session_sync(s[1], ids + 1, N_CTX - 1));
    while (tg_session_pending(s[0]) || tg_session_pending(s[1]))
        CHECK_OK(tg_sessions_eval(s, 2, SIZE_MAX, 0));
    expect_alone(&p, s[0], "whose checkpoint was taken");
    expect_alone(&p, s[1], "that took a checkpoint");
    for (int i = 0; i < 2; i++)
        tg_session_free(s[i]);
    CHECK(model->cache.kv.n_free == model->cache.kv.n_pages, "all pages are free again");
    tg_model_free(p.model);
    tg_model_free(p.alone);
    free(bytes);
}

static const tg_test tests[] = {
    {"batches-llama", "random sets of sessions with drafts have the bits of runs alone", llama},
    {"batches-windows", "the same with windows and caps", windows},
    {"batches-varied", "the same with layers of several widths and shared caches", varied},
    {"batches-conv", "the same with short convolutions", conv},
    {"batches-recurrent", "the same with gated delta nets, without drafts", recurrent},
    {"batches-experts", "the same with mixtures of experts", experts},
    {"batches-slots", "a session of the batch whose checkpoint is taken keeps its pages", slots},
    {"batches-drafts", "drafts take no pages from sessions of the batch", drafts_evict_nothing},
    {"batches-limits", "what is refused, and what is left out", limits},
};
TEST_MAIN(tests)
