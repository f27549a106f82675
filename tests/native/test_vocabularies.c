/* Vocabularies with faults that other programs accept: what the tokenizer makes of them, and which
 * warnings it gives. */
#include "tiny_tokenizer.h"

#include <math.h>

#define SP "\xe2\x96\x81" /* U+2581 */

/* Adds a key with an array of strings. */
static void put_strings(tiny_bytes *b, const char *key, const char *const *texts, uint32_t n)
{
    tiny_key_array(b, key, 8, n);
    for (uint32_t i = 0; i < n; i++)
        tiny_string(b, texts[i]);
}

/* Adds a key with an array of 32-bit numbers: type 5 (i32) or 6 (f32). */
static void put_numbers(tiny_bytes *b, const char *key, uint32_t type, const void *numbers,
                        uint32_t n)
{
    tiny_key_array(b, key, type, n);
    tiny_put(b, numbers, 4 * (size_t)n);
}

static void put_i32(tiny_bytes *b, const char *key, int32_t value)
{
    tiny_string(b, key);
    tiny_u32(b, 5);
    tiny_u32(b, (uint32_t)value);
}

/* A tokenizer of this model from keys, which are freed. */
static vocabulary make(const char *model, tiny_bytes *keys, uint32_t n_keys)
{
    tiny_bytes b = {0};
    tiny_head(&b, 0, 1 + n_keys);
    tiny_key_string(&b, "tokenizer.ggml.model", model);
    tiny_put(&b, keys->data, keys->size);
    free(keys->data);
    *keys = (tiny_bytes){0};
    return tiny_tokenizer(b);
}

/* Checks that the vocabulary was read with these words in its only warning; NULL: without one. */
static void expect_warning(const vocabulary *v, const char *words)
{
    CHECK(!v->status, "%s", v->error.message);
    if (v->status)
        return;
    const char *warning = tgi_tokenizer_warning(v->tokens, 0);
    CHECK(words ? warning && strstr(warning, words) : !warning, "%s",
          warning ? warning : "no warning");
    CHECK(!warning || !tgi_tokenizer_warning(v->tokens, 1), "%s",
          tgi_tokenizer_warning(v->tokens, 1));
}

/* Checks the pieces of a text, separated by spaces, and that the parts of the tokens cover it. */
static void expect(const vocabulary *v, const char *text, const char *expected)
{
    int32_t ids[64];
    uint32_t ends[64];
    size_t n = 0, used = 0;
    char got[512] = "";
    if (v->status)
        return;
    CHECK(!tgi_tokenizer_encode(v->tokens, text, strlen(text), 0, ids, ends, 64, &n, NULL) &&
              n <= 64,
          "\"%s\"", text);
    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", i ? " " : "",
                                 tgi_tokenizer_piece(v->tokens, ids[i]).data);
        CHECK(ends[i] >= (i ? ends[i - 1] : 0), "\"%s\": token %zu ends before it begins", text, i);
    }
    CHECK(!n || ends[n - 1] == strlen(text), "\"%s\" ends at %u", text, (unsigned)ends[n - 1]);
    CHECK(!strcmp(got, expected), "\"%s\" became \"%s\", not \"%s\"", text, got, expected);
}

/* ---- scores and merges ---- */

static const char *const pieces[] = {"<unk>", "<s>", "</s>", SP,     "a",   "b",  "c",
                                     "ab",    "bc",  "abc",  SP "a", SP SP, "ca", "\xc3\xa9"};
enum { N = sizeof pieces / sizeof pieces[0] };
static const int32_t types[N] = {2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const float equal[N] = {0};

static tiny_bytes standard(void)
{
    tiny_bytes keys = {0};
    put_strings(&keys, "tokenizer.ggml.tokens", pieces, N);
    put_numbers(&keys, "tokenizer.ggml.token_type", 5, types, N);
    return keys;
}

static void merges(void)
{
    static const char *const all[] = {"b c", "a b", "a bc", "ab c", SP " a", SP " " SP, "c a"};
    static const char *const some[] = {"a b", "ab c"};
    static const char *const odd[] = {"b c", "x y", "b", "c b", "a bc"};
    static const char *const raw[] = {"   ", "b c"}; /* a space and a space, as spaces */
    const float better[N] = {0, 0, 0, 0, 0, 0, 0, -1, -9, -9, -9, -9, -9, 0};
    const float no_number[N] = {0, 0, 0, NAN};
    tiny_bytes keys = standard();
    put_numbers(&keys, "tokenizer.ggml.scores", 6, equal, N);
    put_strings(&keys, "tokenizer.ggml.merges", all, 7);
    vocabulary v = make("llama", &keys, 4);
    expect_warning(&v, NULL);
    expect(&v, "abc", SP " abc"); /* b c, then a bc */
    expect(&v, "bca", SP " bc a");
    expect(&v, "cab", SP " c ab"); /* a b comes before c a */
    drop(v);

    keys = standard(); /* merges decide, whatever the scores are */
    put_numbers(&keys, "tokenizer.ggml.scores", 6, better, N);
    put_strings(&keys, "tokenizer.ggml.merges", some, 2);
    v = make("llama", &keys, 4);
    expect_warning(&v, NULL);
    expect(&v, "abc", SP " abc");
    expect(&v, "bc", SP " b c"); /* no merge makes it */
    expect(&v, " a", SP " " SP " a");
    drop(v);

    keys = standard(); /* scores that merges make unimportant are not read */
    put_numbers(&keys, "tokenizer.ggml.scores", 6, no_number, 5);
    put_strings(&keys, "tokenizer.ggml.merges", all, 7);
    v = make("llama", &keys, 4);
    expect_warning(&v, NULL);
    expect(&v, "abc", SP " abc");
    drop(v);

    keys = standard();
    put_strings(&keys, "tokenizer.ggml.merges", odd, 5);
    v = make("llama", &keys, 3);
    expect_warning(&v, "3 of the 5 entries of tokenizer.ggml.merges");
    expect(&v, "abc", SP " abc");
    drop(v);

    keys = standard();
    put_strings(&keys, "tokenizer.ggml.merges", raw, 2);
    v = make("llama", &keys, 3);
    expect_warning(&v, NULL);
    expect(&v, "  bc", SP SP " " SP " bc");
    drop(v);
}

static void scores(void)
{
    const float falling[N] = {0, 0, 0, 0, 0, 0, 0, -1, -2, -3, -4, -5, -6, 0};
    float longer[N + 2] = {0};
    tiny_bytes keys = standard();
    put_numbers(&keys, "tokenizer.ggml.scores", 6, equal, N);
    vocabulary v = make("llama", &keys, 3);
    expect_warning(&v, "all scores in tokenizer.ggml.scores are equal");
    expect(&v, "cab", SP " ca b"); /* the leftmost pair, for want of anything better */
    drop(v);

    keys = standard();
    put_numbers(&keys, "tokenizer.ggml.scores", 6, equal, N);
    put_strings(&keys, "tokenizer.ggml.merges", NULL, 0);
    v = make("llama", &keys, 4);
    expect_warning(&v, "all scores in tokenizer.ggml.scores are equal");
    drop(v);

    keys = standard();
    v = make("llama", &keys, 2);
    expect_warning(&v, "tokenizer.ggml.scores is missing");
    drop(v);

    keys = standard();
    put_numbers(&keys, "tokenizer.ggml.scores", 6, falling, N);
    v = make("llama", &keys, 3);
    expect_warning(&v, NULL);
    expect(&v, "abc", SP " abc");
    drop(v);

    keys = standard();
    memcpy(longer, falling, sizeof falling);
    put_numbers(&keys, "tokenizer.ggml.scores", 6, longer, N + 2);
    v = make("llama", &keys, 3);
    expect_warning(&v, "tokenizer.ggml.scores has 16 entries for 14 tokens");
    expect(&v, "abc", SP " abc");
    drop(v);

    keys = standard();
    put_numbers(&keys, "tokenizer.ggml.scores", 6, falling, N - 1);
    v = make("llama", &keys, 3);
    CHECK(v.status == TG_TOKENIZER_BAD && strstr(v.error.message, "scores has 13 entries"), "%s",
          v.error.message);
    drop(v);
}

static void gemma4(void)
{
    static const char *const all[] = {"b c", "a bc", SP " a", SP " " SP};
    tiny_bytes keys = standard();
    put_strings(&keys, "tokenizer.ggml.merges", all, 4);
    put_i32(&keys, "tokenizer.ggml.bos_token_id", 1);
    tiny_key_bool(&keys, "tokenizer.ggml.add_bos_token", false);
    vocabulary v = make("gemma4", &keys, 5);
    int32_t ids[8];
    size_t n = 0;
    expect_warning(&v, NULL);
    expect(&v, "abc", "abc"); /* no space is added before a text */
    expect(&v, "  a\xc3\xa9", SP " " SP "a \xc3\xa9");
    CHECK(!tgi_tokenizer_encode(v.tokens, "a", 1, TG_ADD_SPECIAL, ids, NULL, 8, &n, NULL) &&
              n == 2 && ids[0] == 1,
          "BOS, although the file says that there is none");
    drop(v);
}

/* ---- characters that are no tokens ---- */

static void unknown(void)
{
    static const char *const texts[] = {"<unk>", "<s>", "</s>", SP, "x", "y"};
    static const int32_t kinds[] = {2, 3, 3, 1, 1, 1}, no_unknown[] = {3, 3, 3, 1, 1, 1};
    tiny_bytes keys = {0};
    put_strings(&keys, "tokenizer.ggml.tokens", texts, 6);
    put_numbers(&keys, "tokenizer.ggml.token_type", 5, kinds, 6);
    vocabulary v = make("llama", &keys, 2); /* no unknown_token_id: the type says it */
    expect_warning(&v, NULL);
    expect(&v, "\xe6\x97\xa5", SP " <unk>");             /* one for a character of three bytes */
    expect(&v, "\xe6\x97\xa5\xe6\x9c\xac", SP " <unk>"); /* neighbours share it */
    expect(&v, "x\xe6\x97\xa5 \xe6\x9c\xacy", SP " x <unk> " SP " <unk> y");
    expect(&v, "x<unk>x", SP " x <unk> x"); /* five characters */
    uint32_t ends[8];
    int32_t ids[8];
    size_t n;
    CHECK(!tgi_tokenizer_encode(v.tokens, "x\xe6\x97\xa5zy", 6, 0, ids, ends, 8, &n, NULL) &&
              n == 4 && ends[0] == 0 && ends[1] == 1 && ends[2] == 5 && ends[3] == 6,
          "the unknown token covers all of its characters");
    CHECK(!tgi_tokenizer_encode(v.tokens, "<unk>zz<unk>", 12, TG_PARSE_SPECIAL, ids, ends, 8, &n,
                                NULL) &&
              n == 4 && ids[0] == 0 && ids[1] == 3 && ids[2] == 0 && ids[3] == 0,
          "a token that the text names is not one with the characters beside it");
    drop(v);

    put_strings(&keys, "tokenizer.ggml.tokens", texts, 6);
    put_numbers(&keys, "tokenizer.ggml.token_type", 5, no_unknown, 6);
    put_i32(&keys, "tokenizer.ggml.unknown_token_id", 2);
    v = make("llama", &keys, 3); /* the key decides */
    expect(&v, "xzz", SP " x </s>");
    drop(v);

    put_strings(&keys, "tokenizer.ggml.tokens", texts, 6);
    put_numbers(&keys, "tokenizer.ggml.token_type", 5, no_unknown, 6);
    v = make("llama", &keys, 2); /* none: only a text with such a character fails */
    expect_warning(&v, NULL);
    expect(&v, "xy", SP " x y");
    tg_error error = {0};
    CHECK(tgi_tokenizer_encode(v.tokens, "xz", 2, 0, ids, NULL, 8, &n, &error) ==
                  TG_TOKENIZER_BAD &&
              strstr(error.message, "\"z\""),
          "%s", error.message);
    drop(v);
}

/* ---- bytes ---- */

static char byte_pieces[256][8];
static const char *byte_texts[256 + 5];

/* <unk> <s> </s> U+2581, the 256 bytes, x. */
static void put_bytes(tiny_bytes *keys)
{
    byte_texts[0] = "<unk>", byte_texts[1] = "<s>", byte_texts[2] = "</s>", byte_texts[3] = SP;
    for (unsigned i = 0; i < 256; i++) {
        snprintf(byte_pieces[i], sizeof byte_pieces[i], i % 2 ? "<0x%02X>" : "<0x%02x>", i);
        byte_texts[4 + i] = byte_pieces[i];
    }
    byte_texts[260] = "x";
    put_strings(keys, "tokenizer.ggml.tokens", byte_texts, 261);
}

/* Checks that <0x68> is the byte h, on the way in and out. */
static void expect_bytes(const vocabulary *v)
{
    char text[8];
    size_t n = 0;
    const int32_t id = 4 + 0x68;
    expect(v, "xh", SP " x <0x68>");
    expect(v, "\xe2\x82\xac", SP " <0xe2> <0x82> <0xac>");
    expect(v, "<0x68>", SP " <0x3c> <0x30> x <0x36> <0x38> <0x3e>");
    CHECK(!v->status && !tgi_tokenizer_decode(v->tokens, &id, 1, text, 8, &n, NULL) && n == 1 &&
              text[0] == 'h',
          "the text of <0x68> has %zu bytes", n);
    CHECK(!v->status && tgi_tokenizer_is_eog(v->tokens, 2) &&
              !tgi_tokenizer_bytes(v->tokens, 2).length &&
              !tgi_tokenizer_bytes(v->tokens, 1).length,
          "<s> and </s> are no text");
}

static void bytes(void)
{
    int32_t kinds[261], some[261];
    tiny_bytes keys = {0};
    put_bytes(&keys);
    vocabulary v = make("llama", &keys, 1); /* no token_type */
    expect_warning(&v, NULL);
    expect_bytes(&v);
    expect(&v, "<s>", SP " <0x3c> <0x73> <0x3e>");
    drop(v);

    for (int i = 0; i < 261; i++)
        kinds[i] = i == 0 ? 2 : i < 3 ? 3 : 1;
    put_bytes(&keys);
    put_numbers(&keys, "tokenizer.ggml.token_type", 5, kinds, 261);
    v = make("llama", &keys, 2); /* all are normal */
    expect_warning(&v, "token_type marks no byte tokens");
    expect_bytes(&v);
    drop(v);

    /* a few bytes: a character is bytes only if all of its bytes are there */
    for (int i = 0; i < 261; i++)
        some[i] = i < 4 || i == 260 ? kinds[i] : i - 4 == 0xe2 || i - 4 == 'h' ? 6 : 5;
    put_bytes(&keys);
    put_numbers(&keys, "tokenizer.ggml.token_type", 5, some, 261);
    v = make("llama", &keys, 2);
    expect_warning(&v, "tokenizer.ggml.scores is missing"); /* unused tokens can be merged */
    expect(&v, "xh\xe2\x82\xac", SP " x <0x68> <unk>");
    drop(v);
}

/* ---- ids ---- */

static void outside(void)
{
    static const char *const names[] = {
        "bos_token_id",     "eos_token_id",     "unknown_token_id",   "eot_token_id",
        "eom_token_id",     "padding_token_id", "seperator_token_id", "mask_token_id",
        "fim_pre_token_id", "fim_suf_token_id", "fim_mid_token_id",   "cls_token_id"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (int negative = 0; negative < 2; negative++) {
            char key[64], words[96];
            tiny_bytes keys = standard();
            const float falling[N] = {0, 0, 0, 0, 0, 0, 0, -1, -2, -3, -4, -5, -6, 0};
            put_numbers(&keys, "tokenizer.ggml.scores", 6, falling, N);
            snprintf(key, sizeof key, "tokenizer.ggml.%s", names[i]);
            if (negative)
                put_i32(&keys, key, -1);
            else
                tiny_key_u32(&keys, key, N);
            vocabulary v = make("llama", &keys, 4);
            snprintf(words, sizeof words, "%s is %d, but the vocabulary has 14 tokens", key,
                     negative ? -1 : N);
            expect_warning(&v, words);
            CHECK(!v.status && tgi_tokenizer_bos(v.tokens) == -1 &&
                      tgi_tokenizer_eos(v.tokens) == -1,
                  "%s", names[i]);
            expect(&v, "abc", SP " abc");
            drop(v);
        }
    tiny_bytes keys = standard();
    tiny_key_string(&keys, "tokenizer.ggml.bos_token_id", "<s>");
    vocabulary v = make("llama", &keys, 3);
    CHECK(v.status == TG_MODEL_KEY_BAD, "a text for an id: %s", tg_status_name(v.status));
    drop(v);
}

static const tg_test tests[] = {
    {"vocabularies-merges", "SentencePiece pieces with merges: their ranks decide", merges},
    {"vocabularies-scores", "scores that decide nothing are a warning", scores},
    {"vocabularies-gemma4", "gemma4: merges by rank, spaces escaped, BOS", gemma4},
    {"vocabularies-unknown", "one unknown token for neighbouring characters that are no tokens",
     unknown},
    {"vocabularies-bytes", "<0x68> is the byte h, whatever the token types say", bytes},
    {"vocabularies-ids", "special ids outside of the vocabulary are ignored with a warning",
     outside},
};
TEST_MAIN(tests)
