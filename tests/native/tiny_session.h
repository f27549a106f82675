/* Small random models, ready to run, and logits of fresh runs, with which the tests of sessions
 * compare theirs. */
#ifndef TINY_SESSION_H
#define TINY_SESSION_H

#include "../../src/tokenglass.h"
#include "test.h"
#include "tiny_model.h"

#define VOCAB 301

/* heads of 32, as the cache type q8_0 needs; two query heads for each key-value head */
static const tiny_shape wide_heads = {64, 2, 2, 1, 96, VOCAB, 160, TG_QUANT_Q8_0, 1};

/* Loads a model in portions of at most `portion` bytes (0: the whole file), and checks that it is
 * ready. */
static inline tg_model *load(const uint8_t *bytes, size_t size, size_t portion,
                             tg_model_options options)
{
    tg_model *model = tg_model_new(&options);
    tg_status status = TG_OK;
    for (size_t at = 0, used; at < size && !status; at += used) {
        const size_t n = portion && portion < size - at ? portion : size - at;
        status = tg_model_feed(model, bytes + at, n, &used);
        if (!status && tg_model_get_state(model) == TG_MODEL_PLANNED)
            status = tg_model_allocate(model);
    }
    if (!status)
        status = tg_model_finish(model);
    CHECK(!status, "%s: %s", tg_status_name(status), tg_model_error(model)->message);
    return model;
}

static inline tg_model *load_tiny(tiny_shape shape, tg_model_options options)
{
    size_t size;
    uint8_t *bytes = tiny_model(shape, 3, &size);
    tg_model *model = load(bytes, size, 0, options);
    free(bytes);
    return model;
}

static inline void fill(int32_t *ids, size_t n, uint64_t seed)
{
    test_random r = {seed};
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)(random_u32(&r) % VOCAB);
}

/* Writes the logits after n tokens, run `batch` at a time in a new session, to `out` [VOCAB]. */
static inline void fresh(tg_model *model, const int32_t *ids, size_t n, size_t batch, float *out)
{
    tg_session *session = NULL;
    const float *logits;
    CHECK(!tg_session_new(model, &session) && !tg_session_sync(session, ids, n), "%s",
          tg_model_error(model)->message);
    while (tg_session_pending(session))
        if (tg_session_eval(session, batch, batch % 3)) {
            CHECK(0, "%s", tg_model_error(model)->message);
            break;
        }
    if (!tg_session_logits(session, &logits))
        memcpy(out, logits, VOCAB * sizeof *out);
    else
        CHECK(0, "%s", tg_model_error(model)->message);
    tg_session_free(session);
}

static inline int same(const float *a, const float *b)
{
    return !memcmp(a, b, VOCAB * sizeof *a);
}

#endif
