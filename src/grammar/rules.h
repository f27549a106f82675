/* A grammar as a graph of nodes. Its text is llama.cpp's GBNF, a form of EBNF, with one extension:
 *
 *     %unordered( separator : a !, b, c * ){min,max}
 *
 * is a possibly empty list of items in any order. separator and items are primaries: a rule's name,
 * a literal, a class or a group. Each item occurs at most once, one with `*` any number of times,
 * and one with `!` must occur. The optional {min,max} bounds the number of all items.
 *
 * A text matches the grammar byte by byte: a character is its bytes in UTF-8. Nothing here
 * recurses, so a grammar may nest as deep as its memory allows. */
#ifndef TG_RULES_H
#define TG_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/grow.h"
#include "../base/status.h"

#define TG_NO_NODE     UINT32_MAX
#define TG_NODE_END    0u         /* the id of the only TG_NODE_RETURN */
#define TG_NO_MAXIMUM  UINT32_MAX /* a repetition without an upper bound */
#define TG_MAX_ITEMS   4096u      /* of a list */
#define TG_MAX_NODES   4194304u
#define TG_MAX_GRAMMAR (8u << 20) /* bytes of a grammar's text */

/* What a node does. `a` is what follows, except where something else is said. */
typedef enum tg_node_op {
    TG_NODE_RETURN,   /* the end of a rule, of a repetition's body, of an item or separator */
    TG_NODE_JUMP,     /* nothing: only while the graph is built */
    TG_NODE_FORK,     /* a or b */
    TG_NODE_BYTE,     /* a byte from low to high */
    TG_NODE_SET,      /* a byte of one of the edges [b] that begin at edge a; it follows there */
    TG_NODE_CALL,     /* rule b */
    TG_NODE_REPEAT,   /* repetition b */
    TG_NODE_LIST,     /* list b */
    TG_NODE_ITEM,     /* an item of list b, which begins at a */
    TG_NODE_SEPARATOR /* the separator of list b, which begins at a */
} tg_node_op;

/* Flags of a node. */
enum {
    TG_NODE_DEAD = 1,     /* no text reaches an end from here: set by the checks */
    TG_ITEM_REQUIRED = 2, /* of a TG_NODE_ITEM */
    TG_ITEM_MANY = 4
};

typedef struct tg_node {
    uint8_t op, low, high, flags;
    uint32_t a, b;
} tg_node;

typedef struct tg_edge {
    uint8_t low, high;
    uint32_t next;
} tg_edge;

typedef struct tg_rule {
    uint32_t name, name_length; /* bytes of the grammar's text */
    uint32_t entry;             /* TG_NO_NODE: not defined */
    uint32_t first_use;         /* offset in the text; UINT32_MAX: not used */
} tg_rule;

typedef struct tg_repeat {
    uint32_t body; /* its first node */
    uint32_t min, max;
    bool nullable; /* the body matches the empty text: set by the checks */
} tg_repeat;

typedef struct tg_unordered {
    uint32_t separator;           /* the id of its node; the items' nodes follow: [n_items] */
    uint32_t n_items, n_required; /* n_required: how many have `!` */
    uint32_t min, max;            /* of all items together */
    uint32_t position;            /* offset in the text */
} tg_unordered;

/* A compiled grammar. Vectors of the heap, owned by it. */
typedef struct tg_rules {
    tg_node *nodes;
    tg_edge *edges;
    tg_rule *rules;
    tg_repeat *repeats;
    tg_unordered *lists;
    uint32_t n_nodes, n_edges, n_rules, n_repeats, n_lists;
    uint32_t nodes_capacity, edges_capacity, rules_capacity, repeats_capacity, lists_capacity;
    uint32_t root; /* the entry of the rule `root` */
    bool nullable_bodies;
    /* Bytes that no node tells apart are of one class: class_of[byte] < n_classes. */
    uint8_t class_of[256];
    uint8_t class_byte[256]; /* [n_classes] a byte of the class */
    uint32_t n_classes;
    const char *text; /* of the caller's: only while the grammar is compiled */
    size_t length;
} tg_rules;

/* Compiles text[length]; max_nodes: at most TG_MAX_NODES. TG_GRAMMAR_INVALID says line, column and
 * reason; TG_OUT_OF_MEMORY. The caller frees *out. */
tg_status tgi_rules_new(const char *text, size_t length, uint32_t max_nodes, tg_rules **out,
                        tg_error *error);
void tgi_rules_free(tg_rules *rules);

/* Bytes allocated. */
size_t tgi_rules_memory(const tg_rules *rules);

/* ---- for the files that compile ---- */

/* Fails with "line 3, column 7: " and the message, which is about this offset in the text. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
tg_status
tgi_rules_fail(const tg_rules *rules, size_t offset, tg_error *error, const char *format, ...);

/* The checks of a complete graph: they take the jumps out, refuse left recursion, and mark nodes
 * without an end and classes of bytes. check.c */
tg_status tgi_rules_check(tg_rules *rules, tg_error *error);

#endif
