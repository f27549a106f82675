/* The checks of a complete graph. Properties of nodes spread backwards from the ends until nothing
 * changes; left recursion is a way from a node to itself that reads no byte and enters a rule. All
 * of it works on lists of the heap. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

/* ---- jumps ---- */

/* The node that a chain of jumps leads to; the jumps then lead there at once. */
static uint32_t resolve(tg_rules *rules, uint32_t node)
{
    uint32_t end = node;
    while (end != TG_NO_NODE && rules->nodes[end].op == TG_NODE_JUMP)
        end = rules->nodes[end].a;
    while (node != end) {
        const uint32_t next = rules->nodes[node].a;
        rules->nodes[node].a = end;
        node = next;
    }
    return end;
}

static void resolve_all(tg_rules *rules)
{
    for (uint32_t i = 1; i < rules->n_nodes; i++) {
        tg_node *node = &rules->nodes[i];
        if (node->op != TG_NODE_SET)
            node->a = resolve(rules, node->a);
        if (node->op == TG_NODE_FORK)
            node->b = resolve(rules, node->b);
    }
    for (uint32_t i = 0; i < rules->n_edges; i++)
        rules->edges[i].next = resolve(rules, rules->edges[i].next);
    for (uint32_t i = 0; i < rules->n_rules; i++)
        rules->rules[i].entry = resolve(rules, rules->rules[i].entry);
    for (uint32_t i = 0; i < rules->n_repeats; i++)
        rules->repeats[i].body = resolve(rules, rules->repeats[i].body);
    rules->root = resolve(rules, rules->root);
}

/* ---- properties ---- */

/* The k-th node on which the properties of a node depend; TG_NO_NODE past the last. */
static uint32_t dependency(const tg_rules *rules, uint32_t id, uint32_t k)
{
    const tg_node node = rules->nodes[id];
    switch (node.op) {
    case TG_NODE_BYTE:
    case TG_NODE_ITEM:
    case TG_NODE_SEPARATOR:
        return k == 0 ? node.a : TG_NO_NODE;
    case TG_NODE_SET:
        return k < node.b ? rules->edges[node.a + k].next : TG_NO_NODE;
    case TG_NODE_FORK:
        return k == 0 ? node.a : k == 1 ? node.b : TG_NO_NODE;
    case TG_NODE_CALL:
        return k == 0 ? node.a : k == 1 ? rules->rules[node.b].entry : TG_NO_NODE;
    case TG_NODE_REPEAT:
        return k == 0 ? node.a : k == 1 ? rules->repeats[node.b].body : TG_NO_NODE;
    case TG_NODE_LIST: /* the separator and the items follow each other */
        return k == 0                                  ? node.a
               : k <= rules->lists[node.b].n_items + 1 ? rules->lists[node.b].separator + k - 1
                                                       : TG_NO_NODE;
    default:
        return TG_NO_NODE;
    }
}

/* Whether the empty text leads from a node to an end, if `known` says so of the nodes on which it
 * depends. */
static bool is_nullable(const tg_rules *rules, uint32_t id, const uint8_t *known)
{
    const tg_node node = rules->nodes[id];
    switch (node.op) {
    case TG_NODE_RETURN:
        return true;
    case TG_NODE_ITEM:
    case TG_NODE_SEPARATOR:
        return known[node.a];
    case TG_NODE_FORK:
        return known[node.a] || known[node.b];
    case TG_NODE_CALL:
        return known[node.a] && known[rules->rules[node.b].entry];
    case TG_NODE_REPEAT:
        return known[node.a] && (!rules->repeats[node.b].min || known[rules->repeats[node.b].body]);
    case TG_NODE_LIST:
        return known[node.a] && !rules->lists[node.b].n_required && !rules->lists[node.b].min;
    default:
        return false;
    }
}

/* Whether a list can have an end, by what is known of its items. */
static bool list_has_end(const tg_rules *rules, const tg_unordered *list, const uint8_t *known)
{
    const tg_node *nodes = rules->nodes;
    uint64_t n = 0; /* items that the list can have */
    for (uint32_t i = 1; i <= list->n_items; i++) {
        const uint32_t item = list->separator + i;
        if (!known[item] && (nodes[item].flags & TG_ITEM_REQUIRED))
            return false;
        if (known[item])
            n += nodes[item].flags & TG_ITEM_MANY ? TG_NO_MAXIMUM : 1;
    }
    if (!known[list->separator] && n > 1)
        n = 1;
    return n >= list->n_required && n >= list->min && list->max >= list->n_required;
}

/* Whether some text leads from a node to an end, if `known` says so of the nodes on which it
 * depends. For all but bytes and lists, is_nullable has the same rules. */
static bool has_end(const tg_rules *rules, uint32_t id, const uint8_t *known)
{
    const tg_node node = rules->nodes[id];
    switch (node.op) {
    case TG_NODE_BYTE:
        return known[node.a];
    case TG_NODE_SET:
        for (uint32_t i = 0; i < node.b; i++)
            if (known[rules->edges[node.a + i].next])
                return true;
        return false;
    case TG_NODE_LIST:
        return known[node.a] && list_has_end(rules, &rules->lists[node.b], known);
    default:
        return is_nullable(rules, id, known);
    }
}

/* For each node those that depend on it: of[from[node]] to of[from[node + 1]]. */
typedef struct tg_dependents {
    uint32_t *from, *of;
} tg_dependents;

static void free_dependents(tg_dependents d)
{
    free(d.from);
    free(d.of);
}

static bool find_dependents(const tg_rules *rules, tg_dependents *out)
{
    const uint32_t n = rules->n_nodes;
    size_t count = 0;
    tg_dependents d = {calloc((size_t)n + 2, sizeof *d.from), NULL};
    for (uint32_t i = 0; i < n && d.from; i++)
        for (uint32_t k = 0, node; (node = dependency(rules, i, k)) != TG_NO_NODE; k++, count++)
            d.from[node + 2]++;
    d.of = count < UINT32_MAX ? malloc((count + 1) * sizeof *d.of) : NULL;
    if (!d.from || !d.of) {
        free_dependents(d);
        return false;
    }
    for (uint32_t i = 2; i <= n + 1; i++)
        d.from[i] += d.from[i - 1];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0, node; (node = dependency(rules, i, k)) != TG_NO_NODE; k++)
            d.of[d.from[node + 1]++] = i;
    *out = d;
    return true;
}

typedef bool tg_property(const tg_rules *rules, uint32_t id, const uint8_t *known);

/* Sets known[node] for every node that has the property. work: [n_nodes]. */
static void spread(const tg_rules *rules, tg_property *property, const tg_dependents *dependents,
                   uint8_t *known, uint32_t *work)
{
    uint32_t n = 0;
    memset(known, 0, rules->n_nodes);
    for (uint32_t i = 0; i < rules->n_nodes; i++)
        if (!known[i] && property(rules, i, known))
            known[i] = 1, work[n++] = i;
    while (n) {
        const uint32_t node = work[--n];
        for (uint32_t k = dependents->from[node]; k < dependents->from[node + 1]; k++) {
            const uint32_t other = dependents->of[k];
            if (!known[other] && property(rules, other, known))
                known[other] = 1, work[n++] = other;
        }
    }
}

/* ---- left recursion ---- */

/* The k-th node that follows a node without a byte between; TG_NO_NODE past the last. *enters:
 * whether a rule begins there. */
static uint32_t left_edge(const tg_rules *rules, const uint8_t *nullable, uint32_t id, uint32_t k,
                          bool *enters)
{
    const tg_node node = rules->nodes[id];
    uint32_t body = TG_NO_NODE;
    bool skip = false; /* what follows the body can come at once */
    *enters = false;
    if (node.op == TG_NODE_FORK)
        return k == 0 ? node.a : k == 1 ? node.b : TG_NO_NODE;
    if (node.op == TG_NODE_LIST) {
        const tg_unordered *list = &rules->lists[node.b];
        if (k > 0)
            return k <= list->n_items ? rules->nodes[list->separator + k].a : TG_NO_NODE;
        return is_nullable(rules, id, nullable) ? node.a : TG_NODE_END;
    }
    if (node.op == TG_NODE_CALL) {
        body = rules->rules[node.b].entry;
        skip = nullable[body];
    } else if (node.op == TG_NODE_REPEAT) {
        body = rules->repeats[node.b].body;
        skip = !rules->repeats[node.b].min || nullable[body];
    } else {
        return TG_NO_NODE;
    }
    *enters = k == 0 && node.op == TG_NODE_CALL;
    return k == 0 ? body : k == 1 && skip ? node.a : TG_NO_NODE;
}

/* Tarjan's strongly connected components, with a stack of its own. */
typedef struct tg_search {
    const tg_rules *rules;
    const uint8_t *nullable;
    uint32_t *order; /* [n_nodes] when a node was found, from 1; 0: not yet */
    uint32_t *low;   /* [n_nodes] the first node on the stack that it reaches */
    uint32_t *stack; /* [n_nodes] found nodes whose component is open */
    uint32_t *path;  /* [n_nodes] the nodes that are being searched */
    uint32_t *edge;  /* [n_nodes] the next edge of each node on the path */
    uint8_t *open;   /* [n_nodes] it is on the stack */
    uint32_t n_found, n_stack, n_path;
} tg_search;

static void enter(tg_search *s, uint32_t node)
{
    s->order[node] = s->low[node] = ++s->n_found;
    s->stack[s->n_stack++] = node;
    s->open[node] = 1;
    s->path[s->n_path] = node;
    s->edge[s->n_path++] = 0;
}

/* Whether a call of the component that ends with the stack leads back into the component: then
 * *node is the call. A way back to a node always passes such a call. */
static bool component_recurses(tg_search *s, uint32_t first, uint32_t *node)
{
    /* of the nodes on the stack those of the component are the ones from `first` on */
    uint32_t at = s->n_stack;
    bool enters;
    do
        at--;
    while (s->stack[at] != first);
    for (uint32_t i = at; i < s->n_stack; i++)
        for (uint32_t k = 0, to;
             (to = left_edge(s->rules, s->nullable, s->stack[i], k, &enters)) != TG_NO_NODE; k++)
            if (enters && s->open[to] && s->order[to] >= s->order[first]) {
                *node = s->stack[i];
                return true;
            }
    for (; s->n_stack > at; s->n_stack--)
        s->open[s->stack[s->n_stack - 1]] = 0;
    return false;
}

/* Searches all that is reached from a node. Returns whether there is left recursion, at *node. */
static bool search(tg_search *s, uint32_t start, uint32_t *node)
{
    bool enters;
    enter(s, start);
    while (s->n_path) {
        const uint32_t at = s->path[s->n_path - 1];
        const uint32_t to = left_edge(s->rules, s->nullable, at, s->edge[s->n_path - 1]++, &enters);
        if (to != TG_NO_NODE) {
            if (!s->order[to])
                enter(s, to);
            else if (s->open[to] && s->order[to] < s->low[at])
                s->low[at] = s->order[to];
            continue;
        }
        s->n_path--;
        if (s->n_path && s->low[at] < s->low[s->path[s->n_path - 1]])
            s->low[s->path[s->n_path - 1]] = s->low[at];
        if (s->low[at] == s->order[at] && component_recurses(s, at, node))
            return true;
    }
    return false;
}

static tg_status check_left_recursion(const tg_rules *rules, const uint8_t *nullable,
                                      tg_error *error)
{
    const size_t n = rules->n_nodes;
    uint32_t *memory = calloc(n, 5 * sizeof *memory + 1), node = 0;
    bool found = false;
    if (!memory)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory to check a grammar");
    tg_search s = {.rules = rules,
                   .nullable = nullable,
                   .order = memory,
                   .low = memory + n,
                   .stack = memory + 2 * n,
                   .path = memory + 3 * n,
                   .edge = memory + 4 * n,
                   .open = (uint8_t *)(memory + 5 * n)};
    for (uint32_t i = 0; i < n && !found; i++)
        found = !s.order[i] && search(&s, i, &node);
    free(memory);
    if (!found)
        return TG_OK;
    const tg_rule *rule = &rules->rules[rules->nodes[node].b];
    return tgi_rules_fail(
        rules, rule->name, error, "left recursion: the rule %.*s can begin with itself",
        (int)(rule->name_length < 64 ? rule->name_length : 64), rules->text + rule->name);
}

/* ---- lists, repetitions, ends ---- */

static tg_status check_lists(tg_rules *rules, const uint8_t *nullable, tg_error *error)
{
    for (uint32_t i = 0; i < rules->n_repeats; i++) {
        rules->repeats[i].nullable = nullable[rules->repeats[i].body];
        rules->nullable_bodies = rules->nullable_bodies || rules->repeats[i].nullable;
    }
    for (uint32_t i = 0; i < rules->n_lists; i++) {
        const tg_unordered *list = &rules->lists[i];
        for (uint32_t k = 1; k <= list->n_items; k++)
            if (nullable[list->separator + k])
                return tgi_rules_fail(rules, list->position, error,
                                      "item %u of this list can be empty", (unsigned)k);
        if (list->n_required > list->max)
            return tgi_rules_fail(rules, list->position, error,
                                  "%u items must occur, but the list has at most %u",
                                  (unsigned)list->n_required, (unsigned)list->max);
    }
    return TG_OK;
}

/* Marks the nodes that have no end. */
static tg_status check_ends(tg_rules *rules, const uint8_t *ends, tg_error *error)
{
    for (uint32_t i = 0; i < rules->n_nodes; i++)
        if (!ends[i])
            rules->nodes[i].flags |= TG_NODE_DEAD;
    for (uint32_t i = 0; i < rules->n_lists; i++)
        if (!ends[rules->lists[i].separator] && rules->lists[i].max > 1)
            rules->lists[i].max = 1;
    if (ends[rules->root])
        return TG_OK;
    size_t root = 0;
    for (uint32_t i = 0; i < rules->n_rules; i++)
        if (rules->rules[i].name_length == 4 &&
            !memcmp(rules->text + rules->rules[i].name, "root", 4))
            root = rules->rules[i].name;
    return tgi_rules_fail(rules, root, error, "no text matches root: it never comes to an end");
}

static void find_classes(tg_rules *rules)
{
    bool first[257] = {true}; /* a class begins at this byte */
    for (uint32_t i = 0; i < rules->n_nodes; i++)
        if (rules->nodes[i].op == TG_NODE_BYTE)
            first[rules->nodes[i].low] = first[rules->nodes[i].high + 1] = true;
    for (uint32_t i = 0; i < rules->n_edges; i++)
        first[rules->edges[i].low] = first[rules->edges[i].high + 1] = true;
    rules->n_classes = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (first[byte])
            rules->class_byte[rules->n_classes++] = (uint8_t)byte;
        rules->class_of[byte] = (uint8_t)(rules->n_classes - 1);
    }
}

tg_status tgi_rules_check(tg_rules *rules, tg_error *error)
{
    tg_dependents dependents;
    resolve_all(rules);
    uint8_t *known = malloc(rules->n_nodes);
    uint32_t *work = malloc(rules->n_nodes * sizeof *work);
    if (!known || !work || !find_dependents(rules, &dependents)) {
        free(known);
        free(work);
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory to check a grammar");
    }
    spread(rules, is_nullable, &dependents, known, work);
    tg_status status = check_lists(rules, known, error);
    if (!status)
        status = check_left_recursion(rules, known, error);
    if (!status) {
        spread(rules, has_end, &dependents, known, work);
        status = check_ends(rules, known, error);
    }
    find_classes(rules);
    free_dependents(dependents);
    free(known);
    free(work);
    return status;
}
