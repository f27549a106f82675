/* Byte-level BPE: texts split into words, with hand-written results; merges in small vocabularies,
 * against hand-written results and a naive implementation; damaged vocabularies. */
#include "../../src/tokenizer/pretokenize.h"
#include "random.h"
#include "tiny_tokenizer.h"

/* a byte in GPT-2's byte alphabet */
static void spell(uint32_t byte, char out[3])
{
    const int printable = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte != 0xad);
    uint32_t code = byte;
    if (!printable) {
        code = 0x100;
        for (uint32_t b = 0; b < byte; b++)
            code += !((b >= '!' && b <= '~') || (b >= 0xa1 && b != 0xad));
    }
    out[0] = (char)(code < 0x80 ? code : 0xc0 | code >> 6);
    out[1] = (char)(code < 0x80 ? 0 : 0x80 | (code & 63));
    out[2] = 0;
}

static bool without_q; /* make the byte q the unknown token */

/* A vocabulary of the 256 bytes, the results of the merges ("left right"), and a control token
 * <eos>. */
static vocabulary make(const char *pre, const char *const *merges, uint32_t n_merges)
{
    tiny_bytes b = {0};
    char byte[3];
    tiny_head(&b, 0, 6);
    tiny_key_string(&b, "tokenizer.ggml.model", "gpt2");
    tiny_key_string(&b, "tokenizer.ggml.pre", pre);
    tiny_key_array(&b, "tokenizer.ggml.tokens", 8, 257 + n_merges);
    for (uint32_t i = 0; i < 256; i++) {
        spell(i, byte);
        tiny_string(&b, without_q && i == 'q' ? "<unk>" : byte);
    }
    for (uint32_t i = 0; i < n_merges; i++) {
        char joined[64];
        const char *space = strchr(merges[i], ' ');
        snprintf(joined, sizeof joined, "%.*s%s", (int)(space ? space - merges[i] : 0), merges[i],
                 space ? space + 1 : merges[i]);
        tiny_string(&b, joined);
    }
    tiny_string(&b, "<eos>");
    tiny_key_array(&b, "tokenizer.ggml.token_type", 5, 257 + n_merges);
    for (uint32_t i = 0; i < 257 + n_merges; i++)
        tiny_u32(&b, i == 256 + n_merges ? 3 : 1);
    tiny_key_u32(&b, "tokenizer.ggml.unknown_token_id", 'q');
    tiny_key_array(&b, "tokenizer.ggml.merges", 8, n_merges);
    for (uint32_t i = 0; i < n_merges; i++)
        tiny_string(&b, merges[i]);
    return tiny_tokenizer(b);
}

static void words(void)
{
    static const struct {
        const char *pre, *text, *words;
    } cases[] = {
        {"gpt-2", "I'll say  hello42 !?\n\n x", "I|'ll| say| | hello|42| !?|\n\n| x"},
        {"gpt-2", "WE'LL", "WE|'|LL"},
        {"gpt-2", "a  ", "a|  "},
        {"starcoder", "ab 123", "ab| |1|2|3"},
        {"llama-bpe", "WE'LL 12345\r\n  x", "WE|'LL| |123|45|\r\n| | x"},
        {"llama-bpe", "(hello) a.b\n\nc", "(hello|)| a|.b|\n\n|c"},
        {"qwen2", "a123", "a|1|2|3"},
        {"gpt-4o", "camelCaseHTML don't//\n", "camel|Case|HTML| don't|//\n"},
        {"tekken", "don't 12", "don|'t| |1|2"},
        {"deepseek-v3", "a1234\xe4\xb8\xad\xe6\x96\x87!b", "a|123|4|\xe4\xb8\xad\xe6\x96\x87|!b"},
        {"falcon", "x<=1234", "x|<=|123|4"},
        {"chameleon", "<sentinel:12>IMGIMGABZ  x", "<|sentinel|:|1|2|>|IMGIMGABZ|  |x"},
        {"default", "a+b 2024.", "a|+|b| |202|4|."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tg_pretokenizer *pre = tgi_pretokenizer_find(cases[i].pre);
        char actual[256] = "";
        size_t n, used = 0;
        CHECK(pre, "%s is not supported", cases[i].pre);
        tg_words w = tgi_words_of(pre->scheme, cases[i].text, strlen(cases[i].text));
        for (const char *word; (word = tgi_words_next(&w, &n));)
            used += (size_t)snprintf(actual + used, sizeof actual - used, "%s%.*s", used ? "|" : "",
                                     (int)n, word);
        CHECK(!strcmp(actual, cases[i].words), "%s: \"%s\"", cases[i].pre, actual);
    }
}

static const char *const merges_list[] = {"a b",        "b c", "ab c", "a a",  "aa aa",
                                          "\xc4\xa0 a", "e r", "er e", "c ab", "bc bc"};
#define N_MERGES (sizeof merges_list / sizeof merges_list[0])

static void expect(const tg_tokenizer *t, const char *text, unsigned flags, const char *expected)
{
    int32_t ids[64];
    size_t n = 0, used = 0;
    char actual[512] = "";
    CHECK(!tgi_tokenizer_encode(t, text, strlen(text), flags, ids, NULL, 64, &n, NULL), "\"%s\"",
          text);
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(actual + used, sizeof actual - used, "%s%s", i ? " " : "",
                                 tgi_tokenizer_piece(t, ids[i]).data);
    CHECK(!strcmp(actual, expected), "\"%s\" became \"%s\", not \"%s\"", text, actual, expected);
}

static void merges(void)
{
    vocabulary v = make("gpt-2", merges_list, N_MERGES);
    CHECK(!v.status, "%s", v.error.message);
    expect(v.tokens, "abc", 0, "abc");
    expect(v.tokens, "bcab", 0, "bc ab");
    expect(v.tokens, "aaaaa", 0, "aaaa a");
    expect(v.tokens, "b a", 0,
           "b \xc4\xa0"
           "a");
    expect(v.tokens, "\xff", 0, "\xc3\xbf");
    expect(v.tokens, "a<eos>", 0, "a < e o s >");
    expect(v.tokens, "a<eos>", TG_PARSE_SPECIAL, "a <eos>");
    drop(v);
}

/* A naive implementation of the definition: of all pairs that may merge, merges the one that comes
 * first in the list, the leftmost of equal ones, until there is none. */
static size_t plainly(const char *text, size_t n, char symbols[][64])
{
    for (size_t i = 0; i < n; i++)
        spell((uint8_t)text[i], symbols[i]);
    for (;;) {
        size_t best = 0, position = 0;
        for (best = 0; best < N_MERGES; best++) {
            for (position = 0; position + 1 < n; position++) {
                char pair[160];
                snprintf(pair, sizeof pair, "%s %s", symbols[position], symbols[position + 1]);
                if (!strcmp(pair, merges_list[best]))
                    break;
            }
            if (position + 1 < n)
                break;
        }
        if (best == N_MERGES)
            return n;
        strcat(symbols[position], symbols[position + 1]);
        memmove(symbols + position + 1, symbols + position + 2,
                (n - position - 2) * sizeof symbols[0]);
        n--;
    }
}

static void beside_the_definition(void)
{
    static char symbols[400][64];
    test_random r = {5};
    vocabulary v = make("gpt-2", merges_list, N_MERGES);
    for (int round = 0; round < 300; round++) {
        char text[400];
        int32_t ids[400];
        const size_t length = 1 + random_u32(&r) % (round % 2 ? 48 : sizeof text);
        size_t n;
        for (size_t i = 0; i < length; i++)
            text[i] = "aabbcceer"[random_u32(&r) % 9];
        CHECK(!tgi_tokenizer_encode(v.tokens, text, length, 0, ids, NULL, 400, &n, NULL));
        const size_t n_expected = plainly(text, length, symbols);
        CHECK(n == n_expected, "round %d: %zu tokens, not %zu", round, n, n_expected);
        for (size_t i = 0; i < n; i++)
            CHECK(!strcmp(tgi_tokenizer_piece(v.tokens, ids[i]).data, symbols[i]),
                  "round %d, token %zu", round, i);
    }
    drop(v);
}

static void random_bytes(void)
{
    test_random r = {78};
    vocabulary v = make("llama-bpe", merges_list, N_MERGES);
    for (int round = 0; round < 20000; round++) {
        char text[96], back[96];
        int32_t ids[96];
        uint32_t ends[96];
        const size_t length = random_u32(&r) % sizeof text;
        size_t n, n_back;
        for (size_t i = 0; i < length; i++)
            text[i] = random_u32(&r) % 3 ? "  ab\n'1\xc3\xa9\xe4\xb8\xad"[random_u32(&r) % 12]
                                         : (char)random_u32(&r);
        CHECK(!tgi_tokenizer_encode(v.tokens, text, length, 0, ids, ends, 96, &n, NULL) &&
                  n <= length,
              "%zu tokens", n);
        for (size_t i = 0, from = 0; i < n; from = ends[i++]) {
            const tg_str bytes = tgi_tokenizer_bytes(v.tokens, ids[i]);
            CHECK(ends[i] == from + bytes.length && !memcmp(text + from, bytes.data, bytes.length),
                  "round %d: token %zu covers others", round, i);
        }
        CHECK(!tgi_tokenizer_decode(v.tokens, ids, n, back, sizeof back, &n_back, NULL) &&
                  n_back == length && !memcmp(back, text, length),
              "round %d does not come back", round);
    }
    drop(v);
}

static void missing_byte(void)
{
    static const char long_word[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaq";
    tg_error error;
    size_t n;
    without_q = true;
    vocabulary v = make("gpt-2", merges_list, N_MERGES);
    without_q = false;
    CHECK(!v.status, "%s", v.error.message);
    CHECK(tgi_tokenizer_encode(v.tokens, "aq", 2, 0, NULL, NULL, 0, &n, &error) ==
          TG_TOKENIZER_BAD);
    CHECK(strstr(error.message, "byte 0x71"), "%s", error.message);
    CHECK(tgi_tokenizer_encode(v.tokens, long_word, sizeof long_word - 1, 0, NULL, NULL, 0, &n,
                               &error) == TG_TOKENIZER_BAD);
    expect(v.tokens, "ab", 0, "ab");
    drop(v);
}

static void damaged(void)
{
    static const struct {
        const char *pre, *merge;
        tg_status status;
        const char *message;
    } cases[] = {
        {"of-tomorrow", "a b", TG_TOKENIZER_UNSUPPORTED,
         "pre-tokenizer \"of-tomorrow\" is not supported; supported: default, "},
        {"gpt-2", "ab", TG_TOKENIZER_BAD, "is no pair"},
        {"gpt-2", "a zz", TG_TOKENIZER_BAD, "is not a token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vocabulary v = make(cases[i].pre, &cases[i].merge, 1);
        CHECK(v.status == cases[i].status && !v.tokens && strstr(v.error.message, cases[i].message),
              "%s", v.error.message);
        drop(v);
    }
}

static const tg_test tests[] = {
    {"bpe-words", "texts split into words by the rules of each family", words},
    {"bpe-merges", "the merge of lowest rank first; control tokens when asked for", merges},
    {"bpe-definition", "short and long words give what a naive implementation gives",
     beside_the_definition},
    {"bpe-random", "any bytes come back", random_bytes},
    {"bpe-missing-byte", "a byte that the vocabulary lacks is an error when a text contains it",
     missing_byte},
    {"bpe-damaged", "unknown pre-tokenizers and damaged merges are refused", damaged},
};
TEST_MAIN(tests)
