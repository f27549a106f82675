/* Random grammars, their text, and a plain recognizer for them: for a node and a position of the
 * text, the set of positions where what the node describes can end. */
#ifndef GRAMMAR_REFERENCE_H
#define GRAMMAR_REFERENCE_H

#include "random.h"
#include "test.h"

#define REF_MAX_TEXT 30
#define REF_NODES    400
#define REF_PARTIAL  (UINT64_C(1) << 63) /* the text ends within the node */

enum { REF_CLASS, REF_SEQUENCE, REF_CHOICE, REF_REPEAT, REF_RULE, REF_LIST };
enum { REF_A = 1, REF_B = 2, REF_C = 4, REF_E_ACUTE = 8 }; /* members of a class */

typedef struct ref_node {
    int op, members;    /* members: of a class */
    int children[8], n; /* a list: the separator first */
    int flags[8];       /* of a list's items: 1 required, 2 many */
    int min, max;       /* max -1: none */
    int rule;
} ref_node;

typedef struct ref_grammar {
    ref_node nodes[REF_NODES];
    int n_nodes, rules[8], n_rules;
    uint64_t memo[REF_NODES][REF_MAX_TEXT + 1];
    bool known[REF_NODES][REF_MAX_TEXT + 1];
    const uint8_t *text;
    int length;
} ref_grammar;

/* ---- random grammars ---- */

static int ref_pick(test_random *r, int n)
{
    return (int)(random_u32(r) % (uint32_t)n);
}

static int ref_add(ref_grammar *g, ref_node node)
{
    g->nodes[g->n_nodes] = node;
    return g->n_nodes++;
}

static int ref_class(ref_grammar *g, test_random *r)
{
    return ref_add(g, (ref_node){.op = REF_CLASS, .members = 1 + ref_pick(r, 15)});
}

/* An expression of rule `rule`. any: it may call any rule, since a byte was read before; else only
 * later ones, so that there is no left recursion. ends: it calls later rules only, so that the
 * rule has an end. */
static int ref_expression(ref_grammar *g, test_random *r, int rule, int depth, bool any, bool ends)
{
    const int kind = g->n_nodes > REF_NODES - 60 || depth == 0 ? 0 : ref_pick(r, 10);
    const int after = ends ? rule + 1 : 0;
    ref_node node = {.op = REF_SEQUENCE};
    if (kind <= 2)
        return ref_class(g, r);
    if (kind <= 4) {
        node.n = ref_pick(r, 4);
        bool read = any;
        for (int i = 0; i < node.n; i++) {
            const int child = ref_expression(g, r, rule, depth - 1, read, ends);
            node.children[i] = child;
            read = read || g->nodes[child].op == REF_CLASS;
        }
    } else if (kind <= 6) {
        node.op = REF_CHOICE;
        node.n = 2 + ref_pick(r, 2);
        for (int i = 0; i < node.n; i++)
            node.children[i] = ref_expression(g, r, rule, depth - 1, any, ends);
    } else if (kind == 7) {
        node.op = REF_REPEAT;
        node.n = 1;
        node.children[0] = ref_expression(g, r, rule, depth - 1, any, ends);
        node.min = ref_pick(r, 3);
        node.max = ref_pick(r, 3) ? node.min + ref_pick(r, 3) : -1;
    } else if (kind == 8) {
        node.op = REF_RULE;
        node.rule = any ? after + ref_pick(r, g->n_rules - after + 1)
                        : rule + 1 + ref_pick(r, g->n_rules - rule);
        if (node.rule >= g->n_rules)
            return ref_class(g, r);
    } else {
        node.op = REF_LIST;
        node.n = 2 + ref_pick(r, 4);
        node.max = ref_pick(r, 2) ? -1 : 1 + ref_pick(r, 4);
        int required = 0;
        for (int i = 0; i < node.n; i++) {
            /* an item begins with a character, so that it is not empty */
            const int first = i ? ref_class(g, r) : 0;
            const int rest = ref_expression(g, r, rule, i ? depth - 1 : 1, i ? true : any, ends);
            node.children[i] =
                i ? ref_add(g, (ref_node){.op = REF_SEQUENCE, .children = {first, rest}, .n = 2})
                  : rest;
            node.flags[i] = i ? ref_pick(r, 4) : 0;
            if (node.max >= 0 && required >= node.max)
                node.flags[i] &= 2;
            required += node.flags[i] & 1;
        }
        node.min = node.max < 0 ? ref_pick(r, node.n) : ref_pick(r, node.max + 1);
        if (node.min > node.n - 1)
            node.min = node.n - 1;
    }
    return ref_add(g, node);
}

static void ref_random(ref_grammar *g, test_random *r)
{
    g->n_nodes = 0;
    g->n_rules = 1 + ref_pick(r, 4);
    for (int i = 0; i < g->n_rules; i++) {
        ref_node rule = {.op = REF_CHOICE, .n = 2};
        rule.children[0] = ref_expression(g, r, i, 3, false, true);
        rule.children[1] = ref_expression(g, r, i, 3, false, false);
        g->rules[i] = ref_add(g, rule);
    }
}

/* ---- as text ---- */

static const char *const ref_names[] = {"root", "r-1", "r_2", "r3"};

static void ref_put(char *out, size_t size, const char *text)
{
    const size_t used = strlen(out);
    CHECK(used + strlen(text) < size, "the grammar is too long");
    snprintf(out + used, size - used, "%s", text);
}

static void ref_write(const ref_grammar *g, int at, char *out, size_t size)
{
    const ref_node *node = &g->nodes[at];
    char buffer[64];
    switch (node->op) {
    case REF_CLASS:
        if (node->members == REF_A || node->members == REF_E_ACUTE) {
            ref_put(out, size, node->members == REF_A ? "\"a\"" : "\"\xc3\xa9\"");
        } else {
            snprintf(buffer, sizeof buffer, "[%s%s%s%s]", node->members & REF_A ? "a" : "",
                     node->members & REF_B ? "\\x62" : "", node->members & REF_C ? "c" : "",
                     node->members & REF_E_ACUTE ? "\\u00e9" : "");
            ref_put(out, size, buffer);
        }
        break;
    case REF_RULE:
        ref_put(out, size, ref_names[node->rule]);
        break;
    case REF_LIST:
        ref_put(out, size, "(%unordered(");
        for (int i = 0; i < node->n; i++) {
            ref_put(out, size, i > 1 ? ", (" : "(");
            ref_write(g, node->children[i], out, size);
            ref_put(out, size, i ? ")" : "):");
            ref_put(out, size, node->flags[i] & 1 ? "!" : "");
            ref_put(out, size, node->flags[i] & 2 ? " *" : "");
        }
        snprintf(buffer, sizeof buffer, node->max < 0 ? "){%d,})" : "){%d,%d})", node->min,
                 node->max);
        ref_put(out, size, buffer);
        break;
    default:
        ref_put(out, size, "(");
        for (int i = 0; i < node->n; i++) {
            ref_put(out, size, i == 0 ? "" : node->op == REF_CHOICE ? " | " : " ");
            ref_write(g, node->children[i], out, size);
        }
        ref_put(out, size, ")");
        if (node->op == REF_REPEAT) {
            snprintf(buffer, sizeof buffer, node->max < 0 ? "{%d,}" : "{%d,%d}", node->min,
                     node->max);
            ref_put(out, size, buffer);
        }
    }
}

static void ref_text(const ref_grammar *g, char *out, size_t size)
{
    out[0] = 0;
    for (int i = 0; i < g->n_rules; i++) {
        ref_put(out, size, ref_names[i]);
        ref_put(out, size, " ::= ");
        ref_write(g, g->rules[i], out, size);
        ref_put(out, size, "\n");
    }
}

/* ---- the recognizer ---- */

static uint64_t ref_ends(ref_grammar *g, int at, int from);

/* The ends of a node from every position of a set. Every node has an end, so a text that ends
 * within a part is a beginning of the whole. */
static uint64_t ref_from_all(ref_grammar *g, int at, uint64_t from)
{
    uint64_t ends = from & REF_PARTIAL;
    for (int i = 0; i <= g->length; i++)
        if (from >> i & 1)
            ends |= ref_ends(g, at, i);
    return ends;
}

static uint64_t ref_class_ends(const ref_grammar *g, const ref_node *node, int from)
{
    if (from == g->length)
        return REF_PARTIAL;
    const uint8_t byte = g->text[from];
    if ((byte == 'a' && node->members & REF_A) || (byte == 'b' && node->members & REF_B) ||
        (byte == 'c' && node->members & REF_C))
        return UINT64_C(1) << (from + 1);
    if (byte != 0xc3 || !(node->members & REF_E_ACUTE))
        return 0;
    if (from + 1 == g->length)
        return REF_PARTIAL;
    return g->text[from + 1] == 0xa9 ? UINT64_C(1) << (from + 2) : 0;
}

/* Repetitions: elements that are empty need not be counted, they only fill up the minimum. */
static uint64_t ref_repeat_ends(ref_grammar *g, const ref_node *node, int from)
{
    uint64_t now = UINT64_C(1) << from, ends = node->min == 0 ? now : 0;
    const int most = node->max < 0 ? REF_MAX_TEXT + 3 : node->max;
    for (int n = 1; n <= most && now; n++) {
        now = ref_from_all(g, node->children[0], now);
        ends |= now & REF_PARTIAL;
        if (n >= node->min)
            ends |= now;
        now &= ~REF_PARTIAL;
    }
    return ends;
}

/* The ends of a list that goes on at `from`. seen: a bit for each item that came before. count: how
 * many came before, with repeated ones. */
static uint64_t ref_list_ends(ref_grammar *g, const ref_node *node, int from, int seen, int count)
{
    uint64_t ends = 0;
    int required = 0;
    for (int i = 1; i < node->n; i++)
        required += (node->flags[i] & 1) && !(seen >> i & 1);
    if (!required && count >= node->min)
        ends |= UINT64_C(1) << from;
    for (int i = 1; i < node->n; i++) {
        const bool new_one = (node->flags[i] & 1) && !(seen >> i & 1);
        if ((seen >> i & 1 && !(node->flags[i] & 2)) ||
            (node->max >= 0 && count + 1 + required - new_one > node->max))
            continue;
        uint64_t starts = UINT64_C(1) << from;
        if (count)
            starts = ref_ends(g, node->children[0], from);
        const uint64_t after = ref_from_all(g, node->children[i], starts);
        ends |= after & REF_PARTIAL;
        for (int k = from + 1; k <= g->length; k++)
            if (after >> k & 1)
                ends |= ref_list_ends(g, node, k, seen | 1 << i, count + 1);
    }
    return ends;
}

static uint64_t ref_ends(ref_grammar *g, int at, int from)
{
    const ref_node *node = &g->nodes[at];
    if (g->known[at][from])
        return g->memo[at][from];
    uint64_t ends = UINT64_C(1) << from;
    switch (node->op) {
    case REF_CLASS:
        ends = ref_class_ends(g, node, from);
        break;
    case REF_SEQUENCE:
        for (int i = 0; i < node->n; i++)
            ends = ref_from_all(g, node->children[i], ends);
        break;
    case REF_CHOICE:
        ends = 0;
        for (int i = 0; i < node->n; i++)
            ends |= ref_ends(g, node->children[i], from);
        break;
    case REF_REPEAT:
        ends = ref_repeat_ends(g, node, from);
        break;
    case REF_RULE:
        ends = ref_ends(g, g->rules[node->rule], from);
        break;
    default:
        ends = ref_list_ends(g, node, from, 0, 0);
    }
    g->known[at][from] = true;
    g->memo[at][from] = ends;
    return ends;
}

/* Whether a text is in the language; *prefix: whether some text with this beginning is. */
static bool ref_match(ref_grammar *g, const uint8_t *text, int length, bool *prefix)
{
    memset(g->known, 0, sizeof g->known);
    g->text = text;
    g->length = length;
    const uint64_t ends = ref_ends(g, g->rules[0], 0);
    *prefix = ends & REF_PARTIAL || ends >> length & 1;
    return ends >> length & 1;
}

#endif
