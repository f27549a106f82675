/* The methods on attention in sessions (src/layers/rules): the settings with which they are the
 * plain forward pass, and that results do not depend on batches, forks or texts that are taken
 * back. */
#include "tiny_session.h"

/* Four layers: attention calibration leaves out three by default. Three query heads share keys. */
static const tiny_shape four_layers = {96, 4, 6, 2, 96, VOCAB, 128, TG_QUANT_Q8_0, 1};

enum { TEXT = 100, PROMPT = 64 };

typedef struct rule_case {
    const char *name;
    tg_edit_kind kind;
    tg_edit_option options[4];
    double values[4];
    float shares[8]; /* spatten: of tokens, then of heads */
    bool is_plain;
} rule_case;

#define OPTION(kind, name) TG_EDIT_OPTION_##kind##_##name

static const rule_case cases[] = {
    {.name = "recycled, every step full",
     .kind = TG_EDIT_recycled,
     .options = {OPTION(recycled, k), OPTION(recycled, every)},
     .values = {8, 1},
     .is_plain = true},
    {.name = "recycled, all keys",
     .kind = TG_EDIT_recycled,
     .options = {OPTION(recycled, k), OPTION(recycled, every)},
     .values = {TEXT, 50},
     .is_plain = true},
    {.name = "spatten, nothing pruned",
     .kind = TG_EDIT_spatten,
     .options = {OPTION(spatten, values), OPTION(spatten, high_bits), OPTION(spatten, tau)},
     .values = {1, 4, 1},
     .shares = {1, 1, 1, 1, 1, 1, 1, 1},
     .is_plain = true},
    {.name = "act, beta 1",
     .kind = TG_EDIT_act,
     .options = {OPTION(act, beta), OPTION(act, theta)},
     .values = {1, .01},
     .is_plain = true},
    {.name = "recycled, fixed",
     .kind = TG_EDIT_recycled,
     .options = {OPTION(recycled, k), OPTION(recycled, every)},
     .values = {20, 7}},
    {.name = "recycled, dynamic",
     .kind = TG_EDIT_recycled,
     .options = {OPTION(recycled, k), OPTION(recycled, every), OPTION(recycled, check),
                 OPTION(recycled, threshold)},
     .values = {20, 0, 3, .5}},
    {.name = "spatten, tokens and heads",
     .kind = TG_EDIT_spatten,
     .shares = {1, .8f, .6f, .3f, 1, 1, 1, .5f}},
    {.name = "spatten, half of the tokens, few bits",
     .kind = TG_EDIT_spatten,
     .options = {OPTION(spatten, values), OPTION(spatten, high_bits), OPTION(spatten, low_bits),
                 OPTION(spatten, tau)},
     .values = {.5, 3, 2, .1},
     .shares = {.5f, .5f, .5f, .5f, 1, 1, 1, 1}},
    {.name = "act, frozen", .kind = TG_EDIT_act, .options = {OPTION(act, theta)}, .values = {.02}},
    {.name = "act, running",
     .kind = TG_EDIT_act,
     .options = {OPTION(act, theta), OPTION(act, running)},
     .values = {.02, 1}},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static const double initial[] = {
#define TG_EDIT_OPTION(edit, name, meaning, ...)                                                   \
    ((struct {                                                                                     \
        double initial, min, max;                                                                  \
        bool whole;                                                                                \
    }){__VA_ARGS__})                                                                               \
        .initial,
#include "../../src/layers/edits.def"
};

/* A session with the case's edit; the prompt is the first PROMPT tokens. */
static tg_session *open_case(tg_model *model, const rule_case *c)
{
    static const struct {
        tg_edit_kind kind;
        tg_edit_option option;
    } prompts[] = {{TG_EDIT_recycled, OPTION(recycled, prompt)},
                   {TG_EDIT_spatten, OPTION(spatten, prompt)},
                   {TG_EDIT_act, OPTION(act, prompt)}};
    double options[TG_EDIT_OPTION_COUNT];
    for (int i = 0; i < TG_EDIT_OPTION_COUNT; i++)
        options[i] = initial[i];
    for (int i = 0; i < 4 && c->options[i]; i++)
        options[c->options[i]] = c->values[i];
    for (int i = 0; i < 3; i++)
        if (prompts[i].kind == c->kind)
            options[prompts[i].option] = PROMPT;
    const tg_edit edit = {.kind = c->kind,
                          .options = options,
                          .values = c->shares,
                          .n_values = c->kind == TG_EDIT_spatten ? 8 : 0};
    tg_session *session = NULL;
    CHECK(!tg_session_new(model, &session), "%s", tg_model_error(model)->message);
    CHECK(!tg_session_set_edits(session, &edit, 1), "%s: %s", c->name,
          tg_model_error(model)->message);
    return session;
}

/* The logits after each of the tokens from PROMPT - 1 on: [TEXT - PROMPT + 1][VOCAB]. `batch`
 * tokens run at a time. */
static void run_case(tg_session *session, const int32_t *ids, size_t first, size_t batch,
                     float *out)
{
    for (size_t n = first; n <= TEXT; n++) {
        CHECK(!tg_session_sync(session, ids, n));
        while (tg_session_pending(session))
            if (tg_session_eval(session, batch, 0)) {
                CHECK(0, "no logits");
                return;
            }
        const float *logits;
        CHECK(!tg_session_logits(session, &logits));
        if (n >= PROMPT)
            memcpy(out + (n - PROMPT) * VOCAB, logits, VOCAB * sizeof *out);
    }
}

enum { N_LOGITS = (TEXT - PROMPT + 1) * VOCAB };

static tg_model *load_four(uint32_t threads)
{
    tg_model_options options = {.n_threads = threads};
    return load_tiny(four_layers, options);
}

static void test_plain_settings(void)
{
    static float plain[N_LOGITS], got[N_LOGITS];
    int32_t ids[TEXT];
    tg_model *model = load_four(1);
    fill(ids, TEXT, 5);
    tg_session *session = NULL;
    CHECK(!tg_session_new(model, &session));
    run_case(session, ids, PROMPT, TEXT, plain);
    tg_session_free(session);
    for (int i = 0; i < N_CASES; i++) {
        session = open_case(model, &cases[i]);
        run_case(session, ids, PROMPT, TEXT, got);
        const bool same = !memcmp(plain, got, sizeof plain);
        CHECK(same == cases[i].is_plain, "%s", cases[i].name);
        /* the prompt is never changed but by calibration, which the last logits show */
        if (cases[i].kind != TG_EDIT_act)
            CHECK(!memcmp(plain, got, VOCAB * sizeof *plain), "%s", cases[i].name);
        tg_session_free(session);
    }
    tg_model_free(model);
}

static void test_same_bits(void)
{
    static float want[N_LOGITS], got[N_LOGITS];
    int32_t ids[TEXT];
    fill(ids, TEXT, 5);
    for (int i = 0; i < N_CASES; i++) {
        tg_model *model = load_four(1);
        tg_session *session = open_case(model, &cases[i]), *fork = NULL;
        run_case(session, ids, PROMPT, TEXT, want);
        tg_session_free(session);

        /* the prompt in other batches */
        for (size_t batch = 1; batch <= 17; batch += 16) {
            session = open_case(model, &cases[i]);
            run_case(session, ids, PROMPT, batch, got);
            CHECK(!memcmp(want, got, sizeof want), "%s: batches of %zu", cases[i].name, batch);
            tg_session_free(session);
        }
        /* token by token from the first one on */
        session = open_case(model, &cases[i]);
        run_case(session, ids, 1, 1, got);
        CHECK(!memcmp(want, got, sizeof want), "%s: token by token", cases[i].name);
        /* a fork in the middle, and the session itself after its end was taken back */
        CHECK(!tg_session_sync(session, ids, PROMPT + 20) && !tg_session_eval(session, TEXT, 0));
        CHECK(!tg_session_fork(session, &fork));
        run_case(fork, ids, PROMPT + 20, TEXT, got);
        CHECK(!memcmp(want + 20 * VOCAB, got + 20 * VOCAB, sizeof want - 20 * VOCAB * sizeof *want),
              "%s: a fork", cases[i].name);
        run_case(session, ids, PROMPT, TEXT, got);
        CHECK(!memcmp(want, got, sizeof want), "%s: again", cases[i].name);
        tg_session_free(fork);
        tg_session_free(session);
        tg_model_free(model);
    }
}

static const tg_test tests[] = {
    {"rules_plain", "settings that change nothing give the bits of a plain run",
     test_plain_settings},
    {"rules_bits", "batches, forks and texts that are taken back give the same bits",
     test_same_bits},
};

TEST_MAIN(tests)
