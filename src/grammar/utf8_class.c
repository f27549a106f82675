/* A class of characters as byte ranges: one node for the first byte, and nodes for the bytes after
 * it. From each node at most one edge fits a byte, so that a class is one stack at any time. */
#include "parse.h"

/* The class that is being built. */
typedef struct tg_class {
    tg_parser *parser;
    const tg_code_range *ranges; /* [n] sorted, disjoint */
    uint32_t n;
    uint32_t min;    /* code points below have shorter encodings */
    uint32_t any[4]; /* the node before that many arbitrary continuation bytes; [0]: the exit */
} tg_class;

enum { NONE, PART, WHOLE };

/* How much of low..high is in the class. */
static int coverage(const tg_class *c, uint32_t low, uint32_t high)
{
    if (high < c->min)
        return NONE;
    uint32_t first = 0, end = c->n; /* the first range that does not end before `low` */
    const uint32_t from = low < c->min ? c->min : low;
    while (first < end) {
        const uint32_t middle = (first + end) / 2;
        if (c->ranges[middle].high < from)
            first = middle + 1;
        else
            end = middle;
    }
    if (first == c->n || c->ranges[first].low > high)
        return NONE;
    return low >= c->min && c->ranges[first].low <= low && c->ranges[first].high >= high ? WHOLE
                                                                                         : PART;
}

/* The node before n arbitrary continuation bytes. */
static uint32_t any_bytes(tg_class *c, uint32_t n)
{
    for (uint32_t i = 1; i <= n; i++)
        if (c->any[i] == TG_NO_NODE)
            c->any[i] = tgi_parse_node(
                c->parser,
                (tg_node){.op = TG_NODE_BYTE, .low = 0x80, .high = 0xbf, .a = c->any[i - 1]});
    return c->any[n];
}

/* Adds an edge, or makes the last one longer. */
static void put_edge(tg_edge *edges, uint32_t *n, uint8_t byte, uint32_t next)
{
    if (*n && edges[*n - 1].high + 1 == byte && edges[*n - 1].next == next)
        edges[*n - 1].high = byte;
    else
        edges[(*n)++] = (tg_edge){byte, byte, next};
}

/* A node with these edges. */
static uint32_t node_of(tg_parser *p, const tg_edge *edges, uint32_t n)
{
    tg_rules *rules = p->rules;
    if (n == 1)
        return tgi_parse_node(p, (tg_node){.op = TG_NODE_BYTE,
                                           .low = edges[0].low,
                                           .high = edges[0].high,
                                           .a = edges[0].next});
    const uint32_t first = rules->n_edges;
    for (uint32_t i = 0; i < n && !p->status; i++) {
        if (!tgi_grow((void **)&rules->edges, rules->n_edges, &rules->edges_capacity,
                      sizeof *rules->edges))
            p->status = tgi_fail(p->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                                 "no memory for the edges of a grammar");
        else
            rules->edges[rules->n_edges++] = edges[i];
    }
    return tgi_parse_node(p, (tg_node){.op = TG_NODE_SET, .a = first, .b = n});
}

/* The node before the last `left` bytes of the code points from `base` on. It goes at most 3 deep.
 */
static uint32_t continuation(tg_class *c, uint32_t base, uint32_t left)
{
    tg_edge edges[64];
    uint32_t n = 0;
    const uint32_t size = 1u << 6 * (left - 1); /* code points of one byte's value */
    for (uint32_t digit = 0; digit < 64; digit++) {
        const uint32_t low = base + digit * size;
        const int part = coverage(c, low, low + size - 1);
        if (part == NONE)
            continue;
        put_edge(edges, &n, (uint8_t)(0x80 + digit),
                 part == WHOLE ? any_bytes(c, left - 1) : continuation(c, low, left - 1));
    }
    return node_of(c->parser, edges, n);
}

tg_fragment tgi_utf8_class(tg_parser *p, const tg_code_range *ranges, uint32_t n)
{
    static const struct {
        uint8_t first, last; /* the first byte of an encoding of this length */
        uint32_t base, min;  /* the first code point of `first`; the first that is not shorter */
    } lengths[] = {
        {0, 0x7f, 0, 0}, {0xc0, 0xdf, 0, 0x80}, {0xe0, 0xef, 0, 0x800}, {0xf0, 0xf4, 0, 0x10000}};
    tg_edge edges[256];
    uint32_t n_edges = 0;
    const uint32_t exit = tgi_parse_jump(p);
    tg_class c = {p, ranges, n, 0, {exit, TG_NO_NODE, TG_NO_NODE, TG_NO_NODE}};
    for (uint32_t left = 0; left < 4; left++) {
        const uint32_t size = 1u << 6 * left;
        c.min = lengths[left].min;
        for (uint32_t byte = lengths[left].first; byte <= lengths[left].last; byte++) {
            const uint32_t low = lengths[left].base + (byte - lengths[left].first) * size;
            const int part = coverage(&c, low, low + size - 1);
            if (part != NONE)
                put_edge(edges, &n_edges, (uint8_t)byte,
                         part == WHOLE ? any_bytes(&c, left) : continuation(&c, low, left));
        }
    }
    return (tg_fragment){node_of(p, edges, n_edges), exit};
}
