/* Special tokens in a text: against a naive implementation of the rule, and the time that hostile
 * vocabularies and texts take. */
#include "../../src/tokenizer/special.h"
#include "random.h"
#include "tiny_tokenizer.h"

#include <time.h>

#define MAX_TOKENS 40
#define BYTES      256 /* the tokens before the special ones */

/* A token: its piece and its type. */
typedef struct special {
    const char *text;
    uint32_t type;
} special;

/* The 256 bytes, then these tokens. */
static vocabulary make(const special *specials, uint32_t n)
{
    tiny_bytes b = {0};
    char byte[8];
    tiny_head(&b, 0, 4);
    tiny_key_string(&b, "tokenizer.ggml.model", "llama");
    tiny_key_bool(&b, "tokenizer.ggml.add_space_prefix", false);
    tiny_key_array(&b, "tokenizer.ggml.tokens", 8, BYTES + n);
    for (uint32_t i = 0; i < BYTES; i++) {
        snprintf(byte, sizeof byte, "<0x%02X>", (unsigned)i);
        tiny_string(&b, byte);
    }
    for (uint32_t i = 0; i < n; i++)
        tiny_string(&b, specials[i].text);
    tiny_key_array(&b, "tokenizer.ggml.token_type", 5, BYTES + n);
    for (uint32_t i = 0; i < BYTES + n; i++)
        tiny_u32(&b, i < BYTES ? 6 : specials[i - BYTES].type);
    const vocabulary v = tiny_tokenizer(b);
    CHECK(!v.status, "%s", v.error.message);
    return v;
}

/* The rule: the tokens are taken one after the other, longer tokens first, tokens of the same
 * length by ascending id. Each is cut out of the plain text wherever it is, from left to right. */
static size_t plainly(const special *specials, uint32_t n, const char *text, size_t length,
                      bool parse, tg_special_match *matches)
{
    size_t n_matches = 0;
    bool taken[64] = {false};
    for (size_t size = length; size > 0; size--)
        for (uint32_t i = 0; i < n; i++) {
            if (strlen(specials[i].text) != size || (!parse && specials[i].type != 4))
                continue;
            for (size_t at = 0; at + size <= length; at++) {
                bool is_free = !memcmp(text + at, specials[i].text, size);
                for (size_t k = at; k < at + size; k++)
                    is_free = is_free && !taken[k];
                if (!is_free)
                    continue;
                memset(taken + at, true, size);
                matches[n_matches++] = (tg_special_match){at, (uint32_t)size, (int32_t)(BYTES + i)};
            }
        }
    for (size_t i = 0; i < n_matches; i++) /* by position */
        for (size_t k = i + 1; k < n_matches; k++)
            if (matches[k].at < matches[i].at) {
                const tg_special_match swap = matches[i];
                matches[i] = matches[k];
                matches[k] = swap;
            }
    return n_matches;
}

static void beside_the_rule(void)
{
    test_random r = {9};
    for (int round = 0; round < 3000; round++) {
        char texts[MAX_TOKENS][8], text[64];
        special specials[MAX_TOKENS];
        const uint32_t n = 1 + random_u32(&r) % MAX_TOKENS;
        const uint32_t letters = 1 + random_u32(&r) % 3, longest = 1 + random_u32(&r) % 7;
        for (uint32_t i = 0; i < n; i++) { /* many of them equal, or the end of another */
            const uint32_t size = 1 + random_u32(&r) % longest;
            for (uint32_t k = 0; k < size; k++)
                texts[i][k] = (char)('a' + random_u32(&r) % letters);
            texts[i][size] = 0;
            specials[i] = (special){texts[i], 2 + random_u32(&r) % 3};
        }
        const vocabulary v = make(specials, n);
        for (int k = 0; k < 10; k++) {
            const size_t length = random_u32(&r) % sizeof text;
            const bool parse = random_u32(&r) % 2;
            tg_special_match expected[64];
            tg_special_matches matches;
            for (size_t i = 0; i < length; i++)
                text[i] = (char)('a' + random_u32(&r) % letters);
            const size_t n_expected = plainly(specials, n, text, length, parse, expected);
            CHECK(tgi_special_find(v.tokens, text, length, parse, &matches));
            bool same = matches.n == n_expected;
            for (size_t i = 0; i < n_expected && same; i++)
                same = matches.list[i].at == expected[i].at &&
                       matches.list[i].length == expected[i].length &&
                       matches.list[i].id == expected[i].id;
            CHECK(same, "round %d: \"%.*s\"", round, (int)length, text);
            free(matches.list);
        }
        drop(v);
    }
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Finds the special tokens of a text. Quadratic work would take minutes. */
static void timed(const char *what, vocabulary v, const char *text, size_t length, size_t n)
{
    tg_special_matches matches;
    const double start = seconds();
    CHECK(tgi_special_find(v.tokens, text, length, true, &matches));
    const double time = seconds() - start;
    CHECK(matches.n == n, "%s: %u tokens, not %zu", what, (unsigned)matches.n, n);
    CHECK(time < 10, "%s: %.1f s", what, time); /* the sanitizers make it slow */
    free(matches.list);
}

static char *repeated(char letter, size_t n)
{
    char *text = malloc(n + 1);
    memset(text, letter, n);
    text[n] = 0;
    return text;
}

static void hostile(void)
{
    enum { LONG = 65536, TEXT = 1 << 20, NESTED = 1000, MANY = 100000 };
    char *text = repeated('a', TEXT), *token = repeated('a', LONG);
    special one = {token, 3};
    vocabulary v = make(&one, 1);
    timed("a long token", v, text, TEXT, TEXT / LONG);
    token[LONG - 1] = 'b'; /* which begins everywhere and ends nowhere */
    drop(v);
    v = make(&one, 1);
    timed("a long token that is never whole", v, text, TEXT, 0);
    drop(v);

    special *specials = malloc(MANY * sizeof *specials);
    char(*names)[16] = malloc(MANY * sizeof *names);
    for (uint32_t i = 0; i < NESTED; i++) /* each the beginning and the end of the next */
        specials[i] = (special){text + TEXT - 1 - i, 3};
    v = make(specials, NESTED);
    timed("tokens in each other", v, text, TEXT - 1, (TEXT - 1) / NESTED + 1);
    drop(v);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "<unused%u>", (unsigned)i);
        specials[i] = (special){names[i], 3};
    }
    v = make(specials, MANY);
    for (size_t i = 0; i < TEXT; i++)
        text[i] = "<unused12345"[i % 12];
    timed("many tokens with the same beginning", v, text, TEXT, 0);
    drop(v);
    free(specials);
    free(names);
    free(token);
    free(text);
}

static const tg_test tests[] = {
    {"special-rule", "the longest token first, then the lowest id, then the leftmost",
     beside_the_rule},
    {"special-hostile", "long, nested and many special tokens in a megabyte", hostile},
};
TEST_MAIN(tests)
