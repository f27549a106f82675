/* Grammars: exact cases, errors with their places, sizes, limits. test_grammar_random.c compares
 * random grammars with a plain recognizer; test_grammar_model.c has the public functions. */
#include "grammar_machine.h"
#include "random.h"

/* ---- exact cases ---- */

/* Each text begins with what the grammar makes of it: = the whole, < a beginning, ! neither. */
static const struct {
    const char *grammar, *texts[12];
} cases[] = {
    {"root ::= \"a cat\" | \"a dog\"", {"=a cat", "=a dog", "<a ", "<", "!a cow", "!a cats"}},
    {"root ::= \"caf\\u00e9\"", {"=caf\xc3\xa9", "<caf\xc3", "!cafe", "!caf\xe9"}},
    {"root ::= \"caf\xc3\xa9\"", {"=caf\xc3\xa9", "<caf\xc3"}},
    {"root ::= \"\\x41\\t\\r\\n\\\\\\\"\\U0001F600\"", {"=A\t\r\n\\\"\xf0\x9f\x98\x80"}},
    {"root ::= \"\\ud83d\\ude00\"", {"=\xf0\x9f\x98\x80"}},
    {"root ::= \"\"", {"=", "!a"}},
    {"root ::= [a-c]", {"=a", "=c", "!d", "<"}},
    {"root ::= [^a-c]", {"!a", "=d", "=\n", "=\xc3\xa9", "<\xc3", "!\x80", "!\xff", "!\xc0\x80"}},
    {"root ::= [a\\-z\\]-]", {"=a", "=-", "=z", "=]", "!b"}},
    {"root ::= [\xc3\xa0-\xc3\xbc\\u4e00-\\u4e8c]",
     {"=\xc3\xa9", "!\xc3\xbd", "=\xe4\xb8\x80", "=\xe4\xba\x8c", "!\xe4\xba\x8d", "<\xe4\xba"}},
    {"root ::= .",
     {"=a", "=\n", "=\xf4\x8f\xbf\xbf", "!\xf4\x90", "!\xed\xa0", "<\xed\x9f", "!ab"}},
    {"root ::= [\\x7f-\\U00010001]",
     {"=\x7f", "=\xc2\x80", "=\xdf\xbf", "=\xe0\xa0\x80", "=\xef\xbf\xbf", "=\xf0\x90\x80\x81",
      "!\xf0\x90\x80\x82", "!\xe0\x9f", "!\xed\xa0", "!~"}},
    {"root ::= \"a\"*", {"=", "=a", "=aaaa", "!b"}},
    {"root ::= \"a\"+", {"<", "=a", "=aaaa"}},
    {"root ::= \"a\"? \"b\"", {"=b", "=ab", "!aab"}},
    {"root ::= \"ab\"{2}", {"=abab", "<ab", "!ababa"}},
    {"root ::= \"a\"{2,}", {"<a", "=aa", "=aaaaa"}},
    {"root ::= \"a\"{1,3} \"b\"", {"!b", "=ab", "=aaab", "!aaaa"}},
    {"root ::= \"a\" {2} {2}", {"<aaa", "=aaaa", "!aaaaa"}},
    {"root ::= (\"a\"{1,2}){2} \"b\"{0} \"c\"{0,0}", {"<a", "=aa", "=aaaa", "!aaaaa", "!aab"}},
    {"root ::= (\"a\"?)*", {"=", "=aa"}},
    {"root ::= (\"a\"? \"b\"?){3} \"c\"", {"=c", "=bac", "=ababc", "!bbbbc", "=bbbc"}},
    {"root ::= ((\"a\"*)*)+ ((\"\")*)?", {"=", "=aaa", "!b"}},
    {"root ::= (\"a\"{0,3}){2,4}", {"=", "=aaaaaaaaaaaa", "!aaaaaaaaaaaaa"}},
    {"root ::= \"a\" | \"ab\" | \"abc\"", {"=a", "=ab", "=abc", "!ac"}},
    {"root ::= | \"a\"", {"=", "=a"}},
    {"root ::= (\"a\" | ) \"b\"", {"=ab", "=b"}},
    {"root ::= () \"b\"", {"=b"}},
    {"root ::= \"[\" root? \"]\"", {"=[]", "=[[[]]]", "<[[]", "![]]"}},
    {"root ::= \"a\" root \"b\" | \"\"", {"=", "=aabb", "<aab", "!abb"}},
    {"root ::= \"a\" root | \"b\"", {"=b", "=aaab", "!aba"}},
    {"root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"\"", {"=abba", "=aa", "<abb", "=abaaba"}},
    {"root ::= x y\nx ::= \"a\" | \"ab\"\ny ::= \"bc\" | \"c\"",
     {"=abc", "=ac", "=abbc", "!abbbc"}},
    /* layouts of the text */
    {"# a comment\r\n\r\nroot ::= # another \"x\"\r\n  \"a\" |\r\n  b-c_D2\r\n\r\nb-c_D2 ::= "
     "\"b\" # end",
     {"=a", "=b", "!c"}},
    {"\xef\xbb\xbfroot ::= \"a\"\n  \"b\"\n  | \"c\"\n\n\n\ttail ::= \"t\"\n",
     {"=ab", "=c", "!a b"}},
    {"root::=\"a\"tail\ntail::=(\n\"b\"\n|\n\"c\"\n)\n*", {"=a", "=abcb"}},
    {"b ::= \"b\"\nroot ::= b b", {"=bb"}},
    /* alternatives without an end are left out */
    {"root ::= \"a\" x | \"b\"\nx ::= \"c\" x", {"!a", "=b"}},
    {"root ::= (\"a\" x)? \"b\"\nx ::= \"c\" x | x2\nx2 ::= \"d\" x", {"!a", "=b"}},
    /* lists in any order */
    {"root ::= \"{\" %unordered( \",\" : \"a\" !, \"b\", \"c\" * ) \"}\"",
     {"={a}", "={a,b}", "={b,a}", "={c,c,a,c}", "!{}", "!{b}", "!{a,}", "!{a,a", "<{b,c,c",
      "!{b,c,c,b"}},
    {"root ::= %unordered(\"\" : \"a\", \"b\", \"c\")", {"=", "=cab", "=b", "!abca", "!aa"}},
    {"root ::= %unordered(\";\" : \"a\", \"b\", \"c\"){2,2}", {"<", "<a", "=a;c", "!a;b;", "=c;b"}},
    {"root ::= %unordered(\";\" : \"a\"!, \"b\"!, \"c\"){2,2} \".\"", {"!c", "=b;a.", "!b;c"}},
    {"root ::= %unordered(\",\" : \"a\"!*, \"b\"*){3,} \".\"",
     {"!a.", "=a,b,b.", "!b,b,b.", "=b,b,b,b,a.", "<b,b,b"}},
    {"root ::= %unordered(s : (\"x\" | \"y\"), [0-9]!, d*){0,3}\ns ::= \", \"\nd ::= \"d\" d?",
     {"=1", "=x, 1", "=dd, 1, d", "!1, d, d, ", "!x, y", "<d, d, "}},
    {"root ::= %unordered(\",\" : (\"a\" (%unordered(\"+\" : \"x\", \"y\")) ), \"b\"!)",
     {"=b", "=ax+y,b", "=b,ay", "!b,ay+x+", "<a"}},
};

static void check_text(machine m, const char *grammar, const char *text)
{
    const int got = match(m, text + 1, strlen(text + 1));
    CHECK(got == (*text == '='   ? WHOLE
                  : *text == '<' ? START
                                 : NO),
          "%s: %s gives %d", grammar, text, got);
}

static void exact(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const machine m = compile(cases[i].grammar, strlen(cases[i].grammar), usual);
        for (const char *const *text = cases[i].texts; *text && m.automaton; text++)
            check_text(m, cases[i].grammar, *text);
        drop(m);
    }
}

static void json(void)
{
    static const char grammar[] =
        "root   ::= object\n"
        "value  ::= object | array | string | number | (\"true\" | \"false\" | \"null\") ws\n"
        "\n"
        "object ::=\n"
        "  \"{\" ws (\n"
        "            string \":\" ws value\n"
        "    (\",\" ws string \":\" ws value)*\n"
        "  )? \"}\" ws\n"
        "\n"
        "array  ::=\n"
        "  \"[\" ws (\n"
        "            value\n"
        "    (\",\" ws value)*\n"
        "  )? \"]\" ws\n"
        "\n"
        "string ::=\n"
        "  \"\\\"\" (\n"
        "    [^\"\\\\\\x7F\\x00-\\x1F] |\n"
        "    \"\\\\\" ([\"\\\\/bfnrt] | \"u\" [0-9a-fA-F]{4}) # escapes\n"
        "  )* \"\\\"\" ws\n"
        "\n"
        "number ::= (\"-\"? ([0-9] | [1-9] [0-9]{0,15})) (\".\" [0-9]+)? ([eE] [-+]? [0-9] "
        "[1-9]{0,15})? ws\n"
        "\n"
        "# Optional space: by convention, applied in this grammar after literal chars when "
        "allowed\n"
        "ws ::= | \" \" | \"\\n\" [ \\t]{0,20}\n";
    const machine m = compile(grammar, sizeof grammar - 1, usual);
    static const char *const texts[] = {
        "={}",
        "={ \"a\": [1, -2.5e+1, \"\\u00e9\\n\", true ], \"\xc3\xa9\":{}}\n\t",
        "<{\"a\":\"",
        "!{\"a\":\"\n",
        "!{\"a\" \"b\"",
        "!{\"a\":01",
        "![",
        "!{\"a\":\"\\x",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_text(m, "JSON", texts[i]);
    drop(m);
}

/* ---- errors ---- */

static const struct {
    const char *grammar, *message;
} errors[] = {
    {"", "line 1, column 1: there is no rule named root"},
    {"root ::= ", "line 1, column 10: expected an element of the rule, found the end of the gr"},
    {"tree ::= \"a\"", "there is no rule named root"},
    {"root ::= \"a\"\n  b \xc3\xa9",
     "line 2, column 5: expected an element or the next rule, found "
     "\xc3\xa9"},
    {"root ::= a b\na ::= \"a\"", "line 1, column 12: there is no rule b"},
    {"root ::= \"a\nb", "line 1, column 10: this literal has no end"},
    {"root ::= [a-", "line 1, column 10: this class has no end"},
    {"root ::= \"a\" (\"b\" (\"c\")", "line 1, column 14: this group has no end"},
    {"root ::= \"a\" )", "line 1, column 14: expected an element or the next rule, found )"},
    {"root ::= (\"a\" b ::= \"c\")", "line 1, column 15: expected ) before the next rule"},
    {"root ::= \"a\" b ::= \"c\"", "line 1, column 14: expected the end of the line before the"},
    {"root ::= *", "line 1, column 10: expected an element before *"},
    {"root ::= \"a\" | +", "expected an element before +"},
    {"root ::= \"a\"{", "line 1, column 14: expected a number, found the end of the grammar"},
    {"root ::= \"a\"{2,1}", "line 1, column 13: a repetition of at least 2 and at most 1"},
    {"root ::= \"a\"{1;2}", "line 1, column 15: expected } at the end of a repetition, found ;"},
    {"root ::= \"a\"{9999999999999999999999}", "a repetition has at most 1000000000 elements"},
    {"root ::= \"\\q\"", "line 1, column 11: unknown escape"},
    {"root ::= \"\\x4\"", "line 1, column 14: expected 2 hexadecimal digits"},
    {"root ::= \"\\ud800\"", "line 1, column 11: \\uD800 is half of a pair of surrogates"},
    {"root ::= \"\\udc00\\ud800\"", "\\uDC00 is half of a pair of surrogates"},
    {"root ::= \"\\U00110000\"", "U+110000 is not a character"},
    {"root ::= \"\\U0000d800\"", "U+D800 is not a character"},
    {"root ::= \"\xff\"", "line 1, column 11: this is not UTF-8"},
    {"root ::= [\xed\xa0\x80]", "this is not UTF-8"},
    {"root ::= \xff", "found a byte that is not UTF-8"},
    {"root ::= [z-a]", "line 1, column 11: this range of characters ends before it begins"},
    {"root ::= []", "line 1, column 10: this class matches no character"},
    {"root ::= [^\\x00-\\U0010ffff]", "this class matches no character"},
    {"root \"a\"", "line 1, column 6: expected ::= after the name of a rule, found \""},
    {"root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: the rule root is defined twice"},
    {"= x", "line 1, column 1: expected the name of a rule, found ="},
    {"root ::= <think>", "line 1, column 10: tokens (<...>) are not supported"},
    {"root ::= !\"a\"", "tokens (<...>) are not supported"},
    {"root ::= \"a\" (= \"b\")", "line 1, column 14: lookahead (=...) is not supported"},
    {"root ::= TagDispatch((\"a\", b))", "TagDispatch(...) is not supported"},
    /* left recursion */
    {"root ::= root \"a\" | \"b\"", "line 1, column 1: left recursion: the rule root can begin"},
    {"root ::= \"x\" | a\na ::= b \"x\"\nb ::= \"\" a | \"b\"", "left recursion: the rule "},
    {"root ::= e root | \"b\"\ne ::= \"e\"?", "left recursion: the rule root"},
    {"root ::= \"x\" a\na ::= (\"y\"* a)? \"b\"", "line 2, column 1: left recursion: the rule a"},
    {"root ::= \"x\" a\na ::= (\"y\"{0,3} a){2} \"b\"", "left recursion: the rule a"},
    {"root ::= a\na ::= a", "left recursion: the rule a"},
    {"root ::= %unordered(\",\" : (root \"a\"), \"b\")", "left recursion: the rule root"},
    /* no end */
    {"root ::= \"a\" root", "line 1, column 1: no text matches root: it never comes to an end"},
    {"root ::= \"a\" b\nb ::= \"b\" c\nc ::= \"c\" b", "no text matches root"},
    {"root ::= %unordered(\",\" : \"a\"){2}", "no text matches root"},
    /* lists */
    {"root ::= %ordered(\",\" : \"a\")", "line 1, column 10: unknown word after %"},
    {"root ::= %unordered \"a\"", "expected ( after %unordered, found \""},
    {"root ::= %unordered(\",\" \"a\")",
     "line 1, column 25: expected : after the separator, found"},
    {"root ::= %unordered(\",\" : )", "expected a rule's name, a literal, a class or a group, fou"},
    {"root ::= %unordered(\",\" : \"a\" \"b\")", "expected , or ) after an item, found \""},
    {"root ::= %unordered(\",\" : \"a\"+)", "expected , or ) after an item, found +"},
    {"root ::= %unordered(\",\" : \"a\",", "line 1, column 10: this list has no end"},
    {"root ::= %unordered(\",\" : \"a\", \"\")",
     "line 1, column 10: item 2 of this list can be emp"},
    {"root ::= %unordered(\",\" : \"a\"!, \"b\"!){0,1}",
     "2 items must occur, but the list has at m"},
};

static void error_messages(void)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        tg_error error = {0};
        tg_rules *rules = NULL;
        const tg_status status = tgi_rules_new(errors[i].grammar, strlen(errors[i].grammar),
                                               TG_MAX_NODES, &rules, &error);
        CHECK(status == TG_GRAMMAR_INVALID && !rules && strstr(error.message, errors[i].message),
              "%s: %d %s", errors[i].grammar, status, error.message);
        tgi_rules_free(rules);
    }
}

/* Grammars cut at every byte, and with every byte changed: an error or a grammar, never more. */
static void damaged(void)
{
    test_random r = {9};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t n = strlen(cases[i].grammar);
        for (size_t at = 0; at < 2 * n; at++) {
            tg_rules *rules;
            tg_error error = {0};
            char *copy = malloc(n + 1);
            memcpy(copy, cases[i].grammar, n);
            if (at >= n)
                copy[at - n] = (char)random_u32(&r);
            char *exact_size = malloc(at < n ? at + 1 : n + 1);
            memcpy(exact_size, copy, at < n ? at : n);
            if (!tgi_rules_new(exact_size, at < n ? at : n, TG_MAX_NODES, &rules, &error)) {
                tgi_automaton_free(tgi_automaton_new(rules, &usual, &error));
                tgi_rules_free(rules);
            } else {
                CHECK(error.status == TG_GRAMMAR_INVALID, "%s", error.message);
            }
            free(exact_size);
            free(copy);
        }
    }
}

/* ---- sizes ---- */

/* A grammar of n parts: printf of `part` with its number (twice), between two texts. */
static machine large(const char *before, const char *part, int n, const char *after)
{
    const size_t size = strlen(before) + strlen(after) + (size_t)n * (strlen(part) + 24) + 1;
    char *text = malloc(size);
    size_t used = (size_t)snprintf(text, size, "%s", before);
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, size - used, part, i, i + 1);
    used += (size_t)snprintf(text + used, size - used, "%s", after);
    const machine m = compile(text, used, usual);
    free(text);
    return m;
}

static void deep_brackets(void)
{
    for (int n = 5000; n <= 200000; n *= 40) {
        char *text = malloc(2 * (size_t)n + 32);
        size_t used = (size_t)snprintf(text, 16, "root ::= ");
        memset(text + used, '(', (size_t)n);
        used += (size_t)n;
        used += (size_t)snprintf(text + used, 8, "\"a\"");
        memset(text + used, ')', (size_t)n);
        used += (size_t)n;
        const machine m = compile(text, used, usual);
        CHECK(match(m, "a", 1) == WHOLE && match(m, "aa", 2) == NO);
        drop(m);
        tg_rules *rules;
        tg_error error = {0};
        CHECK(tgi_rules_new(text, used - 7, TG_MAX_NODES, &rules, &error) == TG_GRAMMAR_INVALID);
        free(text);
    }
    machine m = compile("root ::= \"[\" root? \"]\"", 22, usual);
    char *text = malloc(20000);
    memset(text, '[', 10000);
    memset(text + 10000, ']', 10000);
    CHECK(match(m, text, 20000) == WHOLE && match(m, text, 19999) == START);
    free(text);
    drop(m);
}

static void deep_rules(void)
{
    machine m = large("root ::= r0\n", "r%d ::= r%d \"x\"\n", 100000, "r100000 ::= \"y\"");
    char *text = malloc(100001);
    memset(text, 'x', 100001);
    text[0] = 'y';
    CHECK(match(m, text, 100001) == WHOLE && match(m, text, 100000) == START);
    free(text);
    drop(m);
    m = large("root ::= r0\n", "r%d ::= \"x\" r%d\n", 100000, "r100000 ::= \"y\"");
    CHECK(m.automaton && m.automaton->n_frames < 100, "tail calls leave frames");
    drop(m);
}

static void wide(void)
{
    machine m = large("root ::= \"no\"", " | \"alternative %d\"", 20000, "");
    CHECK(match(m, "alternative 19999", 17) == WHOLE && match(m, "alternative 20000", 17) == NO &&
          match(m, "alternative 1", 13) == WHOLE);
    drop(m);
    m = large("root ::= %unordered(\",\" : \"x\"", ", \"item %d.\"", 1000, ")");
    char *text = malloc(20000);
    size_t used = 0;
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, 16, "%sitem %d.", i ? "," : "", (i * 7) % 1000);
    CHECK(match(m, text, used) == WHOLE && match(m, text, used - 1) == START);
    used += (size_t)snprintf(text + used, 16, ",item 3");
    CHECK(match(m, text, used) == NO);
    CHECK(tgi_automaton_memory(m.automaton) < (size_t)64 << 20);
    free(text);
    drop(m);
}

static void repetitions(void)
{
    machine m = compile("root ::= \"x\"{0,10000}", 21, usual);
    char *text = malloc(1000001);
    memset(text, 'x', 1000001);
    CHECK(m.rules->n_nodes < 10 && match(m, text, 10000) == WHOLE && match(m, text, 10001) == NO);
    drop(m);
    static const char nested[] = "root ::= ((\"x\"{0,1000}){0,1000}){0,1000}";
    m = compile(nested, sizeof nested - 1, usual);
    CHECK(match(m, text, 3000) == WHOLE);
    CHECK(tgi_automaton_memory(m.automaton) < (size_t)32 << 20, "%zu",
          tgi_automaton_memory(m.automaton));
    drop(m);
    static const char product[] = "root ::= (([x]{100}){100}){100}";
    m = compile(product, sizeof product - 1, usual);
    CHECK(match(m, text, 1000000) == WHOLE && match(m, text, 999999) == START &&
          match(m, text, 1000001) == NO);
    drop(m);
    free(text);
}

static void limits(void)
{
    tg_rules *rules;
    tg_error error = {0};
    char *text = malloc(TG_MAX_GRAMMAR + 1);
    memset(text, ' ', TG_MAX_GRAMMAR + 1);
    memcpy(text, "root ::= \"a\"", 12);
    CHECK(tgi_rules_new(text, TG_MAX_GRAMMAR + 1, TG_MAX_NODES, &rules, &error) ==
              TG_GRAMMAR_INVALID &&
          strstr(error.message, "at most 8388608 bytes"));
    error = (tg_error){0};
    CHECK(!tgi_rules_new(text, TG_MAX_GRAMMAR, TG_MAX_NODES, &rules, &error), "%s", error.message);
    tgi_rules_free(rules);
    free(text);
    CHECK(tgi_rules_new("root ::= \"abcdefghij\"", 21, 10, &rules, &error) == TG_GRAMMAR_INVALID &&
              strstr(error.message, "more than 10 nodes"),
          "%s", error.message);

    /* after n characters every remainder below 40 is possible: 40 ways to read the text */
    static const char ambiguous[] = "root ::= [a]* [a]{20} | ([a] [a])* \"b\"";
    for (uint32_t stacks = 8; stacks <= 64; stacks *= 8) {
        uint32_t state, next = 0;
        tg_status status = TG_OK;
        machine m = compile(ambiguous, sizeof ambiguous - 1,
                            (tg_automaton_limits){(size_t)1 << 20, stacks, 1000, 32});
        state = m.automaton->start;
        error = (tg_error){0};
        for (int i = 0; i < 100 && !status; i++, state = next) {
            tgi_automaton_begin(m.automaton);
            status = tgi_automaton_step(m.automaton, &state, 1, 'a', &next, &error);
        }
        CHECK(stacks < 20 ? status == TG_GRAMMAR_INVALID && strstr(error.message, "ambiguous")
                          : !status,
              "%u: %s", stacks, error.message);
        drop(m);
    }
    machine m = compile(ambiguous, sizeof ambiguous - 1,
                        (tg_automaton_limits){(size_t)1 << 20, 65536, 300, 32});
    uint32_t state = m.automaton->start, next = 0;
    tg_status status = TG_OK;
    error = (tg_error){0};
    tgi_automaton_begin(m.automaton);
    for (int i = 0; i < 100 && !status; i++, state = next)
        status = tgi_automaton_step(m.automaton, &state, 1, 'a', &next, &error);
    CHECK(status == TG_GRAMMAR_INVALID && strstr(error.message, "300 steps"), "%s", error.message);
    drop(m);

    /* a text whose stack needs more than the limit */
    m = compile("root ::= \"[\" root? \"]\"", 22,
                (tg_automaton_limits){(size_t)1 << 16, 100, 100000, 32});
    state = m.automaton->start;
    status = TG_OK;
    error = (tg_error){0};
    tgi_automaton_begin(m.automaton);
    int depth = 0;
    for (; depth < 100000 && !status; depth++, state = next)
        status = tgi_automaton_step(m.automaton, &state, 1, '[', &next, &error);
    CHECK(status == TG_GRAMMAR_INVALID && depth > 500 && depth < 5000 &&
              strstr(error.message, "needs more than"),
          "%d %s", depth, error.message);
    CHECK(match(m, "[[]]", 4) == WHOLE);
    drop(m);
}

static const tg_test tests[] = {
    {"exact", "texts, beginnings of texts and other texts", exact},
    {"json", "llama.cpp's grammar of JSON", json},
    {"errors", "say line, column and what was expected", error_messages},
    {"damaged", "grammars are grammars or errors", damaged},
    {"brackets", "deep groups, deep texts", deep_brackets},
    {"rules", "100,000 rules deep", deep_rules},
    {"wide", "20,000 alternatives, lists of 1,000 items", wide},
    {"repetitions", "large and nested", repetitions},
    {"limits", "each is an error", limits},
};
TEST_MAIN(tests)
