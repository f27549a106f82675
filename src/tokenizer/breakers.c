/* Which token sequences contain a text, for the sequence breakers of the sampler stage dry. */
#include "vocabulary.h"

#include <string.h>

#define MAX_TAIL 20 /* tokens after the first */

/* Whether the output contains this sequence from position `from` on, where the sequences with the
 * same first token begin. */
static bool contains_sequence(const tg_ids *out, size_t from, int32_t head, const int32_t *tail,
                              size_t n_tail)
{
    for (size_t at = from; at < out->n && out->n <= out->capacity; at += 1 + (size_t)out->ids[at])
        if ((size_t)out->ids[at] == 1 + n_tail && out->ids[at + 1] == head &&
            memcmp(&out->ids[at + 2], tail, n_tail * sizeof *tail) == 0)
            return true;
    return false;
}

/* Adds a sequence, unless the output contains it already. */
static void put_sequence(tg_ids *out, size_t from, int32_t head, const int32_t *tail, size_t n_tail)
{
    if (contains_sequence(out, from, head, tail, n_tail))
        return;
    tgi_ids_put(out, (int32_t)(1 + n_tail), NULL);
    tgi_ids_put(out, head, NULL);
    for (size_t i = 0; i < n_tail; i++)
        tgi_ids_put(out, tail[i], NULL);
}

static bool contains(tg_str bytes, const char *text, size_t length)
{
    for (size_t at = 0; at + length <= bytes.length; at++)
        if (memcmp(bytes.data + at, text, length) == 0)
            return true;
    return false;
}

/* The tokens of a breaker after its first bytes, which are in a token before them. */
typedef struct tail {
    bool encoded;
    int32_t ids[MAX_TAIL];
    size_t n;
} tail;

static tg_status encode_tail(const tg_tokenizer *t, const char *text, size_t length, tail *tail,
                             tg_error *error)
{
    if (tail->encoded)
        return TG_OK;
    const tg_status status =
        tgi_tokenizer_encode(t, text, length, 0, tail->ids, NULL, MAX_TAIL, &tail->n, error);
    tail->n = tail->n < MAX_TAIL ? tail->n : MAX_TAIL;
    tail->encoded = true;
    return status;
}

tg_status tgi_tokenizer_sequence_breakers(const tg_tokenizer *t, const char *text, size_t length,
                                          int32_t *ids, size_t capacity, size_t *n, tg_error *error)
{
    tg_ids out = {.ids = ids, .capacity = capacity};
    tail tails[TG_MAX_BREAKER] = {0}; /* by the bytes before them */
    *n = 0;
    if (!length || length > TG_MAX_BREAKER)
        return tgi_fail(error, TG_SAMPLER_BAD_OPTION, TG_NO_OFFSET,
                        "a sequence breaker has 1 to %d bytes, not %zu", TG_MAX_BREAKER, length);
    for (uint32_t id = 0; id < t->n; id++) {
        const size_t from = out.n;
        tg_str bytes = tgi_tokenizer_bytes(t, (int32_t)id);
        if (!bytes.length && tgi_tokenizer_token_type(t, (int32_t)id) != TG_TOKEN_BYTE)
            bytes = tgi_tokenizer_piece(t, (int32_t)id);
        if (contains(bytes, text, length)) {
            put_sequence(&out, from, (int32_t)id, NULL, 0);
            continue;
        }
        /* does the token end with the beginning of the text? Then the tokens of the rest follow. */
        for (size_t head = length - 1 < bytes.length ? length - 1 : bytes.length; head > 0;
             head--) {
            if (memcmp(bytes.data + bytes.length - head, text, head) != 0)
                continue;
            const tg_status status =
                encode_tail(t, text + head, length - head, &tails[head], error);
            if (status)
                return status;
            put_sequence(&out, from, (int32_t)id, tails[head].ids, tails[head].n);
        }
    }
    *n = out.n;
    return TG_OK;
}
