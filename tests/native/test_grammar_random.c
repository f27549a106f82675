/* Random grammars, and their masks over random vocabularies, beside a plain recognizer; with little
 * memory, so that states are dropped and found again. */
#include "grammar_machine.h"
#include "grammar_reference.h"

static const uint8_t alphabet[] = {'a', 'b', 'c', 0xc3, 0xa9};

/* Compares all texts that begin with text[length], up to `most` bytes. */
static void compare(ref_grammar *g, machine m, uint8_t *text, int length, int most,
                    const char *grammar)
{
    for (size_t i = 0; i < sizeof alphabet && !test_failures; i++) {
        bool prefix;
        text[length] = alphabet[i];
        const bool whole = ref_match(g, text, length + 1, &prefix);
        const int got = match(m, (char *)text, (size_t)length + 1);
        CHECK(got == (whole    ? WHOLE
                      : prefix ? START
                               : NO),
              "%s%.*s gives %d", grammar, length + 1, text, got);
        if (prefix && length + 1 < most)
            compare(g, m, text, length + 1, most, grammar);
    }
}

static ref_grammar reference; /* too large for the stack */

static void random_grammars(void)
{
    const int n = test_all() ? 20000 : 1500;
    static char text[65536];
    test_random r = {2};
    for (int i = 0; i < n && !test_failures; i++) {
        uint8_t bytes[16];
        bool prefix;
        ref_random(&reference, &r);
        ref_text(&reference, text, sizeof text);
        tg_automaton_limits some = usual;
        if (i % 2) /* states are dropped often */
            some = (tg_automaton_limits){1 << 20, 65536, 50000000, i / 2 % 3};
        const machine m = compile(text, strlen(text), some);
        if (!m.automaton)
            break;
        CHECK((match(m, "", 0) == WHOLE) == ref_match(&reference, bytes, 0, &prefix), "%s", text);
        compare(&reference, m, bytes, 0, i % 10 ? 5 : 7, text);
        drop(m);
    }
}

/* ---- forced bytes ---- */

/* The bytes that must follow text[length], by trying all. Returns how many. */
static int plain_forced(uint8_t *text, int length, int capacity)
{
    int n = 0;
    for (bool prefix; n < capacity; n++) {
        int found = 0;
        uint8_t byte = 0;
        if (ref_match(&reference, text, length + n, &prefix))
            break;
        for (size_t i = 0; i < sizeof alphabet; i++) {
            text[length + n] = alphabet[i];
            ref_match(&reference, text, length + n + 1, &prefix);
            if (prefix) {
                found++;
                byte = alphabet[i];
            }
        }
        if (found != 1)
            break;
        text[length + n] = byte;
    }
    return n;
}

static void random_forced(void)
{
    static char grammar[65536];
    test_random r = {6};
    const int n = test_all() ? 5000 : 400;
    int forced = 0;
    for (int i = 0; i < n && !test_failures; i++) {
        tg_error error = {0};
        ref_random(&reference, &r);
        ref_text(&reference, grammar, sizeof grammar);
        tg_automaton_limits some = usual;
        if (i % 2)
            some.memory = 1 << 16;
        const machine m = compile(grammar, strlen(grammar), some);
        if (!m.automaton)
            break;
        uint8_t text[REF_MAX_TEXT], bytes[8];
        tg_root root;
        tgi_automaton_add_root(m.automaton, &root, m.automaton->start);
        for (int length = 0; length < 12 && !test_failures; length++) {
            const int capacity = i % 3 ? 8 : (int)(random_u32(&r) % 9);
            size_t got;
            if (tgi_automaton_forced(m.automaton, root.state, bytes, (size_t)capacity, &got,
                                     &error))
                break; /* a limit */
            const int want = plain_forced(text, length, capacity);
            CHECK((int)got == want && !memcmp(bytes, text + length, got),
                  "%s%d forced bytes after %d, not %d", grammar, (int)got, length, want);
            forced += want > 1;
            bool prefix = false;
            for (int tried = 0; tried < 30 && !prefix; tried++) {
                text[length] = alphabet[random_u32(&r) % sizeof alphabet];
                ref_match(&reference, text, length + 1, &prefix);
            }
            if (!prefix || advance(m, &root, text[length], &error))
                break;
        }
        tgi_automaton_remove_root(&root);
        drop(m);
    }
    CHECK(forced > n / 20, "only %d texts have forced bytes", forced);
}

/* ---- masks ---- */

#define WORDS 400

typedef struct words {
    char bytes[WORDS][8];
    tg_token_text texts[WORDS];
    tg_grammar_vocabulary vocabulary;
    int32_t ends[2], unstripped[WORDS];
} words;

/* Random texts of the alphabet; some are equal, some are no text, some begin with a space. */
static void make_words(words *w, test_random *r)
{
    memset(w, 0, sizeof *w);
    for (uint32_t i = 0; i < WORDS; i++) {
        const uint32_t length = random_u32(r) % 7;
        for (uint32_t k = 0; k < length; k++)
            w->bytes[i][k] =
                k == 0 && i % 3 == 0 ? ' ' : (char)alphabet[random_u32(r) % sizeof alphabet];
        w->texts[i] = (tg_token_text){w->bytes[i], length};
    }
    w->texts[7].length = w->texts[300].length = 0;
    w->ends[0] = 7;
    w->ends[1] = 300;
    w->vocabulary = (tg_grammar_vocabulary){.n_vocab = WORDS,
                                            .trie = tgi_trie_new(w->texts, WORDS),
                                            .ends = w->ends,
                                            .n_ends = 2,
                                            .strips = true,
                                            .unstripped = w->unstripped};
    for (int32_t i = 0; i < WORDS; i += 9)
        if (w->texts[i].length && w->bytes[i][0] == ' ')
            w->unstripped[w->vocabulary.n_unstripped++] = i;
}

/* The longest token at a beginning of random bytes; the last of equal ones. */
static void longest_tokens(void)
{
    static words w;
    test_random r = {8};
    make_words(&w, &r);
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[8];
        const size_t n = random_u32(&r) % 9;
        for (size_t i = 0; i < n; i++)
            bytes[i] = i == 0 && round % 3 == 0 ? ' ' : alphabet[random_u32(&r) % sizeof alphabet];
        int32_t want = -1;
        size_t longest = 0, length;
        for (int32_t i = 0; i < WORDS; i++) {
            const tg_token_text text = w.texts[i];
            if (text.length && text.length >= longest && text.length <= n &&
                !memcmp(text.bytes, bytes, text.length)) {
                want = i;
                longest = text.length;
            }
        }
        const int32_t got = tgi_trie_longest(w.vocabulary.trie, bytes, n, &length);
        CHECK(got == want && length == longest, "%d of %zu bytes, not %d of %zu", (int)got, length,
              (int)want, longest);
    }
    tgi_trie_free(w.vocabulary.trie);
}

/* Whether the mask has exactly the tokens that the plain recognizer allows after text[length]. */
static void check_mask(const words *w, const uint32_t *bits, const uint8_t *text, int length,
                       bool at_start)
{
    uint8_t longer[REF_MAX_TEXT];
    bool prefix, complete;
    memcpy(longer, text, (size_t)length);
    complete = ref_match(&reference, longer, length, &prefix);
    for (int32_t i = 0; i < WORDS && !test_failures; i++) {
        const bool stripped =
            at_start && w->bytes[i][0] == ' ' && !tgi_keeps_space(&w->vocabulary, i);
        const int n = (int)w->texts[i].length - stripped;
        bool allowed = false;
        if (i == 7 || i == 300) {
            allowed = complete;
        } else if (w->texts[i].length) {
            memcpy(longer + length, w->bytes[i] + stripped, (size_t)n);
            ref_match(&reference, longer, length + n, &allowed);
            if (!n) { /* it must be able to go on */
                allowed = false;
                for (size_t k = 0; k < sizeof alphabet; k++) {
                    longer[length] = alphabet[k];
                    ref_match(&reference, longer, length + 1, &prefix);
                    allowed = allowed || prefix;
                }
            }
        }
        CHECK((bits[i / 32] >> i % 32 & 1) == allowed, "token %d \"%.*s\" after \"%.*s\"", (int)i,
              (int)w->texts[i].length, w->bytes[i], length, text);
    }
}

static void random_masks(void)
{
    static char grammar[65536];
    static words w;
    test_random r = {5};
    const int n = test_all() ? 2000 : 150;
    int refused = 0; /* grammars that meet a limit, which the engine names */
    for (int i = 0; i < n && !test_failures; i++) {
        tg_error error = {0};
        tg_automaton_limits some = usual;
        make_words(&w, &r);
        ref_random(&reference, &r);
        ref_text(&reference, grammar, sizeof grammar);
        if (i % 2)
            some.memory = 1 << 20;
        const machine m = compile(grammar, strlen(grammar), some);
        if (!m.automaton)
            break;
        tg_masks *masks = tgi_masks_new(m.automaton, &w.vocabulary);
        bool limit = false;
        for (int walk = 0; walk < 6 && !limit && !test_failures; walk++) {
            uint8_t text[REF_MAX_TEXT] = {0};
            int length = 0;
            tg_root root;
            tgi_automaton_add_root(m.automaton, &root, m.automaton->start);
            for (int step = 0; step < 6 && length < 16 && !test_failures; step++) {
                const uint32_t *bits;
                const tg_status status =
                    tgi_masks_of(masks, &root, step == 0 && walk % 2, false, &bits, &error);
                limit = status == TG_GRAMMAR_INVALID && strstr(error.message, "more than ");
                if (limit)
                    break;
                CHECK(!status, "%s", error.message);
                check_mask(&w, bits, text, length, step == 0 && walk % 2);
                CHECK(!test_failures, "%s", grammar);
                /* a random allowed token without a space in front */
                int32_t token = (int32_t)(random_u32(&r) % WORDS), tried = 0;
                while (tried < WORDS && (!(bits[token / 32] >> token % 32 & 1) ||
                                         !w.texts[token].length || w.bytes[token][0] == ' '))
                    token = (token + 1) % WORDS, tried++;
                if (tried == WORDS)
                    break;
                for (uint32_t k = 0; k < w.texts[token].length; k++) {
                    text[length++] = (uint8_t)w.bytes[token][k];
                    CHECK(!advance(m, &root, text[length - 1], &error), "%s", error.message);
                }
            }
            tgi_automaton_remove_root(&root);
        }
        refused += limit;
        tgi_masks_free(masks);
        drop(m);
        tgi_trie_free(w.vocabulary.trie);
    }
    CHECK(refused * 100 <= n, "%d of %d grammars meet a limit", refused, n);
}

/* States of many running texts survive that others are dropped. */
static void many_texts(void)
{
    enum { TEXTS = 40 };
    static const char grammar[] = "root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"c\"";
    tg_root roots[TEXTS];
    static uint8_t text[TEXTS][64];
    uint32_t length[TEXTS] = {0};
    test_random r = {4};
    tg_error error = {0};
    const machine m =
        compile(grammar, sizeof grammar - 1, (tg_automaton_limits){1 << 17, 100, 1000, 32});
    for (int i = 0; i < TEXTS; i++)
        tgi_automaton_add_root(m.automaton, &roots[i], m.automaton->start);
    for (int step = 0; step < 60 * TEXTS; step++) {
        const uint32_t i = random_u32(&r) % TEXTS;
        if (length[i] == 30)
            continue;
        const uint8_t byte = random_u32(&r) % 2 ? 'a' : 'b';
        CHECK(!advance(m, &roots[i], byte, &error), "%s", error.message);
        text[i][length[i]++] = byte;
    }
    CHECK(m.automaton->generation > 0, "nothing was dropped");
    for (int i = 0; i < TEXTS; i++) {
        text[i][length[i]] = 'c';
        for (uint32_t k = 0; k <= length[i]; k++) {
            CHECK(!advance(m, &roots[i], text[i][length[i] - k], &error), "%s", error.message);
            CHECK(roots[i].state != TG_STATE_DEAD, "text %d, byte %u", i, (unsigned)k);
        }
        CHECK(tgi_automaton_accepting(m.automaton, roots[i].state));
        tgi_automaton_remove_root(&roots[i]);
    }
    drop(m);
}

static const tg_test tests[] = {
    {"random", "grammars beside a plain recognizer", random_grammars},
    {"forced", "bytes beside a plain recognizer", random_forced},
    {"longest", "tokens that bytes begin with", longest_tokens},
    {"masks", "of random grammars and vocabularies", random_masks},
    {"texts", "many at a time, with little memory", many_texts},
};
TEST_MAIN(tests)
