/* The schemes and their passes. There are three kinds of passes: runs of characters of a class, the
 * words of the GPT-2 family with its many variants, and a few fixed strings. */
#include "pretokenize.h"
#include "unicode.h"

#include <string.h>

typedef struct pass pass;
/* Bytes of the match at text[at] in a segment that ends at text[end]; 0: no match. The time for
 * finding no match must not depend on the length of the segment. */
typedef size_t match_fn(const pass *p, const char *text, size_t at, size_t end);

typedef struct range {
    uint32_t first, last;
} range;

typedef enum contractions_kind {
    NO_CONTRACTIONS,
    LOWER_CONTRACTIONS,
    ANY_CONTRACTIONS,
    CONTRACTIONS_AFTER
} contractions_kind;

struct pass {
    match_fn *match;
    /* Runs: min to max characters of a class. The class is the characters with any of these
     * property bits, these ASCII characters, and these ranges. */
    uint8_t class;
    const char *ascii;
    const range *ranges;
    uint32_t n_ranges, min, max;
    bool space_before; /* one space of any kind may come first */

    /* Words, by property bits: */
    uint8_t word;        /* characters of a word */
    uint8_t no_prefix;   /* a word may begin with one character of none of these; 0: with a space */
    uint8_t punctuation; /* characters of punctuation; 0: all that have none of no_punctuation */
    uint8_t no_punctuation;
    contractions_kind contractions;
    bool by_case;      /* a word is upper case, then lower case; a capital begins another word */
    bool ascii_prefix; /* one ASCII punctuation mark may come before ASCII letters */
    /* max digits of a number; 0: numbers are no words; UNBOUNDED: any, also after a space */
    uint32_t numbers;
    const char *after; /* ASCII characters that may follow punctuation */
    bool newlines;     /* spaces with newlines among them end after the last newline */
};

#define UNBOUNDED UINT32_MAX

struct tg_scheme {
    uint32_t n;
    pass passes[TG_MAX_PASSES];
};

static bool is_one_of(const char *ascii, uint32_t code)
{
    return ascii && code && code < 0x80 && strchr(ascii, (int)code);
}

static bool in_class(const pass *p, tg_char c)
{
    if (!c.length)
        return false;
    if ((c.bits & p->class) || is_one_of(p->ascii, c.code))
        return true;
    uint32_t low = 0, high = p->n_ranges; /* the ranges are in ascending order */
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (c.code > p->ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->n_ranges && c.code >= p->ranges[low].first;
}

static size_t match_run(const pass *p, const char *text, size_t at, size_t end)
{
    size_t to = at;
    tg_char c = tgi_char_at(text, at, end);
    if (p->space_before && (c.bits & TG_SPACE) &&
        in_class(p, tgi_char_at(text, at + c.length, end)))
        to += c.length;
    uint32_t n = 0;
    for (; n < p->max && in_class(p, c = tgi_char_at(text, to, end)); n++)
        to += c.length;
    return n >= p->min ? to - at : 0;
}

/* Bytes of 's, 't, 're, 've, 'm, 'll, 'd, or 0. */
static size_t contraction(const char *text, size_t at, size_t end, bool any_case)
{
    if (at + 1 >= end || text[at] != '\'')
        return 0;
    const uint8_t fold = any_case ? 0x20 : 0;
    const char first = (char)(text[at + 1] | fold),
               second = at + 2 < end ? (char)(text[at + 2] | fold) : 0;
    if (first == 's' || first == 't' || first == 'm' || first == 'd')
        return 2;
    return (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
                   (first == 'l' && second == 'l')
               ? 3
               : 0;
}

static size_t run_of(uint8_t bits, const char *text, size_t at, size_t end)
{
    tg_char c;
    while ((c = tgi_char_at(text, at, end)).bits & bits)
        at += c.length;
    return at;
}

/* Matches upper case, then lower case, from `from` on; letters without case and marks are both. The
 * first form is [upper]*[lower]+, the second [upper]+[lower]*. Returns the end of the match; `from`
 * if there is none. If no lower case follows, the first form backtracks to the last character that
 * is both, and ends after it. */
static size_t by_case(const char *text, size_t from, size_t end, bool second_form)
{
    const uint8_t both = TG_OTHER_LETTER | TG_MARK;
    size_t to = from, after_both = 0;
    tg_char c;
    while ((c = tgi_char_at(text, to, end)).bits & (TG_UPPER | both)) {
        to += c.length;
        if (c.bits & both)
            after_both = to;
    }
    if (c.bits & TG_LOWER)
        return run_of(TG_LOWER | both, text, to, end);
    return after_both ? after_both : second_form ? to : from;
}

static size_t match_by_case(const char *text, size_t at, size_t from, size_t end)
{
    /* A prefix that is a mark could also be part of the word: with the prefix comes first, and the
     * first form before the second. */
    for (int second = 0; second < 2; second++) {
        const size_t with_prefix = by_case(text, from, end, second);
        if (with_prefix > from)
            return with_prefix;
        const size_t bare = from > at ? by_case(text, at, end, second) : at;
        if (bare > at)
            return bare;
    }
    return at;
}

static bool is_punctuation(const pass *p, tg_char c)
{
    return c.length &&
           (p->punctuation ? (c.bits & p->punctuation) != 0 : !(c.bits & p->no_punctuation));
}

static bool ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Spaces: \s*[\r\n]+ if p->newlines; else all but the last, which belongs to the next word; else
 * that last one. */
static size_t match_spaces(const pass *p, const char *text, size_t at, size_t end)
{
    size_t to = at, last = at, after_newline = 0;
    for (tg_char c; (c = tgi_char_at(text, to, end)).bits & TG_SPACE;) {
        last = to;
        to += c.length;
        if (c.code == '\r' || c.code == '\n')
            after_newline = to;
    }
    if (p->newlines && after_newline)
        return after_newline - at;
    return (to < end && last > at ? last : to) - at;
}

static size_t match_words(const pass *p, const char *text, size_t at, size_t end)
{
    const tg_char first = tgi_char_at(text, at, end),
                  second = tgi_char_at(text, at + first.length, end);
    size_t to = at + first.length;
    if (p->contractions == LOWER_CONTRACTIONS || p->contractions == ANY_CONTRACTIONS) {
        const size_t n = contraction(text, at, end, p->contractions == ANY_CONTRACTIONS);
        if (n)
            return n;
    }
    if (p->ascii_prefix && first.code < 0x80 && (first.bits & (TG_PUNCTUATION | TG_SYMBOL)) &&
        to < end && ascii_letter(text[to])) {
        while (to < end && ascii_letter(text[to]))
            to++;
        return to - at;
    }
    const bool newline = first.code == '\r' || first.code == '\n';
    const bool has_prefix =
        p->no_prefix ? !newline && !(first.bits & p->no_prefix) : first.code == ' ';
    if (p->by_case) {
        to = match_by_case(text, at, has_prefix ? to : at, end);
        if (to > at)
            return to +
                   contraction(text, to, p->contractions == CONTRACTIONS_AFTER ? end : to, true) -
                   at;
        to = at + first.length;
    } else if ((first.bits & p->word) || (has_prefix && (second.bits & p->word))) {
        return run_of(p->word, text, to, end) - at;
    }
    if (p->numbers == UNBOUNDED &&
        ((first.bits & TG_NUMBER) || (first.code == ' ' && (second.bits & TG_NUMBER))))
        return run_of(TG_NUMBER, text, to, end) - at;
    if (p->numbers && (first.bits & TG_NUMBER)) {
        tg_char c;
        for (uint32_t n = 1; n < p->numbers && ((c = tgi_char_at(text, to, end)).bits & TG_NUMBER);
             n++)
            to += c.length;
        return to - at;
    }
    if (is_punctuation(p, first) || (first.code == ' ' && is_punctuation(p, second))) {
        for (tg_char c; is_punctuation(p, c = tgi_char_at(text, to, end));)
            to += c.length;
        while (to < end && is_one_of(p->after, (uint8_t)text[to]))
            to++;
        return to - at;
    }
    return match_spaces(p, text, at, end);
}

static size_t digits(const char *text, size_t at, size_t end)
{
    size_t to = at;
    while (to < end && text[to] >= '0' && text[to] <= '9')
        to++;
    return to - at;
}

static bool begins(const char *text, size_t at, size_t end, const char *what)
{
    return end - at >= strlen(what) && !memcmp(text + at, what, strlen(what));
}

/* "<sentinel:12>", and images: "IMGIMG", one to four of A to I, "Z". */
static size_t match_chameleon(const pass *p, const char *text, size_t at, size_t end)
{
    (void)p;
    if (begins(text, at, end, "<sentinel:")) {
        const size_t n = digits(text, at + 10, end);
        return n && at + 10 + n < end && text[at + 10 + n] == '>' ? 11 + n : 0;
    }
    if (begins(text, at, end, "IMGIMG")) {
        size_t to = at + 6;
        while (to < end && to < at + 10 && text[to] >= 'A' && text[to] <= 'I')
            to++;
        return to > at + 6 && to < end && text[to] == 'Z' ? to + 1 - at : 0;
    }
    return 0;
}

/* A tab, a newline, four spaces or two spaces. */
static size_t match_indents(const pass *p, const char *text, size_t at, size_t end)
{
    (void)p;
    if (text[at] == '\t' || text[at] == '\n')
        return 1;
    return begins(text, at, end, "    ") ? 4 : begins(text, at, end, "  ") ? 2 : 0;
}

/* Passes of the schemes. WORDS: the GPT-2 family of expressions, with what differs in each. RUN:
 * one or more characters of a class; ONE: a single one. */
#define NO_WORD (TG_SPACE | TG_LETTER | TG_NUMBER)
#define WORDS(...)                                                                                 \
    {                                                                                              \
        .match = match_words, __VA_ARGS__                                                          \
    }
#define GPT2                                                                                       \
    WORDS(.contractions = LOWER_CONTRACTIONS, .word = TG_LETTER, .numbers = UNBOUNDED,             \
          .no_punctuation = NO_WORD)
#define GPT4(...)                                                                                  \
    WORDS(.contractions = ANY_CONTRACTIONS, .no_prefix = TG_LETTER | TG_NUMBER, .after = "\r\n",   \
          .newlines = true, __VA_ARGS__)
#define BY_CASE(...)                                                                               \
    WORDS(.by_case = true, .no_prefix = TG_LETTER | TG_NUMBER, .no_punctuation = NO_WORD,          \
          .after = "\r\n/", .newlines = true, __VA_ARGS__)
#define RUN(...)                                                                                   \
    {                                                                                              \
        .match = match_run, .min = 1, .max = UNBOUNDED, __VA_ARGS__                                \
    }
#define ONE(...)                                                                                   \
    {                                                                                              \
        .match = match_run, .min = 1, .max = 1, __VA_ARGS__                                        \
    }
#define RANGES(list) .ranges = (list), .n_ranges = sizeof(list) / sizeof *(list)
#define THREE_DIGITS                                                                               \
    {                                                                                              \
        .match = match_run, .min = 3, .max = 3, .ascii = "0123456789"                              \
    }
#define TRAILING_SPACES                                                                            \
    {                                                                                              \
        .match = NULL                                                                              \
    }

/* Letters with case, punctuation, and East Asian characters, as DeepSeek's tokenizers list them. */
static const range deepseek_letters[] = {
    {0x41, 0x5a},       {0x61, 0x7a},       {0xb5, 0xb5},       {0xc0, 0xd6},
    {0xd8, 0xf6},       {0xf8, 0x1ba},      {0x1bc, 0x1bf},     {0x1c4, 0x293},
    {0x295, 0x2af},     {0x370, 0x373},     {0x376, 0x377},     {0x37b, 0x37d},
    {0x37f, 0x37f},     {0x386, 0x386},     {0x388, 0x38a},     {0x38c, 0x38c},
    {0x38e, 0x3a1},     {0x3a3, 0x3f5},     {0x3f7, 0x481},     {0x48a, 0x52f},
    {0x531, 0x556},     {0x10a0, 0x10c5},   {0x13a0, 0x13f5},   {0x13f8, 0x13fd},
    {0x1c90, 0x1cba},   {0x1cbd, 0x1cbf},   {0x1d00, 0x1d2b},   {0x1d6b, 0x1d77},
    {0x1d79, 0x1d9a},   {0x1e00, 0x1f15},   {0x1f18, 0x1f1d},   {0x1f20, 0x1f45},
    {0x1f48, 0x1f4d},   {0x1f50, 0x1f57},   {0x1f59, 0x1f59},   {0x1f5b, 0x1f5b},
    {0x1f5d, 0x1f5d},   {0x1f5f, 0x1f7d},   {0x1f80, 0x1fb4},   {0x1fb6, 0x1fbc},
    {0x1fbe, 0x1fbe},   {0x1fc2, 0x1fc4},   {0x1fc6, 0x1fcc},   {0x1fd0, 0x1fd3},
    {0x1fd6, 0x1fdb},   {0x1fe0, 0x1fec},   {0x1ff2, 0x1ff4},   {0x1ff6, 0x1ffc},
    {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210a, 0x2113},   {0x2115, 0x2115},
    {0x2119, 0x211d},   {0x2124, 0x2124},   {0x2126, 0x2126},   {0x2128, 0x2128},
    {0x212a, 0x212d},   {0x212f, 0x2134},   {0x2139, 0x2139},   {0x213c, 0x213f},
    {0x2145, 0x2149},   {0x214e, 0x214e},   {0x2183, 0x2184},   {0x2c00, 0x2c7b},
    {0x2c7e, 0x2ce4},   {0x2ceb, 0x2cee},   {0x2cf2, 0x2cf3},   {0xa640, 0xa66d},
    {0xa680, 0xa69b},   {0xa722, 0xa76f},   {0xa771, 0xa787},   {0xa78b, 0xa78e},
    {0xab70, 0xabbf},   {0xfb00, 0xfb06},   {0xfb13, 0xfb17},   {0xff21, 0xff3a},
    {0xff41, 0xff5a},   {0x10400, 0x1044f}, {0x104b0, 0x104d3}, {0x104d8, 0x104fb},
    {0x10c80, 0x10cb2}, {0x10cc0, 0x10cf2}, {0x118a0, 0x118df}, {0x1e900, 0x1e943}};
static const range deepseek_marks[] = {{0x21, 0x2f},     {0x3a, 0x7e},     {0x2018, 0x201f},
                                       {0x3000, 0x3002}, {0xff01, 0xff0f}, {0xff1a, 0xff5e}};
static const range deepseek_han[] = {{0x800, 0x9fa5}, {0xac00, 0xd7ff}};
static const range deepseek_v3_han[] = {{0x3040, 0x30ff}, {0x4e00, 0x9fa5}};

static const tg_scheme fallback = {4,
                                   {RUN(.class = TG_PUNCTUATION, .ascii = "$+<=>^~|"), GPT2,
                                    RUN(.class = TG_NUMBER), THREE_DIGITS}};
static const tg_scheme gpt2 = {1, {GPT2}};
static const tg_scheme digits_gpt2 = {2, {ONE(.class = TG_NUMBER), GPT2}};
static const tg_scheme falcon = {
    3, {RUN(.class = TG_PUNCTUATION, .ascii = "$+<=>^~|`"), GPT2, THREE_DIGITS}};
static const tg_scheme llama3 = {
    1, {GPT4(.word = TG_LETTER, .numbers = 3, .no_punctuation = NO_WORD)}};
static const tg_scheme qwen2 = {1,
                                {GPT4(.word = TG_LETTER, .numbers = 1, .no_punctuation = NO_WORD)}};
static const tg_scheme qwen35 = {
    1, {GPT4(.word = TG_LETTER | TG_MARK, .numbers = 1, .no_punctuation = NO_WORD | TG_MARK)}};
static const tg_scheme tekken = {1, {BY_CASE(.numbers = 1)}};
static const tg_scheme gpt4o = {1, {BY_CASE(.numbers = 3, .contractions = CONTRACTIONS_AFTER)}};
static const tg_scheme deepseek_llm = {
    6,
    {ONE(.ascii = "\r\n"), RUN(RANGES(deepseek_letters), .space_before = true),
     RUN(RANGES(deepseek_marks), .space_before = true), TRAILING_SPACES, RUN(RANGES(deepseek_han)),
     RUN(.class = TG_NUMBER)}};
static const tg_scheme deepseek_coder = {5,
                                         {ONE(.ascii = "\r\n"),
                                          RUN(.class = TG_LETTER, .space_before = true),
                                          RUN(.class = TG_PUNCTUATION, .space_before = true),
                                          RUN(RANGES(deepseek_han)), ONE(.class = TG_NUMBER)}};
static const tg_scheme deepseek_v3 = {
    3,
    {{.match = match_run, .min = 1, .max = 3, .class = TG_NUMBER},
     RUN(RANGES(deepseek_v3_han)),
     WORDS(.ascii_prefix = true, .word = TG_LETTER | TG_MARK,
           .no_prefix = TG_LETTER | TG_PUNCTUATION | TG_SYMBOL,
           .punctuation = TG_PUNCTUATION | TG_SYMBOL, .after = "\r\n", .newlines = true)}};
static const tg_scheme chameleon = {5,
                                    {{.match = match_chameleon},
                                     {.match = match_indents},
                                     ONE(.class = TG_NUMBER),
                                     ONE(.class = TG_PUNCTUATION, .ascii = "$+<=>^`|~"),
                                     GPT2}};

/* Bytes of the segment at `at`: a match, or the text before the next match. */
static size_t next_segment(const pass *p, const char *text, size_t at, size_t end)
{
    size_t to = at;
    if (!p->match) {
        size_t spaces = at; /* where the trailing spaces begin */
        for (tg_char c; to < end; to += c.length)
            if (!((c = tgi_char_at(text, to, end)).bits & TG_SPACE))
                spaces = to + c.length;
        return spaces > at ? spaces - at : end - at;
    }
    const size_t n = p->match(p, text, at, end);
    if (n)
        return n;
    do
        to += tgi_char_at(text, to, end).length;
    while (to < end && !p->match(p, text, to, end));
    return to - at;
}

tg_words tgi_words_of(const tg_scheme *scheme, const char *text, size_t length)
{
    return (tg_words){.scheme = scheme, .text = text, .length = length};
}

const char *tgi_words_next(tg_words *w, size_t *n)
{
    if (w->at == w->length)
        return NULL;
    const size_t from = w->at;
    size_t end = w->length;
    /* a pass that has reached the end of its segment starts the next one, inside the segment of the
     * pass before it */
    for (uint32_t i = 0; i < w->scheme->n; end = w->ends[i++])
        if (w->ends[i] == from)
            w->ends[i] = from + next_segment(&w->scheme->passes[i], w->text, from, end);
    w->at = end;
    *n = end - from;
    return w->text + from;
}

static const tg_pretokenizer pretokenizers[] = {
#define TG_PRETOKENIZER(name_, scheme_, ...) {.name = name_, .scheme = &(scheme_), __VA_ARGS__},
#include "pretokenizers.def"
#undef TG_PRETOKENIZER
};

const tg_pretokenizer *tgi_pretokenizer_find(const char *name)
{
    for (size_t i = 0; i < sizeof pretokenizers / sizeof pretokenizers[0]; i++)
        if (!strcmp(name, pretokenizers[i].name))
            return &pretokenizers[i];
    return NULL;
}

const char *tgi_pretokenizer_names(void)
{
    /* every row adds ", name" to one literal; the result starts after the first two bytes */
    static const char names[] = ""
#define TG_PRETOKENIZER(name, scheme, ...) ", " name
#include "pretokenizers.def"
#undef TG_PRETOKENIZER
        ;
    return names + 2;
}
