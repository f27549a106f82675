/* Grammars of a model, by the public functions: what each kind of token counts as in both kinds of
 * vocabulary, the space before a text, ends, refused calls. */
#include "../../src/tokenglass.h"
#include "random.h"
#include "test.h"
#include "tiny_gguf.h"

typedef struct entry {
    const char *piece;
    uint32_t type;
} entry;

/* A model with this vocabulary and no weights. kind: "llama", whose pieces begin with the 256 byte
 * tokens, or "gpt2". eos: an id, or -1. */
static tg_model *vocabulary(const char *kind, const entry *entries, uint32_t n, int32_t eos)
{
    tiny_bytes b = {0};
    const bool bytes = kind[0] == 'l';
    const uint32_t first = bytes ? 256 : 0;
    tg_model *model = tg_model_new(&(tg_model_options){
        .cache_type_k = TG_CACHE_AUTO, .cache_type_v = TG_CACHE_AUTO, .vocab_only = true});
    size_t used;
    tiny_head(&b, 0, eos < 0 ? 7 : 8);
    tiny_key_string(&b, "general.architecture", "llama");
    tiny_key_string(&b, "tokenizer.ggml.model", kind);
    tiny_key_string(&b, "tokenizer.ggml.pre", "gpt-2");
    tiny_key_u32(&b, "tokenizer.ggml.unknown_token_id", first);
    if (eos >= 0)
        tiny_key_u32(&b, "tokenizer.ggml.eos_token_id", (uint32_t)eos);
    tiny_key_array(&b, "tokenizer.ggml.tokens", 8, first + n);
    for (uint32_t i = 0; i < first + n; i++) {
        char byte[8];
        snprintf(byte, sizeof byte, "<0x%02X>", (unsigned)i & 255);
        tiny_string(&b, i < first ? byte : entries[i - first].piece);
    }
    tiny_key_array(&b, "tokenizer.ggml.token_type", 5, first + n);
    for (uint32_t i = 0; i < first + n; i++)
        tiny_u32(&b, i < first ? TG_TOKEN_BYTE : entries[i - first].type);
    tiny_key_array(&b, "tokenizer.ggml.merges", 8, 0);
    tg_status status = tg_model_feed(model, b.data, b.size, &used);
    if (!status)
        status = tg_model_allocate(model);
    if (!status)
        status = tg_model_finish(model);
    CHECK(!status, "%s", tg_model_error(model)->message);
    free(b.data);
    return model;
}

/* The pieces of the allowed tokens, separated by spaces. */
static const char *allowed(tg_model *model, tg_grammar_state *state)
{
    static char list[4096];
    const int32_t *mask;
    const char *piece;
    size_t n_words, length, used = 0;
    list[0] = 0;
    if (tg_grammar_state_mask(state, &mask, &n_words))
        return tg_model_error(model)->message;
    for (int32_t id = 0; id < (int32_t)n_words * 32; id++) {
        if (!((uint32_t)mask[id / 32] >> id % 32 & 1))
            continue;
        CHECK(!tg_model_token_piece(model, id, &piece, &length), "token %d does not exist", id);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", used ? " " : "",
                                 (int)length, piece);
    }
    return list;
}

static tg_grammar *grammar_of(tg_model *model, const char *text)
{
    tg_grammar *grammar;
    CHECK(!tg_grammar_new(model, text, strlen(text), &grammar), "%s: %s", text,
          tg_model_error(model)->message);
    return grammar;
}

/* Compares the allowed tokens after some bytes. */
static void expect(tg_model *model, const char *text, bool at_start, const char *before,
                   const char *expected)
{
    tg_grammar *grammar = grammar_of(model, text);
    tg_grammar_state *state;
    CHECK(!tg_grammar_begin(grammar, at_start, &state) &&
              !tg_grammar_state_accept_bytes(state, before, strlen(before)),
          "%s", tg_model_error(model)->message);
    for (int again = 0; again < 2; again++) {
        const char *list = allowed(model, state);
        CHECK(!strcmp(list, expected), "%s after \"%s\": %s, not %s", text, before, list, expected);
    }
    tg_grammar_state_free(state);
    tg_grammar_free(grammar);
}

static const entry byte_level[] = {
    {"a", 1},
    {"\xc4\xa0", 1},
    {"c", 1},
    {"cat", 1},
    {"\xc4\xa0"
     "cat",
     1},
    {"caf", 1},
    {"\xc3\x83", 1},
    {"\xc2\xa9", 1},
    {"\xc3\x83\xc2\xa9", 1},
    {"\xc4\x8a", 1},
    {"<eos>", 3},
    {"<unk>", 2},
    {"old", 5},
    {"<tool>", 4},
    {"\xc3\xa9", 4},
    {"o", 1},
    {"l", 1},
    {"\xc4\x8a\xc4\xa0", 1},
};

static void byte_tokens(void)
{
    tg_model *model = vocabulary("gpt2", byte_level, sizeof byte_level / sizeof *byte_level, 10);
    expect(model, "root ::= \"a cat\" | \"a dog\"", true, "", "a");
    expect(model, "root ::= \"a cat\" | \"a dog\"", true, "a",
           "\xc4\xa0 \xc4\xa0"
           "cat");
    expect(model, "root ::= \" cat\"", true, "",
           "\xc4\xa0 \xc4\xa0"
           "cat"); /* no space is added in front */
    expect(model, "root ::= \"caf\xc3\xa9\"", true, "caf",
           "\xc3\x83 \xc3\x83\xc2\xa9 \xc3\xa9"); /* a user-defined token is what it says */
    expect(model, "root ::= \"caf\xc3\xa9\"", true, "caf\xc3", "\xc2\xa9");
    expect(model, "root ::= \"caf\xc3\xa9\"", true, "caf\xc3\xa9", "<eos>");
    expect(model, "root ::= [^\\n\\x20]{1,2} \"\\n\"?", true, "a",
           "a c \xc3\x83 \xc3\x83\xc2\xa9 \xc4\x8a <eos> \xc3\xa9 o l");
    expect(model, "root ::= (\"old\" | \"<unk>\" | \"<tool>\" | \"<eos>\")*", true, "",
           "<eos> <tool> o");
    tg_model_free(model);
}

static const entry pieces[] = {
    {"<unk>", 2},
    {"<s>", 3},
    {"</s>", 3},
    {"\xe2\x96\x81yes", 1},
    {"yes", 1},
    {"\xe2\x96\x81", 1},
    {"\xe2\x96\x81\xe2\x96\x81", 1},
    {" x", 4},
    {"\xe2\x96\x81x", 1},
    {"x", 1},
    {"caf\xc3\xa9", 1},
    {"\xe2\x96\x81no", 5},
};

static void space_tokens(void)
{
    tg_model *model = vocabulary("llama", pieces, sizeof pieces / sizeof *pieces, 258);
    const char *yes = "root ::= \"yes\" | \" yes\" | \"x\"";
    expect(model, yes, false, "", "<0x20> <0x78> <0x79> \xe2\x96\x81yes yes \xe2\x96\x81 x");
    /* the space before a text is none of the text; that of a user-defined token is */
    expect(model, yes, true, "",
           "<0x20> <0x78> <0x79> \xe2\x96\x81yes yes \xe2\x96\x81 \xe2\x96\x81\xe2\x96\x81 "
           "\xe2\x96\x81x x");
    expect(model, "root ::= \" x\"", true, "", "<0x20> \xe2\x96\x81 \xe2\x96\x81\xe2\x96\x81  x");
    expect(model, "root ::= \"caf\xc3\xa9\"", true, "", "<0x20> <0x63> \xe2\x96\x81 caf\xc3\xa9");
    expect(model, "root ::= \"caf\xc3\xa9\"", true, "caf\xc3", "<0xA9>");
    expect(model, "root ::= \"caf\xc3\xa9\"?", true, "",
           "<0x20> <0x63> </s> \xe2\x96\x81 "
           "caf\xc3\xa9");
    expect(model, "root ::= \"\"", true, "", "</s>");
    tg_model_free(model);
}

static void accepting(void)
{
    tg_model *model = vocabulary("llama", pieces, sizeof pieces / sizeof *pieces, 258);
    tg_grammar *grammar = grammar_of(model, "root ::= \"yes\" | \"yesx\" | \"xx\"");
    tg_grammar_state *state = NULL, *other = NULL;
    CHECK(!tg_grammar_begin(grammar, true, &state) && !tg_grammar_begin(grammar, false, &other));
    /* a space alone leaves the text as it was, once */
    CHECK(!tg_grammar_state_accept(state, 261), "%s", tg_model_error(model)->message);
    CHECK(tg_grammar_state_accept(state, 261) == TG_GRAMMAR_INVALID);
    CHECK(tg_grammar_state_accept(state, 259) == TG_GRAMMAR_INVALID);
    CHECK(!strcmp(tg_model_error(model)->message, "the grammar does not allow token 259"));
    CHECK(!tg_grammar_state_accept(state, 260) && tg_grammar_state_is_complete(state));
    CHECK(!strcmp(allowed(model, state), "<0x78> </s> x"), "%s", allowed(model, state));
    CHECK(tg_grammar_state_accept(state, 256) == TG_GRAMMAR_INVALID && /* <unk> */
          tg_grammar_state_accept(state, 267) == TG_GRAMMAR_INVALID);
    CHECK(tg_grammar_state_accept(state, -1) == TG_TOKEN_OUT_OF_RANGE &&
          tg_grammar_state_accept(state, 268) == TG_TOKEN_OUT_OF_RANGE);
    CHECK(!tg_grammar_state_has_ended(state) && !tg_grammar_state_accept(state, 258));
    CHECK(tg_grammar_state_has_ended(state) && !*allowed(model, state));
    CHECK(tg_grammar_state_accept(state, 258) == TG_GRAMMAR_INVALID &&
          tg_grammar_state_accept_bytes(state, "x", 1) == TG_GRAMMAR_INVALID);
    /* bytes: all or none */
    CHECK(tg_grammar_state_accept_bytes(other, "yesy", 4) == TG_GRAMMAR_INVALID);
    CHECK(!tg_grammar_state_accept_bytes(other, "", 0));
    CHECK(!tg_grammar_state_accept_bytes(other, "yes", 3) && tg_grammar_state_is_complete(other));
    CHECK(tg_grammar_memory(grammar) > 1000 && tg_grammar_memory(grammar) < 1000000);
    tg_grammar_state_free(state);
    tg_grammar_state_free(other);
    tg_grammar_state_free(NULL);
    tg_grammar_free(grammar);
    tg_grammar_free(NULL);
    tg_model_free(model);
}

/* The only byte that the mask allows after bytes[n]; -1: there is another number, or the text can
 * end. */
static int masked_byte(tg_grammar *grammar, const char *bytes, size_t n)
{
    tg_grammar_state *state;
    const int32_t *mask;
    size_t n_words;
    int found = 0, byte = -1;
    CHECK(!tg_grammar_begin(grammar, false, &state) &&
          !tg_grammar_state_accept_bytes(state, bytes, n) &&
          !tg_grammar_state_mask(state, &mask, &n_words));
    for (int id = 0; id <= 258; id++) /* the byte tokens, and the one that ends the text */
        if ((uint32_t)mask[id / 32] >> id % 32 & 1) {
            found++;
            byte = id < 256 ? id : -1;
        }
    tg_grammar_state_free(state);
    return found == 1 ? byte : -1;
}

static const char *const forcing[] = {
    /* as JSON Schemas become grammars */
    "root ::= \"{\\\"name\\\": \" string \", \\\"kind\\\": \" kind (\", \\\"ok\\\": \" ok)? \"}\"\n"
    "string ::= \"\\\"\" [a-z]{2,5} \"\\\"\"\nok ::= \"true\" | \"false\"\n"
    "kind ::= \"\\\"cat\\\"\" | \"\\\"cattle\\\"\" | \"\\\"caf\xc3\xa9\\\"\"\n",
    "root ::= \"[\" %unordered(\", \" : \"\\\"first\\\": 1\"!, \"\\\"second\\\": 2\"!, "
    "\"\\\"third\\\": 3\") "
    "\"]\"",
    "root ::= \"ab\"{12} \"\\n\"?",
};

/* At each byte of random texts, what is forced is what the masks say one byte at a time. */
static void forced_bytes(void)
{
    tg_model *model = vocabulary("llama", pieces, sizeof pieces / sizeof *pieces, 258);
    test_random r = {9};
    for (int i = 0; i < 12; i++) {
        tg_grammar *grammar = grammar_of(model, forcing[i % 3]);
        char text[128];
        uint8_t bytes[64];
        size_t n, length = 0, longest = 0;
        for (tg_grammar_state *state = NULL; length < 60 && !test_failures; length++) {
            CHECK(!tg_grammar_begin(grammar, true, &state) &&
                  !tg_grammar_state_accept_bytes(state, text, length));
            CHECK(!tg_grammar_state_forced(state, bytes, sizeof bytes, &n));
            size_t want = 0;
            for (int byte; (byte = masked_byte(grammar, text, length + want)) >= 0; want++)
                text[length + want] = (char)byte;
            CHECK(n == want && !memcmp(bytes, text + length, n), "\"%.*s\" forces \"%.*s\"",
                  (int)length, text, (int)n, bytes);
            CHECK(!tg_grammar_state_forced(state, bytes, 3, &n) && n == (want < 3 ? want : 3));
            longest = want > longest ? want : longest;
            const bool ends = tg_grammar_state_is_complete(state);
            for (int tried = 0; !want && !ends && tried < 2000; tried++) {
                text[length] = (char)(random_u32(&r) % 128);
                if (!tg_grammar_state_accept_bytes(state, text + length, 1))
                    break;
            }
            if (ends && !tg_grammar_state_accept(state, 258))
                CHECK(!tg_grammar_state_forced(state, bytes, 8, &n) && n == 0);
            tg_grammar_state_free(state);
            if (ends)
                break;
        }
        CHECK(longest >= 8 && length > 20, "only %zu bytes are forced", longest);
        tg_grammar_free(grammar);
    }
    tg_model_free(model);
}

/* A vocabulary without a token that ends a generation: the text ends where nothing can follow. */
static void no_end(void)
{
    tg_model *model = vocabulary("gpt2", byte_level, 10, -1);
    tg_grammar *grammar = grammar_of(model, "root ::= \"a\" [ac]?");
    tg_grammar_state *state;
    CHECK(!tg_grammar_begin(grammar, true, &state) && !tg_grammar_state_accept(state, 0));
    CHECK(tg_grammar_state_is_complete(state) && !tg_grammar_state_has_ended(state));
    CHECK(!tg_grammar_state_accept(state, 2) && tg_grammar_state_has_ended(state));
    CHECK(!*allowed(model, state), "%s", allowed(model, state));
    tg_grammar_state_free(state);
    tg_grammar_free(grammar);
    tg_model_free(model);
}

static void refused(void)
{
    tg_grammar *grammar = NULL;
    tg_model *model = tg_model_new(&(tg_model_options){.vocab_only = true});
    CHECK(tg_grammar_new(model, "root ::= \"a\"", 12, &grammar) == TG_MODEL_NOT_READY && !grammar);
    tg_model_free(model);
    model = vocabulary("gpt2", byte_level, 10, -1);
    CHECK(tg_grammar_new(model, "root ::= ", 9, &grammar) == TG_GRAMMAR_INVALID && !grammar);
    CHECK(strstr(tg_model_error(model)->message, "line 1, column 10"), "%s",
          tg_model_error(model)->message);
    expect(model, "root ::= \"a\"", true, "", "a"); /* later grammars work */
    tg_model_free(model);
}

static const tg_test tests[] = {
    {"byte-level", "tokens of a byte-level vocabulary are their bytes", byte_tokens},
    {"spaces", "U+2581 is a space, and the space before a text is none of it", space_tokens},
    {"accept", "tokens and bytes, and what cannot follow", accepting},
    {"forced", "bytes are those that the masks leave no choice about", forced_bytes},
    {"no-end", "without a token that ends a generation", no_end},
    {"refused", "grammars, and calls that come too early", refused},
};
TEST_MAIN(tests)
