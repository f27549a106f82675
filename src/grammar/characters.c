/* Literals and classes of a grammar, with their escapes. */
#include "../base/utf8.h"
#include "parse.h"

#include <stdlib.h>

#define LAST_CODE_POINT 0x10ffffu
#define BAD_CODE_POINT  TG_NOT_UTF8

static bool is_surrogate(uint32_t code)
{
    return code >= 0xd800 && code <= 0xdfff;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Reads n hexadecimal digits at `at`; BAD_CODE_POINT when there are fewer. */
static uint32_t read_hex(tg_parser *p, int n)
{
    uint32_t code = 0;
    for (int i = 0; i < n; i++) {
        const int digit = p->at < p->length ? hex_digit(p->text[p->at]) : -1;
        if (digit < 0) {
            tgi_parse_fail(p, p->at, "expected %d hexadecimal digits", n);
            return BAD_CODE_POINT;
        }
        code = code << 4 | (uint32_t)digit;
        p->at++;
    }
    return code;
}

/* The second half of a pair of surrogates, which a \u escape begins. */
static uint32_t read_low_surrogate(tg_parser *p, size_t start, uint32_t high)
{
    if (high <= 0xdbff && p->length - p->at >= 2 && p->text[p->at] == '\\' &&
        p->text[p->at + 1] == 'u') {
        p->at += 2;
        const uint32_t low = read_hex(p, 4);
        if (low >= 0xdc00 && low <= 0xdfff)
            return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    tgi_parse_fail(p, start, "\\u%04X is half of a pair of surrogates, not a character",
                   (unsigned)high);
    return BAD_CODE_POINT;
}

/* Reads an escape, whose backslash is at `at`. */
static uint32_t read_escape(tg_parser *p)
{
    static const char letters[] = "nrtabfv0e", values[] = "\n\r\t\a\b\f\v\0\x1b";
    const size_t start = p->at;
    if (p->length - start < 2) {
        tgi_parse_fail(p, start + 1, "expected a character after the backslash");
        return BAD_CODE_POINT;
    }
    const char c = p->text[start + 1];
    p->at += 2;
    if (c == 'x' || c == 'u' || c == 'U') {
        uint32_t code = read_hex(p, c == 'x' ? 2 : c == 'u' ? 4 : 8);
        if (p->status)
            return BAD_CODE_POINT;
        if (is_surrogate(code) && c == 'u')
            return read_low_surrogate(p, start, code);
        if (code > LAST_CODE_POINT || is_surrogate(code))
            tgi_parse_fail(p, start, "U+%04X is not a character", (unsigned)code);
        return code;
    }
    for (size_t i = 0; letters[i]; i++)
        if (c == letters[i])
            return (uint8_t)values[i];
    /* a sign stands for itself; letters and digits are kept for escapes that others have */
    if ((uint8_t)c > ' ' && (uint8_t)c < 0x7f && !(c >= '0' && c <= '9') &&
        !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        return (uint8_t)c;
    tgi_parse_fail(p, start,
                   "unknown escape; known: \\n \\r \\t \\\\ \\\" \\xHH \\uHHHH \\UHHHHHHHH");
    return BAD_CODE_POINT;
}

/* The next character of a literal or class, which began at `start`; after a failure
 * BAD_CODE_POINT. */
static uint32_t read_character(tg_parser *p, size_t start, const char *what)
{
    if (p->at >= p->length) {
        tgi_parse_fail(p, start, "this %s has no end", what);
        return BAD_CODE_POINT;
    }
    if (p->text[p->at] == '\\')
        return read_escape(p);
    uint32_t size;
    const uint32_t code = tgi_utf8_decode(p->text + p->at, p->length - p->at, &size);
    if (code == BAD_CODE_POINT)
        tgi_parse_fail(p, p->at, "this is not UTF-8");
    p->at += size;
    return code;
}

tg_fragment tgi_parse_literal(tg_parser *p)
{
    const size_t start = p->at++;
    tg_fragment literal = {TG_NO_NODE, TG_NO_NODE};
    while (!p->status && !(p->at < p->length && p->text[p->at] == '"')) {
        char bytes[4];
        const uint32_t code = read_character(p, start, "literal");
        const uint32_t n = p->status ? 0 : tgi_utf8_encode(code, bytes);
        for (uint32_t i = 0; i < n; i++) {
            const uint8_t byte = (uint8_t)bytes[i];
            const uint32_t node = tgi_parse_node(
                p, (tg_node){.op = TG_NODE_BYTE, .low = byte, .high = byte, .a = TG_NO_NODE});
            if (literal.entry == TG_NO_NODE)
                literal.entry = node;
            else
                p->rules->nodes[literal.exit].a = node;
            literal.exit = node;
        }
    }
    p->at++;
    if (literal.entry == TG_NO_NODE)
        literal.entry = literal.exit = tgi_parse_jump(p);
    return literal;
}

/* ---- classes ---- */

static void put_range(tg_parser *p, uint32_t low, uint32_t high)
{
    if (!tgi_grow((void **)&p->ranges, p->n_ranges, &p->ranges_capacity, sizeof *p->ranges)) {
        if (!p->status)
            p->status = tgi_fail(p->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a class");
        return;
    }
    p->ranges[p->n_ranges++] = (tg_code_range){low, high};
}

static int by_low(const void *a, const void *b)
{
    const tg_code_range *x = a, *y = b;
    return (x->low > y->low) - (x->low < y->low);
}

/* Sorts the ranges, and joins those that touch or overlap. */
static void normalize(tg_parser *p)
{
    uint32_t n = 0;
    if (p->n_ranges)
        qsort(p->ranges, p->n_ranges, sizeof *p->ranges, by_low);
    for (uint32_t i = 0; i < p->n_ranges; i++) {
        const tg_code_range range = p->ranges[i];
        if (n && range.low <= p->ranges[n - 1].high + 1) {
            if (range.high > p->ranges[n - 1].high)
                p->ranges[n - 1].high = range.high;
        } else {
            p->ranges[n++] = range;
        }
    }
    p->n_ranges = n;
}

/* Turns the sorted ranges into those of all other code points. */
static void negate(tg_parser *p)
{
    const uint32_t n = p->n_ranges;
    uint32_t low = 0;
    for (uint32_t i = 0; i < n; i++) { /* the new ranges come after the old ones */
        const tg_code_range range = p->ranges[i];
        if (range.low > low)
            put_range(p, low, range.low - 1);
        low = range.high + 1;
    }
    if (low <= LAST_CODE_POINT)
        put_range(p, low, LAST_CODE_POINT);
    for (uint32_t i = n; i < p->n_ranges; i++)
        p->ranges[i - n] = p->ranges[i];
    p->n_ranges -= n;
}

/* A class of the ranges that were read, at `start`, without surrogates. */
static tg_fragment class_of_ranges(tg_parser *p, size_t start, bool negated)
{
    /* surrogates are left out of both: of the negated class as members of the class */
    if (negated)
        put_range(p, 0xd800, 0xdfff);
    normalize(p);
    if (!negated)
        negate(p), put_range(p, 0xd800, 0xdfff), normalize(p);
    if (!p->status)
        negate(p);
    if (!p->status && !p->n_ranges)
        tgi_parse_fail(p, start, "this class matches no character");
    if (p->status)
        return (tg_fragment){TG_NODE_END, TG_NODE_END};
    return tgi_utf8_class(p, p->ranges, p->n_ranges);
}

tg_fragment tgi_parse_class(tg_parser *p)
{
    const size_t start = p->at++;
    const bool negated = p->at < p->length && p->text[p->at] == '^';
    p->at += negated;
    p->n_ranges = 0;
    while (!p->status && !(p->at < p->length && p->text[p->at] == ']')) {
        const size_t first = p->at;
        const uint32_t low = read_character(p, start, "class");
        uint32_t high = low;
        /* a hyphen before the end of the class is a character */
        if (!p->status && p->length - p->at >= 2 && p->text[p->at] == '-' &&
            p->text[p->at + 1] != ']') {
            p->at++;
            high = read_character(p, start, "class");
            if (!p->status && high < low)
                tgi_parse_fail(p, first, "this range of characters ends before it begins");
        }
        if (!p->status)
            put_range(p, low, high);
    }
    p->at++;
    return class_of_ranges(p, start, negated);
}

tg_fragment tgi_parse_any_character(tg_parser *p)
{
    p->n_ranges = 0;
    return class_of_ranges(p, p->at++, true);
}
