/* Reads the text of a grammar. What is open (a rule, groups, lists) is on a stack of the heap, and
 * the graph grows at its ends: no function calls itself. */
#include "parse.h"
#include "../base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COUNT 1000000000u /* of a repetition */

/* ---- words ---- */

static char peek(const tg_parser *p)
{
    return p->at < p->length ? p->text[p->at] : '\0';
}

static bool starts(const tg_parser *p, const char *word)
{
    const size_t n = strlen(word);
    return p->length - p->at >= n && !memcmp(p->text + p->at, word, n);
}

/* Skips white space and comments. Returns whether there was the end of a line. */
static bool skip_space(tg_parser *p)
{
    bool newline = false;
    for (; p->at < p->length; p->at++) {
        const char c = p->text[p->at];
        if (c == '#')
            while (p->at + 1 < p->length && p->text[p->at + 1] != '\n' &&
                   p->text[p->at + 1] != '\r')
                p->at++;
        else if (c == '\n' || c == '\r')
            newline = true;
        else if (c != ' ' && c != '\t')
            break;
    }
    return newline;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Reads a name, which may be empty; returns its length. */
static uint32_t read_name(tg_parser *p)
{
    const size_t start = p->at;
    while (p->at < p->length && is_name_byte(p->text[p->at]))
        p->at++;
    return (uint32_t)(p->at - start);
}

/* What is at `at`, for "expected ..., found ...". */
static const char *found(const tg_parser *p, char buffer[24])
{
    uint32_t size;
    if (p->at >= p->length)
        return "the end of the grammar";
    const uint32_t code = tgi_utf8_decode(p->text + p->at, p->length - p->at, &size);
    if (p->text[p->at] == '\n' || p->text[p->at] == '\r')
        return "the end of the line";
    if (code == TG_NOT_UTF8)
        return "a byte that is not UTF-8";
    if (code < ' ' || code == 0x7f)
        snprintf(buffer, 24, "the character U+%04X", (unsigned)code);
    else
        snprintf(buffer, 24, "%.*s", (int)size, p->text + p->at);
    return buffer;
}

static void expected(tg_parser *p, const char *what)
{
    char buffer[24];
    tgi_parse_fail(p, p->at, "expected %s, found %s", what, found(p, buffer));
}

/* Reads a count of a repetition. */
static uint32_t read_count(tg_parser *p)
{
    uint64_t count = 0;
    const size_t start = p->at;
    for (; peek(p) >= '0' && peek(p) <= '9'; p->at++)
        count = count > MAX_COUNT ? count : count * 10 + (uint64_t)(peek(p) - '0');
    if (p->at == start)
        expected(p, "a number");
    if (count > MAX_COUNT)
        tgi_parse_fail(p, start, "a repetition has at most %u elements", MAX_COUNT);
    return (uint32_t)count;
}

/* Reads {m}, {m,} or {m,n}, from its brace on. */
static void read_bounds(tg_parser *p, uint32_t *min, uint32_t *max)
{
    const size_t start = p->at++;
    skip_space(p);
    *min = *max = read_count(p);
    skip_space(p);
    if (!p->status && peek(p) == ',') {
        p->at++;
        skip_space(p);
        *max = peek(p) == '}' ? TG_NO_MAXIMUM : read_count(p);
        skip_space(p);
    }
    if (!p->status && peek(p) != '}')
        expected(p, "} at the end of a repetition");
    p->at++;
    if (!p->status && *max < *min)
        tgi_parse_fail(p, start, "a repetition of at least %u and at most %u elements",
                       (unsigned)*min, (unsigned)*max);
}

/* ---- rules' names ---- */

static uint32_t hash_name(const char *name, uint32_t length)
{
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < length; i++)
        h = (h ^ (uint8_t)name[i]) * 16777619u;
    return h ^ h >> 15;
}

static uint32_t *name_slot(const tg_parser *p, const char *name, uint32_t length)
{
    uint32_t at = hash_name(name, length) & p->mask;
    for (; p->names[at]; at = (at + 1) & p->mask) {
        const tg_rule *rule = &p->rules->rules[p->names[at] - 1];
        if (rule->name_length == length && !memcmp(p->text + rule->name, name, length))
            break;
    }
    return &p->names[at];
}

/* Makes room in the table for one more name. False: out of memory, which is the status. */
static bool grow_names(tg_parser *p)
{
    if (p->names && p->rules->n_rules < p->mask / 2)
        return true;
    const uint32_t mask = p->names ? p->mask * 2 + 1 : 63;
    uint32_t *names = calloc((size_t)mask + 1, sizeof *names);
    if (!names) {
        tgi_parse_out_of_memory(p);
        return false;
    }
    free(p->names);
    p->names = names;
    p->mask = mask;
    for (uint32_t i = 0; i < p->rules->n_rules; i++)
        *name_slot(p, p->text + p->rules->rules[i].name, p->rules->rules[i].name_length) = i + 1;
    return true;
}

/* The index of the rule with the name at this offset; a new one if there was none. */
static uint32_t rule_named(tg_parser *p, size_t name, uint32_t length)
{
    tg_rules *rules = p->rules;
    if (!grow_names(p) || !tgi_parse_room(p, (void **)&rules->rules, rules->n_rules,
                                          &rules->rules_capacity, sizeof *rules->rules))
        return 0;
    uint32_t *slot = name_slot(p, p->text + name, length);
    if (!*slot) {
        rules->rules[rules->n_rules] = (tg_rule){(uint32_t)name, length, TG_NO_NODE, UINT32_MAX};
        *slot = ++rules->n_rules;
    }
    return *slot - 1;
}

/* Reads * + ? or {m,n} after an element. */
static void read_repetition(tg_parser *p)
{
    tg_open *open = tgi_parse_top(p);
    const char c = peek(p);
    uint32_t min = c == '+', max = c == '?' ? 1 : TG_NO_MAXIMUM;
    if (open->last.entry == TG_NO_NODE) {
        tgi_parse_fail(p, p->at, "expected an element before %c", c);
        return;
    }
    if (c == '{')
        read_bounds(p, &min, &max);
    else
        p->at++;
    if (!p->status)
        open->last = tgi_parse_repeat(p, open->last, min, max);
}

/* ---- lists ---- */

static void read_list_start(tg_parser *p)
{
    const size_t start = p->at;
    if (!starts(p, "%unordered")) {
        tgi_parse_fail(p, start, "unknown word after %%; known: %%unordered");
        return;
    }
    p->at += strlen("%unordered");
    skip_space(p);
    if (peek(p) != '(') {
        expected(p, "( after %unordered");
        return;
    }
    p->at++;
    tgi_parse_push(p, TG_OPEN_LIST, start);
}

static void close_list(tg_parser *p)
{
    tg_rules *rules = p->rules;
    const tg_open list = *tgi_parse_top(p);
    tg_unordered row = {.max = TG_NO_MAXIMUM, .position = list.position};
    p->n_open--;
    p->at++;
    skip_space(p);
    if (peek(p) == '{')
        read_bounds(p, &row.min, &row.max);
    if (p->status || !tgi_parse_room(p, (void **)&rules->lists, rules->n_lists,
                                     &rules->lists_capacity, sizeof *rules->lists))
        return;
    row.n_items = p->n_items - list.first_item;
    row.separator = tgi_parse_node(
        p, (tg_node){.op = TG_NODE_SEPARATOR, .a = list.separator, .b = rules->n_lists});
    for (uint32_t i = list.first_item; i < p->n_items; i++) {
        row.n_required += (p->item_flags[i] & TG_ITEM_REQUIRED) != 0;
        tgi_parse_node(p, (tg_node){.op = TG_NODE_ITEM,
                                    .flags = p->item_flags[i],
                                    .a = p->items[i],
                                    .b = rules->n_lists});
    }
    p->n_items = list.first_item;
    const uint32_t node =
        tgi_parse_node(p, (tg_node){.op = TG_NODE_LIST, .a = TG_NO_NODE, .b = rules->n_lists});
    rules->lists[rules->n_lists++] = row;
    tgi_parse_put_element(p, (tg_fragment){node, node});
}

/* Reads what a list has between its primaries. */
static void read_in_list(tg_parser *p)
{
    tg_open *list = tgi_parse_top(p);
    uint8_t flags = 0;
    if (!list->has_separator) {
        if (peek(p) != ':') {
            expected(p, ": after the separator");
            return;
        }
        list->separator = tgi_parse_take_primary(p, list);
        list->has_separator = true;
        p->at++;
        return;
    }
    for (; peek(p) == '!' || peek(p) == '*'; skip_space(p))
        flags |= p->text[p->at++] == '!' ? TG_ITEM_REQUIRED : TG_ITEM_MANY;
    tgi_parse_put_item(p, list, flags);
    if (peek(p) == ')')
        close_list(p);
    else if (peek(p) == ',')
        p->at++;
    else
        expected(p, ", or ) after an item");
}

/* ---- elements ---- */

/* Whether the name that was just read is that of the next rule. */
static bool is_definition(tg_parser *p)
{
    const size_t at = p->at;
    skip_space(p);
    const bool assigned = starts(p, "::=");
    p->at = at;
    return assigned;
}

/* Reads a name in an expression. Returns false, before the name, where it begins the next rule. */
static bool read_call(tg_parser *p, bool newline)
{
    static const char *const others[] = {"TagDispatch", "TokenTagDispatch", "Token",
                                         "ExcludeToken"};
    const size_t start = p->at;
    const uint32_t length = read_name(p);
    if (is_definition(p)) {
        p->at = start;
        if (tgi_parse_top(p)->kind == TG_OPEN_RULE && newline)
            return false;
        tgi_parse_fail(p, start, "expected %s before the next rule",
                       tgi_parse_top(p)->kind == TG_OPEN_RULE ? "the end of the line" : ")");
        return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (length == strlen(others[i]) && !memcmp(p->text + start, others[i], length) &&
            peek(p) == '(')
            tgi_parse_fail(p, start, "%s(...) is not supported", others[i]);
    const uint32_t index = rule_named(p, start, length);
    if (p->status)
        return true;
    tg_rule *rule = &p->rules->rules[index];
    if (rule->first_use == UINT32_MAX)
        rule->first_use = (uint32_t)start;
    const uint32_t node =
        tgi_parse_node(p, (tg_node){.op = TG_NODE_CALL, .a = TG_NO_NODE, .b = index});
    tgi_parse_put_element(p, (tg_fragment){node, node});
    return true;
}

/* Reads a sign that has no meaning here. */
static void refuse(tg_parser *p)
{
    const char c = peek(p);
    const uint8_t kind = tgi_parse_top(p)->kind;
    if (c == '<' || c == '!')
        tgi_parse_fail(p, p->at, "tokens (<...>) are not supported; write their text");
    else
        expected(p, kind == TG_OPEN_RULE    ? "an element or the next rule"
                    : kind == TG_OPEN_GROUP ? "an element or )"
                                            : "a rule's name, a literal, a class or a group");
}

/* Reads the next element or sign. Returns false at the end of the rule. */
static bool read_next(tg_parser *p)
{
    const bool newline = skip_space(p);
    tg_open *open = tgi_parse_top(p);
    const char c = peek(p);
    if (p->at >= p->length) {
        if (open->kind != TG_OPEN_RULE)
            tgi_parse_fail(p, open->position, "this %s has no end",
                           open->kind == TG_OPEN_GROUP ? "group" : "list");
        return false;
    }
    if (open->kind == TG_OPEN_LIST && open->last.entry != TG_NO_NODE)
        read_in_list(p);
    else if (is_name_byte(c))
        return read_call(p, newline);
    else if (c == '"')
        tgi_parse_put_element(p, tgi_parse_literal(p));
    else if (c == '[')
        tgi_parse_put_element(p, tgi_parse_class(p));
    else if (c == '.')
        tgi_parse_put_element(p, tgi_parse_any_character(p));
    else if (starts(p, "(="))
        tgi_parse_fail(p, p->at, "lookahead (=...) is not supported");
    else if (c == '(')
        tgi_parse_push(p, TG_OPEN_GROUP, p->at++);
    else if (c == ')' && open->kind == TG_OPEN_GROUP)
        tgi_parse_close_group(p), p->at++;
    else if (c == '|' && open->kind != TG_OPEN_LIST)
        tgi_parse_end_alternative(p, open, true), p->at++;
    else if ((c == '*' || c == '+' || c == '?' || c == '{') && open->kind != TG_OPEN_LIST)
        read_repetition(p);
    else if (c == '%' && open->kind != TG_OPEN_LIST)
        read_list_start(p);
    else
        refuse(p);
    return true;
}

static void read_rule(tg_parser *p)
{
    const size_t start = p->at;
    const uint32_t length = read_name(p);
    if (!length) {
        expected(p, "the name of a rule");
        return;
    }
    const uint32_t index = rule_named(p, start, length);
    if (!p->status && p->rules->rules[index].entry != TG_NO_NODE)
        tgi_parse_fail(p, start, "the rule %.*s is defined twice", (int)(length < 64 ? length : 64),
                       p->text + start);
    skip_space(p);
    if (!p->status && !starts(p, "::="))
        expected(p, "::= after the name of a rule");
    p->at += 3;
    if (!p->status)
        tgi_parse_push(p, TG_OPEN_RULE, start);
    while (!p->status && read_next(p)) {
    }
    if (p->status)
        return;
    tg_open *rule = tgi_parse_top(p);
    if (!rule->has_element) {
        expected(p, "an element of the rule");
        return;
    }
    tgi_parse_end_alternative(p, rule, false);
    tgi_parse_patch(p, rule->exit, TG_NODE_END);
    p->rules->rules[index].entry = rule->entry;
    p->rules->rules[index].name = (uint32_t)start;
    p->n_open--;
}

static void check_names(tg_parser *p)
{
    for (uint32_t i = 0; i < p->rules->n_rules && !p->status; i++) {
        const tg_rule *rule = &p->rules->rules[i];
        if (rule->entry == TG_NO_NODE)
            tgi_parse_fail(p, rule->first_use, "there is no rule %.*s",
                           (int)(rule->name_length < 64 ? rule->name_length : 64),
                           p->text + rule->name);
    }
    if (p->status)
        return;
    const uint32_t root = grow_names(p) ? *name_slot(p, "root", 4) : 0;
    if (root)
        p->rules->root = p->rules->rules[root - 1].entry;
    else
        tgi_parse_fail(p, 0, "there is no rule named root, where the text begins");
}

tg_status tgi_rules_new(const char *text, size_t length, uint32_t max_nodes, tg_rules **out,
                        tg_error *error)
{
    tg_parser p = {.text = text, .length = length, .error = error, .max_nodes = max_nodes};
    *out = NULL;
    if (length > TG_MAX_GRAMMAR)
        return tgi_fail(error, TG_GRAMMAR_INVALID, TG_NO_OFFSET,
                        "a grammar has at most %u bytes, this one has %zu", TG_MAX_GRAMMAR, length);
    p.rules = calloc(1, sizeof *p.rules);
    if (!p.rules)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar");
    p.rules->text = text;
    p.rules->length = length;
    tgi_parse_node(&p, (tg_node){.op = TG_NODE_RETURN});
    if (starts(&p, "\xef\xbb\xbf"))
        p.at = 3;
    for (skip_space(&p); !p.status && p.at < length; skip_space(&p))
        read_rule(&p);
    if (!p.status)
        check_names(&p);
    free(p.open);
    free(p.items);
    free(p.item_flags);
    free(p.ranges);
    free(p.names);
    if (!p.status)
        p.status = tgi_rules_check(p.rules, error);
    p.rules->text = NULL;
    if (p.status)
        tgi_rules_free(p.rules);
    else
        *out = p.rules;
    return p.status;
}
