/* The state of sessions: pages that other sessions take, snapshots, shifts, mirostat's state; and
 * scores. Everything is compared with fresh runs, bit for bit. */
#include <math.h>

#include "tiny_session.h"

#define CHECK_OK(call) CHECK(!(call), "%s", tg_model_error(model)->message)

static void run(tg_model *model, tg_session *session)
{
    CHECK_OK(tg_session_eval(session, SIZE_MAX, 0));
}

static void expect_fresh(tg_model *model, tg_session *session, const char *when)
{
    float expected[VOCAB];
    const float *logits;
    size_t n;
    run(model, session);
    CHECK_OK(tg_session_logits(session, &logits));
    const int32_t *tokens = tg_session_tokens(session, &n);
    fresh(model, tokens, n, 64, expected);
    CHECK(same(logits, expected), "%s: %zu tokens", when, n);
}

/* Three sessions that do not fit into the cache: the one that has been idle longest loses its last
 * pages, and all give the same bits. */
static void eviction(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = 128, .n_kv = 320});
    tg_session *s[3];
    int32_t ids[100];
    const float *logits;
    for (int i = 0; i < 3; i++) {
        fill(ids, 100, i + 1);
        CHECK_OK(tg_session_new(model, &s[i]));
        CHECK_OK(tg_session_sync(s[i], ids, 100));
        run(model, s[i]);
    }
    CHECK(tg_model_n_decoded(model) == 300, "every token ran once");
    CHECK(!tg_session_pending(s[0]) && !tg_session_logits(s[0], &logits),
          "a session that lost pages still has its logits");
    CHECK_OK(tg_session_append(s[2], 7));
    run(model, s[2]);
    CHECK(tg_model_n_decoded(model) == 301, "the session that ran last has kept its cache");
    CHECK_OK(tg_session_append(s[0], 7));
    CHECK(tg_session_pending(s[0]) > 1, "it lost a part of its cache");
    CHECK(tg_session_pending(s[0]) < 101, "but not all of it: %zu", tg_session_pending(s[0]));
    for (int i = 0; i < 3; i++)
        expect_fresh(model, s[i], "after others took its pages");

    /* a score first runs the lost positions again, although the logits are there */
    tg_score scores[4];
    const int32_t more[4] = {5, 6, 7, 8};
    CHECK_OK(tg_session_score(s[1], more, 4, 0, scores, NULL));
    expect_fresh(model, s[1], "after a score");
    for (int i = 0; i < 3; i++)
        tg_session_free(s[i]);
    tg_model_free(model);

    model = load_tiny(wide_heads, (tg_model_options){.n_ctx = 128, .n_kv = 64});
    fill(ids, 100, 1);
    CHECK_OK(tg_session_new(model, &s[0]));
    CHECK_OK(tg_session_new(model, &s[1]));
    CHECK_OK(tg_session_sync(s[0], ids, 60));
    run(model, s[0]);
    CHECK_OK(tg_session_sync(s[1], ids, 100));
    CHECK(tg_session_eval(s[1], 100, 0) == TG_KV_FULL, "a cache too small for one session");
    CHECK(tg_model_n_decoded(model) == 60, "a run that cannot succeed takes no pages");
    CHECK_OK(tg_session_append(s[0], 1));
    CHECK(tg_session_pending(s[0]) == 1, "its pages are still there");
    tg_session_free(s[0]);
    tg_session_free(s[1]);
    tg_model_free(model);
}

/* Shared pages are taken last: as long as one fork holds a page, it stays taken. */
static void sharing(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = 128, .n_kv = 256});
    tg_session *prefix, *fork[4], *other;
    int32_t ids[96];
    fill(ids, 96, 4);
    CHECK_OK(tg_session_new(model, &prefix));
    CHECK_OK(tg_session_sync(prefix, ids, 96));
    run(model, prefix);
    for (int i = 0; i < 4; i++) { /* three pages that all share, and one for each fork: 7 of 8 */
        CHECK_OK(tg_session_fork(prefix, &fork[i]));
        for (int k = 0; k < 32; k++)
            CHECK_OK(tg_session_append(fork[i], 10 * i + k));
        run(model, fork[i]);
    }
    CHECK_OK(tg_session_new(model, &other));
    CHECK_OK(tg_session_sync(other, ids + 1, 60));
    run(model, other); /* two pages */
    CHECK(tg_model_n_decoded(model) == 96 + 4 * 32 + 60, "all ran once");
    CHECK_OK(tg_session_append(prefix, 7));
    CHECK(tg_session_pending(prefix) == 1, "%zu: the pages that the forks share are still there",
          tg_session_pending(prefix));
    CHECK_OK(tg_session_rewind(fork[0], 127));
    CHECK(tg_session_pending(fork[0]) == 31, "%zu: the fork that ran first has lost its own page",
          tg_session_pending(fork[0]));
    /* all but one fit: the common prefix never runs again */
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 4; i++) {
            CHECK_OK(tg_session_rewind(fork[i], 97));
            CHECK_OK(tg_session_append(fork[i], round));
            run(model, fork[i]);
        }
    CHECK(tg_model_n_decoded(model) <= 96 + 4 * 32 + 60 + 12 * 2, "%llu ran",
          (unsigned long long)tg_model_n_decoded(model));
    expect_fresh(model, prefix, "after all");
    for (int i = 0; i < 4; i++) {
        expect_fresh(model, fork[i], "a fork, after all");
        tg_session_free(fork[i]);
    }
    tg_session_free(prefix);
    tg_session_free(other);
    tg_model_free(model);
}

/* Writes the session to `out`, unless NULL; returns the bytes. */
static size_t save_snapshot(tg_session *session, uint64_t user_data, uint8_t *out)
{
    void *bytes;
    size_t n, size = 0;
    tg_session_save_snapshot_begin(session, user_data);
    for (uint32_t i = 0; tg_session_snapshot_chunk(session, i, &bytes, &n); i++, size += n)
        if (out)
            memcpy(out + size, bytes, n);
    return size;
}

static tg_status load_snapshot(tg_model *model, const uint8_t *bytes, size_t size, tg_session **out)
{
    void *chunk;
    size_t n, at = 0;
    tg_status status = tg_session_load_snapshot_begin(model, bytes, size, out);
    if (status)
        return status;
    for (uint32_t i = 0; tg_session_snapshot_chunk(*out, i, &chunk, &n); i++, at += n) {
        if (n > size - at) {
            tg_session_free(*out);
            *out = NULL;
            return TG_SESSION_DAMAGED;
        }
        memcpy(chunk, bytes + at, n);
    }
    status = tg_session_load_snapshot_commit(*out);
    if (status) {
        tg_session_free(*out);
        *out = NULL;
    }
    return status;
}

static void saves_in(tg_cache_type cache)
{
    const tg_model_options options = {.cache_type_k = cache, .cache_type_v = cache};
    tg_model *model = load_tiny(wide_heads, options);
    tg_session *session, *again = NULL;
    int32_t ids[45];
    fill(ids, 45, 2);
    CHECK_OK(tg_session_new(model, &session));
    for (uint32_t n = 0; n < 45; n += 22) { /* empty; all run; some pending */
        CHECK_OK(tg_session_sync(session, ids, n));
        if (n < 44)
            run(model, session);
        else
            CHECK_OK(tg_session_eval(session, 10, 0));
        uint8_t *bytes = malloc(save_snapshot(session, 77, NULL));
        const size_t size = save_snapshot(session, 77, bytes);
        CHECK_OK(load_snapshot(model, bytes, size, &again));
        size_t count;
        const uint64_t ran = tg_model_n_decoded(model);
        const int32_t *tokens = tg_session_tokens(again, &count);
        CHECK(count == n && !memcmp(tokens, ids, n * sizeof *ids), "the tokens are the same");
        CHECK(tg_session_pending(again) == tg_session_pending(session), "and the pending ones");
        CHECK_OK(tg_session_append(again, 9));
        run(model, again);
        CHECK(tg_model_n_decoded(model) - ran == 1 + tg_session_pending(session),
              "nothing runs twice");
        expect_fresh(model, again, "a loaded session");
        tg_session_free(again);
        /* every byte of the header, and many of the others */
        for (size_t i = 0; i < size; i += i < 400 ? 1 : 97) {
            bytes[i] ^= 1;
            const tg_status status = load_snapshot(model, bytes, size, &again);
            CHECK(status == TG_SESSION_DAMAGED || status == TG_SESSION_FOREIGN ||
                      status == TG_CONTEXT_FULL,
                  "byte %zu changed: %s", i, tg_status_name(status));
            bytes[i] ^= 1;
        }
        for (size_t cut = 0; cut < size; cut += cut < 200 ? 1 : 61)
            CHECK(load_snapshot(model, bytes, cut, &again) == TG_SESSION_DAMAGED && !again,
                  "cut to %zu", cut);
        bytes[142] ^= 1; /* of n_tokens */
        CHECK(load_snapshot(model, bytes, size, &again) == TG_SESSION_DAMAGED, "%s",
              tg_model_error(model)->message);
        free(bytes);
    }
    /* the same session in a page that another text has used and that a fork shares */
    tg_session *clean, *fork, *used;
    uint8_t *first = malloc(1 << 20), *second = malloc(1 << 20);
    int32_t longer[64];
    fill(longer, 64, 9);
    CHECK_OK(tg_session_new(model, &clean));
    CHECK_OK(tg_session_sync(clean, ids, 40));
    run(model, clean);
    const size_t length = save_snapshot(clean, 0, first);
    memcpy(longer, ids, 40 * sizeof *ids);
    CHECK_OK(tg_session_new(model, &used));
    CHECK_OK(tg_session_sync(used, longer, 64));
    run(model, used);
    CHECK_OK(tg_session_fork(used, &fork));
    CHECK_OK(tg_session_rewind(used, 40));
    run(model, used);
    CHECK(save_snapshot(used, 0, second) == length && !memcmp(first, second, length),
          "bytes of another text are not saved");
    expect_fresh(model, fork, "a fork of a saved session");
    CHECK_OK(tg_session_append(fork, 3));
    expect_fresh(model, fork, "which continues");
    CHECK_OK(tg_session_append(used, 3));
    expect_fresh(model, used, "and the saved session");
    tg_session_free(clean);
    tg_session_free(fork);
    tg_session_free(used);
    free(first);
    free(second);
    /* foreign models: another file, another cache */
    uint8_t *bytes = malloc(save_snapshot(session, 0, NULL));
    const size_t size = save_snapshot(session, 0, bytes);
    tg_model *other = load_tiny(
        tiny_default, options.cache_type_k == TG_CACHE_Q8_0 ? (tg_model_options){0} : options);
    CHECK(load_snapshot(other, bytes, size, &again) == TG_SESSION_FOREIGN &&
              strstr(tg_model_error(other)->message, "model"),
          "%s", tg_model_error(other)->message);
    tg_model_free(other);
    const tg_cache_type another = cache == TG_CACHE_F32 ? TG_CACHE_F16 : TG_CACHE_F32;
    other =
        load_tiny(wide_heads, (tg_model_options){.cache_type_k = cache, .cache_type_v = another});
    CHECK(load_snapshot(other, bytes, size, &again) == TG_SESSION_FOREIGN &&
              strstr(tg_model_error(other)->message, "values"),
          "%s", tg_model_error(other)->message);
    tg_model_free(other);
    other = load_tiny(
        wide_heads, (tg_model_options){.n_ctx = 40, .cache_type_k = cache, .cache_type_v = cache});
    CHECK(load_snapshot(other, bytes, size, &again) == TG_CONTEXT_FULL, "a smaller context");
    tg_model_free(other);
    free(bytes);
    tg_session_free(session);
    tg_model_free(model);
}

static void saves(void)
{
    for (int cache = 0; cache < TG_CACHE_TYPE_COUNT; cache++)
        saves_in((tg_cache_type)cache);
}

/* A truncated snapshot fails before it takes pages from other sessions. */
static void refused_early(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = 128, .n_kv = 128});
    tg_session *session, *again = NULL;
    int32_t ids[128];
    fill(ids, 128, 6);
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_sync(session, ids, 127));
    run(model, session);
    uint8_t *bytes = malloc(save_snapshot(session, 0, NULL));
    const size_t size = save_snapshot(session, 0, bytes);
    CHECK(load_snapshot(model, bytes, size - 1, &again) == TG_SESSION_DAMAGED, "cut short");
    CHECK_OK(tg_session_append(session, 5));
    CHECK(tg_session_pending(session) == 1, "%zu: the other session has kept its cache",
          tg_session_pending(session));
    free(bytes);
    tg_session_free(session);
    tg_model_free(model);
}

static void shifts(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = 64});
    tg_session *session, *plain;
    const tg_trace *trace;
    tg_sample_request request;
    int32_t ids[64];
    size_t n;
    fill(ids, 64, 3);
    tg_sample_defaults(&request);
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_sync(session, ids, 64));
    run(model, session);
    CHECK_OK(tg_session_shift(session, 1, 31));
    const int32_t *tokens = tg_session_tokens(session, &n);
    CHECK(n == 33 && tokens[0] == ids[0] && !memcmp(tokens + 1, ids + 32, 32 * sizeof *ids),
          "the tokens that are kept");
    CHECK(tg_session_n_discarded(session) == 31 && tg_session_pending(session) == 32,
          "the first is still cached");
    expect_fresh(model, session, "after a shift");
    CHECK_OK(tg_session_sample(session, &request, &trace));
    const double u = trace->u;
    CHECK_OK(tg_session_new(model, &plain));
    CHECK_OK(tg_session_sync(plain, ids, 64));
    run(model, plain);
    CHECK_OK(tg_session_sample(plain, &request, &trace));
    CHECK(trace->u == u, "the coins continue as if nothing had been removed");
    CHECK_OK(tg_session_shift(session, 1, 5));
    CHECK(tg_session_n_discarded(session) == 36, "a second time");
    CHECK_OK(tg_session_rewind(session, 20));
    CHECK(tg_session_n_discarded(session) == 36, "a rewind to a point after the removed tokens");
    expect_fresh(model, session, "a rewind after a shift");
    CHECK_OK(tg_session_rewind(session, 1));
    CHECK(tg_session_n_discarded(session) == 0,
          "in front of the removed tokens nothing is removed");
    CHECK_OK(tg_session_shift(plain, 0, 20));
    CHECK_OK(tg_session_shift(plain, 30, 4)); /* keeps more tokens; they are 20 positions further */
    CHECK_OK(tg_session_rewind(plain, 25));
    CHECK(tg_session_n_discarded(plain) == 24, "%u: no position is used twice",
          tg_session_n_discarded(plain));
    CHECK_OK(tg_session_sync(plain, ids, 64));
    CHECK_OK(tg_session_shift(plain, 0, 64));
    CHECK(tg_session_shift(plain, 0, 1) == TG_POSITION_OUT_OF_RANGE &&
              tg_session_shift(session, 2, 0),
          "more than there are");
    tg_session_tokens(plain, &n);
    CHECK(n == 0, "all tokens can be removed");
    tg_session_free(session);
    tg_session_free(plain);
    tg_model_free(model);
}

/* mu belongs to the tokens: a rewind and a fork restore it, appended tokens do not change it. */
static void mirostat(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_kv = 640});
    tg_session *session, *fork;
    tg_sample_request request;
    const tg_trace *trace;
    double mu[31];
    int32_t drawn[31];
    tg_sample_defaults(&request);
    request.options[TG_OPTION_mirostat] = 2;
    request.options[TG_OPTION_mirostat_tau] = 3;
    request.order[0] = TG_STAGE_temperature;
    request.order[1] = TG_STAGE_mirostat;
    request.n_order = 2;
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_append(session, 1));
    for (int i = 0; i < 30; i++) {
        run(model, session);
        CHECK_OK(tg_session_sample(session, &request, &trace));
        const double before = i ? mu[i - 1] : 6;
        mu[i] = trace->mu;
        drawn[i] = trace->token;
        CHECK(fabs(trace->mu - (before - 0.1 * (-log2(trace->p_final) - 3))) < 1e-12,
              "mu after draw %d", i);
        CHECK_OK(tg_session_accept(session, trace));
    }
    CHECK_OK(tg_session_fork(session, &fork));
    CHECK_OK(tg_session_rewind(fork, 11));
    for (int i = 10; i < 30; i++) {
        run(model, fork);
        CHECK_OK(tg_session_sample(fork, &request, &trace));
        CHECK(trace->token == drawn[i] && trace->mu == mu[i], "the same draw %d again", i);
        CHECK_OK(tg_session_accept(fork, trace));
    }
    CHECK_OK(tg_session_rewind(fork, 11));
    CHECK_OK(tg_session_append(fork, 4));
    run(model, fork);
    CHECK_OK(tg_session_sample(fork, &request, &trace));
    CHECK(fabs(trace->mu - (mu[9] - 0.1 * (-log2(trace->p_final) - 3))) < 1e-12,
          "an appended token does not change it");
    tg_session_free(fork);
    tg_session_free(session);
    tg_model_free(model);
}

/* The alternatives of scores, and hidden states. */
static void scores_and_states(void)
{
    tg_model *model = load_tiny(tiny_default, (tg_model_options){0});
    tg_session *session;
    int32_t ids[60];
    tg_score scores[60];
    static tg_top tops[60 * 7], all[60 * (VOCAB + 5)];
    float expected[VOCAB];
    fill(ids, 60, 8);
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_score(session, ids, 60, 7, scores, tops));
    CHECK(tops[0].token == -1 && isnan(tops[6].logprob), "the first token has no distribution");
    for (size_t i = 1; i < 60; i += 7) {
        fresh(model, ids, i, 64, expected);
        const double log_sum = expected[ids[i]] - (double)scores[i].logprob;
        for (int k = 0; k < 7; k++) {
            const tg_top *top = &tops[7 * i + k];
            int before = 0;
            for (int t = 0; t < VOCAB; t++)
                before += expected[t] > expected[top->token] ||
                          (expected[t] == expected[top->token] && t < top->token);
            CHECK(before == k && fabs(top->logprob - (expected[top->token] - log_sum)) < 1e-5,
                  "alternative %d of token %zu", k, i);
        }
    }
    tg_session_free(session);
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_score(session, ids, 60, VOCAB + 5, scores, all));
    CHECK(all[VOCAB + 5].token >= 0 && all[2 * VOCAB + 9].token == -1,
          "no more than the vocabulary");
    tg_session_free(session);

    static float states[60 * 64], parts[60 * 64];
    CHECK_OK(tg_session_new(model, &session));
    CHECK_OK(tg_session_hidden_states(session, ids, 60, states));
    expect_fresh(model, session, "after hidden states");
    CHECK_OK(tg_session_rewind(session, 0));
    CHECK_OK(tg_session_hidden_states(session, ids, 9, parts));
    CHECK_OK(tg_session_hidden_states(session, ids + 9, 51, parts + 9 * 64));
    CHECK(!memcmp(states, parts, sizeof states), "in two parts");
    double squares = 0;
    for (int i = 0; i < 64; i++)
        squares += states[i] * states[i];
    CHECK(isfinite(squares) && squares > 0, "%g", squares);
    CHECK(tg_session_hidden_states(session, ids, 11000, states) == TG_CONTEXT_FULL,
          "more than the context");

    /* a logit is the product of a row of the output matrix and the hidden state */
    static float rows[VOCAB * 64];
    int32_t all_ids[VOCAB];
    const float *logits;
    for (int i = 0; i < VOCAB; i++)
        all_ids[i] = VOCAB - 1 - i;
    CHECK_OK(tg_model_output_rows(model, all_ids, VOCAB, rows));
    CHECK_OK(tg_session_logits(session, &logits));
    for (int i = 0; i < VOCAB; i++) {
        double product = 0;
        for (int k = 0; k < 64; k++)
            product += (double)rows[i * 64 + k] * (double)states[59 * 64 + k];
        CHECK(fabs(product - (double)logits[all_ids[i]]) < 0.02,
              "the logit of token %d is %g, not %g", (int)all_ids[i], (double)logits[all_ids[i]],
              product);
    }
    CHECK(tg_model_output_rows(model, (const int32_t[]){3, VOCAB}, 2, rows) ==
              TG_TOKEN_OUT_OF_RANGE,
          "a token that is not in the vocabulary");
    tg_session_free(session);
    tg_model_free(model);
}

/* 500 random trees of rewinds, forks, appended and drawn tokens, saves and loads, in a cache that
 * is too small for all leaves. */
static void random_trees(void)
{
    tg_model *model = load_tiny(wide_heads, (tg_model_options){.n_ctx = 96, .n_kv = 256});
    test_random r = {21};
    static uint8_t bytes[1 << 20];
    for (int tree = 0; tree < 500; tree++) {
        tg_session *leaves[5];
        int n_leaves = 1;
        CHECK_OK(tg_session_new(model, &leaves[0]));
        CHECK_OK(tg_session_append(leaves[0], (int32_t)(random_u32(&r) % VOCAB)));
        for (int act = 0; act < 12; act++) {
            tg_session **leaf = &leaves[random_u32(&r) % (uint32_t)n_leaves];
            size_t n;
            tg_session_tokens(*leaf, &n);
            switch (random_u32(&r) % 6) {
            case 0:
                CHECK_OK(tg_session_rewind(*leaf, 1 + random_u32(&r) % n));
                break;
            case 1:
                if (n_leaves < 5)
                    CHECK_OK(tg_session_fork(*leaf, &leaves[n_leaves++]));
                break;
            case 2:
                CHECK(save_snapshot(*leaf, 0, NULL) <= sizeof bytes, "the buffer is large enough");
                {
                    const size_t size = save_snapshot(*leaf, 0, bytes);
                    tg_session_free(*leaf);
                    CHECK_OK(load_snapshot(model, bytes, size, leaf));
                }
                break;
            case 3:
                for (uint32_t k = random_u32(&r) % 30; k && n < 96; k--, n++)
                    CHECK_OK(tg_session_append(*leaf, (int32_t)(random_u32(&r) % VOCAB)));
                break;
            default:
                for (uint32_t k = random_u32(&r) % 12; k && n < 96; k--, n++) {
                    tg_sample_request request;
                    const tg_trace *trace;
                    tg_sample_defaults(&request);
                    request.seed = (uint64_t)tree;
                    request.top_n = k;
                    run(model, *leaf);
                    CHECK_OK(tg_session_sample(*leaf, &request, &trace));
                    CHECK_OK(tg_session_accept(*leaf, trace));
                }
            }
        }
        for (int i = 0; i < n_leaves; i++) {
            expect_fresh(model, leaves[i], "a leaf");
            tg_session_free(leaves[i]);
        }
    }
    tg_model_free(model);
}

static const tg_test tests[] = {
    {"state-eviction", "idle sessions lose pages, and all give the same bits", eviction},
    {"state-sharing", "pages that forks share are taken last", sharing},
    {"state-saves",
     "a loaded session continues as the saved one; damaged and foreign snapshots fail", saves},
    {"state-refused", "a truncated snapshot takes no pages from other sessions", refused_early},
    {"state-shift", "after a shift the logits are those of a fresh run", shifts},
    {"state-mirostat", "mu belongs to the tokens", mirostat},
    {"state-measures", "alternatives of scores, and hidden states", scores_and_states},
    {"state-trees", "500 random trees end with the bits of fresh runs", random_trees},
};
TEST_MAIN(tests)
