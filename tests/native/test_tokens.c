/* The SentencePiece tokenizer: on small vocabularies with hand-written results, and on random
 * bytes. */
#include "random.h"
#include "tiny_tokenizer.h"

typedef struct entry {
    const char *text;
    float score;
    int kind;
} entry;

/* <unk> <s> </s>, the bytes if `bytes`, then the entries; keys: further keys, written by the
 * caller
 */
static vocabulary make(const entry *entries, uint32_t n, int bytes, const tiny_bytes *keys,
                       uint32_t n_keys)
{
    static const entry special[] = {{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3}};
    tiny_bytes b = {0};
    const uint32_t first = 3 + (bytes ? 256 : 0), count = first + n;
    char text[8];
    tiny_head(&b, 0, 7 + n_keys);
    tiny_key_string(&b, "tokenizer.ggml.model", "llama");
    for (int part = 0; part < 3; part++) {
        static const char *const names[] = {"tokenizer.ggml.tokens", "tokenizer.ggml.scores",
                                            "tokenizer.ggml.token_type"};
        static const uint32_t types[] = {8, 6, 5};
        tiny_key_array(&b, names[part], types[part], count);
        for (uint32_t i = 0; i < count; i++) {
            entry e = i < 3 ? special[i] : i < first ? (entry){text, 0, 6} : entries[i - first];
            snprintf(text, sizeof text, "<0x%02X>", (unsigned)(i - 3) & 255);
            if (part == 0)
                tiny_string(&b, e.text);
            else if (part == 1)
                tiny_put(&b, &e.score, 4);
            else
                tiny_u32(&b, (uint32_t)e.kind);
        }
    }
    tiny_key_u32(&b, "tokenizer.ggml.bos_token_id", 1);
    tiny_key_u32(&b, "tokenizer.ggml.eos_token_id", 2);
    tiny_key_u32(&b, "tokenizer.ggml.unknown_token_id", 0);
    if (keys)
        tiny_put(&b, keys->data, keys->size);
    return tiny_tokenizer(b);
}

/* Checks that a text becomes these tokens: pieces, separated by spaces. */
static void expect(const tg_tokenizer *t, const char *text, unsigned flags, const char *expected)
{
    int32_t ids[64];
    size_t n = 0, used = 0;
    char got[512] = "";
    CHECK(!tgi_tokenizer_encode(t, text, strlen(text), flags, ids, NULL, 64, &n, NULL), "\"%s\"",
          text);
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", i ? " " : "",
                                 tgi_tokenizer_piece(t, ids[i]).data);
    CHECK(!strcmp(got, expected), "\"%s\" became \"%s\", not \"%s\"", text, got, expected);
}

#define SP "\xe2\x96\x81"

static void merges(void)
{
    static const entry entries[] = {{SP, -9, 1},   {"a", -9, 1},   {"b", -9, 1},   {"c", -9, 1},
                                    {"ab", -1, 1}, {"bc", -2, 1},  {"abc", -3, 1}, {SP "a", -4, 1},
                                    {"aa", -1, 1}, {"aaaa", -2, 1}};
    vocabulary v = make(entries, 10, 1, NULL, 0);
    CHECK(!v.status, "%s", tg_status_name(v.status));
    expect(v.tokens, "abc", 0, SP " abc");      /* ab (-1) before bc (-2); then abc */
    expect(v.tokens, "bcab", 0, SP " bc ab");   /* ab first, then bc: no overlap */
    expect(v.tokens, "aaa", 0, SP " aa a");     /* equal scores: the leftmost pair */
    expect(v.tokens, "aaaaa", 0, SP " aaaa a"); /* pairs merge again */
    expect(v.tokens, "a", 0, SP "a");
    expect(v.tokens, "a a", 0, SP "a " SP "a");
    expect(v.tokens, "d", 0, SP " <0x64>"); /* no token: its byte */
    expect(v.tokens, "\xc3\xa9", 0, SP " <0xC3> <0xA9>");
    expect(v.tokens, "\xff", 0, SP " <0xFF>"); /* no UTF-8: still its byte */
    expect(v.tokens, "", 0, "");
    expect(v.tokens, " ", 0, SP " " SP);
    expect(v.tokens, "ab", TG_ADD_SPECIAL, "<s> " SP " ab");
    expect(v.tokens, "", TG_ADD_SPECIAL, "<s>");
    drop(v);
}

static void specials(void)
{
    static const entry entries[] = {
        {SP, -9, 1}, {"<tool>", 0, 4}, {"<tool>s", 0, 4}, {"x", -1, 1}, {"<|im_end|>", 0, 3}};
    vocabulary v = make(entries, 5, 1, NULL, 0);
    expect(v.tokens, "x<s>", 0, SP " x <0x3C> <0x73> <0x3E>");
    expect(v.tokens, "x<s>x", TG_PARSE_SPECIAL,
           SP " x <s> " SP " x");                   /* a text begins again after a special token */
    expect(v.tokens, "x<tool>", 0, SP " x <tool>"); /* user-defined: always */
    expect(v.tokens, "<tool>s<tool>", 0, "<tool>s <tool>"); /* the longer piece first */
    expect(v.tokens, "</s></s>", TG_PARSE_SPECIAL, "</s> </s>");
    const int32_t ids[] = {1, 259 + 3, 2, 259 + 1};
    char text[32];
    size_t n;
    CHECK(!tgi_tokenizer_decode(v.tokens, ids, 4, text, sizeof text, &n, NULL) && n == 7 &&
              !memcmp(text, "x<tool>", 7),
          "control tokens are no text");
    CHECK(tgi_tokenizer_is_eog(v.tokens, 2) && tgi_tokenizer_is_eog(v.tokens, 259 + 4) &&
              !tgi_tokenizer_is_eog(v.tokens, 1),
          "what ends a generation");
    CHECK(tgi_tokenizer_bytes(v.tokens, 3 + 0x0a).length == 1 &&
              tgi_tokenizer_bytes(v.tokens, 3 + 0x0a).data[0] == '\n',
          "a byte token's byte");
    const int32_t outside = 999;
    CHECK(tgi_tokenizer_decode(v.tokens, &outside, 1, text, sizeof text, &n, NULL) ==
              TG_TOKEN_OUT_OF_RANGE,
          "an id outside");
    drop(v);
}

/* Plain text stays plain text and comes back, whatever pieces the vocabulary has. */
static void no_imitations(void)
{
    static const entry letters[] = {{SP, -9, 1},     {"x", -5, 1},  {"<", -5, 1},  {"s", -5, 1},
                                    {">", -5, 1},    {"s>", -1, 1}, {"0x", -1, 1}, {"0x41", 0, 1},
                                    {"0x41>", 0, 1}, {"0", -5, 1},  {"4", -5, 1},  {"1", -5, 1},
                                    {"41", -1, 1}};
    static const entry user[] = {
        {SP, -9, 1}, {"x", -5, 1}, {"<t>", 0, 4}, {" y", 0, 4}, {SP SP, -1, 4}};
    static const struct {
        const entry *entries;
        uint32_t n;
        const char *text, *expected;
    } cases[] = {
        {letters, 13, "x<s>x",
         SP " x < s> x"}, /* merges give the text of a control token, but not the token */
        {letters, 13, "<0x41>", SP " < 0x41>"}, /* nor a byte token */
        {user, 5, "<t>x",
         "<t> " SP " x"}, /* a text begins after it, with a prefix that is not part of the text */
        {user, 5, "x<t>x", SP " x <t> " SP " x"},
        {user, 5, "x<t> x", SP " x <t> " SP SP " x"},
        {user, 5, "<t><t> y", "<t> <t>  y"}, /* the space in its piece is text */
        {user, 5, " y", " y"},
        {user, 5, "x  x",
         SP " x " SP SP " x"}, /* user-defined, but only merges make it: a normal token's spaces */
        {user, 5, " x", SP SP " x"},
        {user, 5, " ", SP SP},
        {user, 5, "   ", SP SP " " SP SP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vocabulary v = make(cases[i].entries, cases[i].n, 1, NULL, 0);
        int32_t ids[64];
        char back[64];
        size_t n, n_back, length = strlen(cases[i].text);
        expect(v.tokens, cases[i].text, 0, cases[i].expected);
        CHECK(!tgi_tokenizer_encode(v.tokens, cases[i].text, length, 0, ids, NULL, 64, &n, NULL),
              "\"%s\"", cases[i].text);
        CHECK(!tgi_tokenizer_decode(v.tokens, ids, n, back, sizeof back, &n_back, NULL) &&
                  n_back == length && !memcmp(back, cases[i].text, length),
              "\"%s\" comes back as \"%.*s\"", cases[i].text, (int)n_back, back);
        drop(v);
    }
}

static void ends(void)
{
    static const entry entries[] = {
        {"<|return|>", 0, 3}, {"<|call|>", 0, 4}, {"<end_of_turn>", 0, 1}, {"<|user|>", 0, 3}};
    tiny_bytes keys = {0};
    tiny_key_u32(&keys, "tokenizer.ggml.eot_token_id", 4);
    tiny_key_u32(&keys, "tokenizer.ggml.eom_token_id", 5);
    vocabulary v = make(entries, 4, 1, &keys, 2);
    for (int32_t id = 0; id < 259 + 4; id++)
        CHECK(tgi_tokenizer_is_eog(v.tokens, id) ==
                  (id == 2 || id == 4 || id == 5 || id == 259 || id == 260),
              "token %d, %s", (int)id, tgi_tokenizer_piece(v.tokens, id).data);
    drop(v);
    free(keys.data);
}

/* No id is written past the capacity; the count and the first ids are those of a full call. */
static void capacities(void)
{
    static const entry entries[] = {{SP, -9, 1}, {"a", -1, 1}};
    vocabulary v = make(entries, 2, 1, NULL, 0);
    int32_t full[8], part[8];
    size_t n, count;
    char text[8];
    CHECK(!tgi_tokenizer_encode(v.tokens, "aab", 3, TG_ADD_SPECIAL, full, NULL, 8, &n, NULL) &&
              n == 5,
          "%zu tokens", n);
    for (size_t capacity = 0; capacity <= n; capacity++) {
        memset(part, -1, sizeof part);
        CHECK(!tgi_tokenizer_encode(v.tokens, "aab", 3, TG_ADD_SPECIAL, part, NULL, capacity,
                                    &count, NULL) &&
                  count == n,
              "%zu", count);
        CHECK(!memcmp(part, full, capacity * sizeof *part) && part[capacity] == -1, "capacity %zu",
              capacity);
        memset(text, '#', sizeof text);
        CHECK(!tgi_tokenizer_decode(v.tokens, full, n, text, capacity, &count, NULL) && count == 3,
              "%zu bytes", count);
        const size_t written = capacity < 3 ? capacity : 3;
        CHECK(!memcmp(text, "aab", written) && text[written] == '#', "capacity %zu", capacity);
    }
    drop(v);
}

static void options(void)
{
    static const entry entries[] = {{SP, -9, 1}, {"x", -1, 1}};
    tiny_bytes keys = {0};
    size_t n;
    char text[8];
    for (int on = 0; on < 2; on++) {
        keys.size = 0;
        static const char *const names[] = {"tokenizer.ggml.add_space_prefix",
                                            "tokenizer.ggml.add_bos_token",
                                            "tokenizer.ggml.add_eos_token"};
        for (int i = 0; i < 3; i++) {
            tiny_string(&keys, names[i]);
            tiny_u32(&keys, 7), tiny_put(&keys, on ? "\1" : "\0", 1);
        }
        vocabulary v = make(entries, 2, 1, &keys, 3);
        CHECK(!v.status, "%s", tg_status_name(v.status));
        expect(v.tokens, "x", TG_ADD_SPECIAL, on ? "<s> " SP " x </s>" : "x");
        const int32_t ids[] = {259, 260};
        CHECK(!tgi_tokenizer_decode(v.tokens, ids, 2, text, sizeof text, &n, NULL) &&
                  n == (on ? 1u : 2u),
              "the space is removed only where it is added");
        drop(v);
    }
    free(keys.data);
    /* without byte tokens, text that is no token becomes the unknown token */
    vocabulary v = make(entries, 2, 0, NULL, 0);
    expect(v.tokens, "xy", 0, SP " x <unk>");
    drop(v);
}

static void damaged(void)
{
    static const entry odd_byte[] = {{"<0xGG>", 0, 6}}, odd_kind[] = {{"x", 0, 9}},
                       odd_score[] = {{"x", NAN, 1}};
    static const struct {
        const entry *entries;
        const char *what;
    } cases[] = {{odd_byte, "a malformed byte token"},
                 {odd_kind, "an unknown kind"},
                 {odd_score, "a score that is no number"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vocabulary v = make(cases[i].entries, 1, 1, NULL, 0);
        CHECK(v.status == TG_TOKENIZER_BAD && !v.tokens, "%s: %s", cases[i].what,
              tg_status_name(v.status));
        drop(v);
    }
}

static void random_bytes(void)
{
    static const entry entries[] = {{SP, -3, 1},    {"a", -9, 1},        {"e", -9, 1},
                                    {"ae", -1, 1},  {"\xc3\xa9", -2, 1}, {SP SP, -1, 1},
                                    {SP "a", -1, 1}};
    test_random r = {77};
    vocabulary v = make(entries, 7, 1, NULL, 0);
    for (int round = 0; round < 20000; round++) {
        char text[48], back[64];
        int32_t ids[200];
        uint32_t ends[200];
        const size_t length = random_u32(&r) % sizeof text;
        size_t n, n_back, count;
        for (size_t i = 0; i < length;
             i++) { /* any bytes, UTF-8 or not, with many spaces and letters */
            static const char often[] = "  aeae\xc3\xa9\xe2\x80";
            text[i] = random_u32(&r) % 4 ? often[random_u32(&r) % (sizeof often - 1)]
                                         : (char)random_u32(&r);
            if (text[i] == '\x96') /* only U+2581 reads back as a space */
                text[i] = 'a';
        }
        CHECK(!tgi_tokenizer_encode(v.tokens, text, length, 0, ids, ends, 200, &n, NULL) &&
                  n <= 200,
              "%zu tokens", n);
        for (size_t i = 0, from = 0; i < n; from = ends[i++]) {
            tg_str bytes = tgi_tokenizer_bytes(v.tokens, ids[i]);
            if (!i && bytes.length && bytes.data[0] == ' ') /* the prefix is not in the text */
                bytes.data++, bytes.length--;
            CHECK(ends[i] == from + bytes.length && !memcmp(text + from, bytes.data, bytes.length),
                  "round %d: token %zu covers others", round, i);
        }
        CHECK(!n || ends[n - 1] == length, "round %d: not to the end", round);
        CHECK(!tgi_tokenizer_encode(v.tokens, text, length, 0, NULL, NULL, 0, &count, NULL) &&
                  count == n,
              "the count alone is %zu, not %zu", count, n);
        CHECK(!tgi_tokenizer_decode(v.tokens, ids, n, back, sizeof back, &n_back, NULL) &&
                  n_back == length && !memcmp(back, text, length),
              "round %d does not come back", round);
    }
    drop(v);
}

/* Spaces and letters, whose pairs often have the same score, against a naive implementation of the
 * definition: of all neighbours that make a token, merges the pair with the highest score, the
 * leftmost of equal ones, until there is none. */
static const entry defined[] = {
    {SP, -9, 1},        {"a", -9, 1},    {"b", -9, 1},    {"c", -9, 1},    {"aa", -2, 1},
    {"ab", -1, 1},      {"bc", -1, 1},   {"aab", -3, 1},  {SP "a", -1, 1}, {SP SP, -2, 1},
    {SP SP "a", -1, 1}, {"abbc", -2, 1}, {"aaaa", -2, 1}, {"ca" SP, -4, 1}};
#define N_DEFINED (sizeof defined / sizeof defined[0])

static size_t plainly(const char *text, size_t n, char symbols[][64])
{
    for (size_t i = 0; i < n; i++)
        snprintf(symbols[i], sizeof symbols[i], "%s", text[i] == ' ' ? SP : (char[]){text[i], 0});
    for (;;) {
        const entry *best = NULL;
        size_t position = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            char pair[160];
            snprintf(pair, sizeof pair, "%s%s", symbols[i], symbols[i + 1]);
            for (size_t k = 0; k < N_DEFINED; k++)
                if (!strcmp(pair, defined[k].text) && (!best || defined[k].score > best->score)) {
                    best = &defined[k];
                    position = i;
                }
        }
        if (!best)
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
    test_random r = {6};
    vocabulary v = make(defined, N_DEFINED, 1, NULL, 0);
    CHECK(!v.status, "%s", tg_status_name(v.status));
    for (int round = 0; round < 300; round++) {
        char text[401] = " "; /* the prefix */
        int32_t ids[400];
        const size_t length = 2 + random_u32(&r) % (round % 2 ? 40 : 398);
        size_t n;
        for (size_t i = 1; i < length; i++)
            text[i] = "aaabbc "[random_u32(&r) % 7];
        CHECK(!tgi_tokenizer_encode(v.tokens, text + 1, length - 1, 0, ids, NULL, 400, &n, NULL));
        const size_t n_expected = plainly(text, length, symbols);
        CHECK(n == n_expected, "round %d: %zu tokens, not %zu", round, n, n_expected);
        for (size_t i = 0; i < n; i++)
            CHECK(!strcmp(tgi_tokenizer_piece(v.tokens, ids[i]).data, symbols[i]),
                  "round %d, token %zu", round, i);
    }
    drop(v);
}

static void long_runs(void)
{
    static const entry entries[] = {
        {SP, -9, 1}, {"a", -9, 1}, {"aa", -1, 1}, {"aaaa", -2, 1}, {"aaaaaaaa", -3, 1}};
    const size_t length = 1 << 20;
    vocabulary v = make(entries, 5, 1, NULL, 0);
    char *text = malloc(length);
    size_t n;
    memset(text, 'a', length);
    /* quadratic work would take hours */
    CHECK(!tgi_tokenizer_encode(v.tokens, text, length, 0, NULL, NULL, 0, &n, NULL) &&
              n == length / 8 + 1,
          "%zu tokens", n);
    memset(text, 'z', length);
    CHECK(!tgi_tokenizer_encode(v.tokens, text, length, 0, NULL, NULL, 0, &n, NULL) &&
              n == length + 1,
          "%zu tokens", n);
    free(text);
    drop(v);
}

/* The contents of a file, NUL-terminated; NULL if it cannot be read. The caller frees it. */
static char *read_whole(const char *folder, const char *name, const char *suffix, size_t *size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    tiny_bytes b = {0};
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        tiny_put(&b, chunk, n);
    fclose(file);
    *size = b.size;
    tiny_put(&b, "", 1);
    return (char *)b.data;
}

/* .inp: texts, each followed by a separator; .out: a line of ids for each, without BOS */
static void vectors(void)
{
    static const char *const names[] = {
        "ggml-vocab-llama-spm.gguf", "ggml-vocab-phi-3.gguf",     "ggml-vocab-gpt-2.gguf",
        "ggml-vocab-falcon.gguf",    "ggml-vocab-starcoder.gguf", "ggml-vocab-deepseek-coder.gguf"};
    static const char folder[] = "../shared/tokenizers", separator[] = "\n__ggml_vocab_test__\n";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size, used, ignored;
        char *file = read_whole(folder, names[i], "", &size),
             *texts = read_whole(folder, names[i], ".inp", &ignored),
             *lines = read_whole(folder, names[i], ".out", &ignored);
        if (!file || !texts || !lines) {
            SKIP("the vocabularies of ../shared/tokenizers are not part of the project");
        } else {
            tg_error error = {0};
            tg_tokenizer *t = NULL;
            tg_gguf *gguf = tgi_gguf_new(size);
            const tg_status status = tgi_gguf_feed(gguf, (uint8_t *)file, size, &used, &error);
            CHECK(!status && !tgi_tokenizer_new(gguf, &t, &error), "%s: %s", names[i],
                  error.message);
            int count = 0;
            char *line = lines;
            for (char *text = texts, *end; t && (end = strstr(text, separator));
                 text = end + strlen(separator), count++) {
                int32_t ids[256];
                char got[2048] = "", back[2048];
                size_t n = 0, n_back = 0;
                CHECK(!tgi_tokenizer_encode(t, text, (size_t)(end - text), 0, ids, NULL, 256, &n,
                                            &error) &&
                          n <= 256,
                      "%s", error.message);
                for (size_t k = 0, at = 0; k < n; k++)
                    at += (size_t)snprintf(got + at, sizeof got - at, " %d", (int)ids[k]);
                const size_t width = strcspn(line, "\n");
                CHECK(strlen(got) == width && !memcmp(got, line, width), "%s, text %d:%s, not%.*s",
                      names[i], count, got, (int)width, line);
                CHECK(!tgi_tokenizer_decode(t, ids, n, back, sizeof back, &n_back, &error) &&
                          n_back == (size_t)(end - text) && !memcmp(back, text, n_back),
                      "%s, text %d does not come back", names[i], count);
                line += width + (line[width] == '\n');
            }
            CHECK(count == 46, "%s: %d vectors", names[i], count);
            tgi_tokenizer_free(t);
            tgi_gguf_free(gguf);
        }
        free(file);
        free(texts);
        free(lines);
    }
}

/* The sequences of a breaker: length, then that many ids, repeated. */
static void expect_breakers(const tg_tokenizer *t, const char *text, const int32_t *expected,
                            size_t n_expected)
{
    int32_t got[64];
    size_t n = 0, count = 0;
    tg_error error = {0};
    CHECK(!tgi_tokenizer_sequence_breakers(t, text, strlen(text), got, 64, &n, &error), "%s",
          error.message);
    CHECK(n == n_expected && !memcmp(got, expected, n * sizeof *got), "%s: %zu numbers, not %zu",
          text, n, n_expected);
    CHECK(!tgi_tokenizer_sequence_breakers(t, text, strlen(text), NULL, 0, &count, &error) &&
              count == n,
          "the count alone");
}

static void breakers(void)
{
    static const entry entries[] = {{"a", -1, 1},   {"ab", -2, 1},  {"b", -3, 1},
                                    {"xba", -4, 1}, {"cab", -5, 1}, {"\xe2\x96\x81", -6, 1}};
    enum { A = 259, AB, B, XBA, CAB, SPACE };
    const vocabulary v = make(entries, 6, 1, NULL, 0);
    int32_t ids[4];
    size_t n;
    tg_error error = {0};
    CHECK(v.status == TG_OK);
    /* every token that contains the text, byte tokens included */
    expect_breakers(v.tokens, "b", (const int32_t[]){1, 3 + 'b', 1, AB, 1, B, 1, XBA, 1, CAB}, 10);
    /* a token that contains all of it is a sequence of one; tokens that end with its beginning are
     * followed by the rest, which is encoded on its own, with a space prefix */
    expect_breakers(
        v.tokens, "ab",
        (const int32_t[]){3, 3 + 'a', SPACE, B, 3, A, SPACE, B, 1, AB, 3, XBA, SPACE, B, 1, CAB},
        16);
    expect_breakers(v.tokens, "<s>", (const int32_t[]){1, 1, 4, 3 + '<', SPACE, 3 + 's', 3 + '>'},
                    7);
    CHECK(tgi_tokenizer_sequence_breakers(v.tokens, "", 0, ids, 4, &n, &error) ==
                  TG_SAMPLER_BAD_OPTION &&
              strstr(error.message, "40"),
          "%s", error.message);
    CHECK(tgi_tokenizer_sequence_breakers(v.tokens, "12345678901234567890123456789012345678901", 41,
                                          ids, 4, &n, &error) == TG_SAMPLER_BAD_OPTION);
    drop(v);
}

static const tg_test tests[] = {
    {"tokens-breakers", "sequence breakers as token sequences", breakers},
    {"tokens-merges", "the best pair first, the leftmost of equal ones, bytes for the rest",
     merges},
    {"tokens-specials", "user-defined tokens always, control tokens when asked for", specials},
    {"tokens-plain",
     "text that spells special or byte tokens stays text; user-defined tokens come back exactly",
     no_imitations},
    {"tokens-ends", "the tokens that end a generation, by key and by piece", ends},
    {"tokens-capacity", "nothing past the capacity, the whole count", capacities},
    {"tokens-options", "space prefix, BOS and EOS by the file's keys", options},
    {"tokens-damaged", "damaged vocabularies are refused", damaged},
    {"tokens-random", "any bytes come back", random_bytes},
    {"tokens-definition", "short and long words give what a naive implementation gives",
     beside_the_definition},
    {"tokens-long", "a megabyte of one letter", long_runs},
    {"tokens-vectors", "46 published vectors of each of six vocabularies", vectors},
};
TEST_MAIN(tests)
