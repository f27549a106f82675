/* Reads a grammar's text and builds its graph: what the reader's files share. */
#ifndef TG_GRAMMAR_PARSE_H
#define TG_GRAMMAR_PARSE_H

#include "rules.h"

/* A part of the graph. `exit` is the node whose `a` is still open. */
typedef struct tg_fragment {
    uint32_t entry, exit;
} tg_fragment;

/* Code points from low to high. */
typedef struct tg_code_range {
    uint32_t low, high;
} tg_code_range;

typedef enum tg_open_kind { TG_OPEN_RULE, TG_OPEN_GROUP, TG_OPEN_LIST } tg_open_kind;

/* A rule, a group or a list whose end was not read yet. */
typedef struct tg_open {
    uint8_t kind;         /* tg_open_kind */
    bool has_element;     /* something was read in it */
    uint32_t position;    /* where it begins in the text */
    tg_fragment sequence; /* the elements before the last one; entry TG_NO_NODE: none */
    tg_fragment last;     /* the last element, for repetitions; entry TG_NO_NODE: none */
    uint32_t entry;       /* of the alternatives so far; TG_NO_NODE: none */
    uint32_t exit;        /* the node after the alternatives */
    bool has_separator;   /* of a list: its separator was read */
    uint32_t separator;   /* its entry */
    uint32_t first_item;  /* index into the parser's items */
} tg_open;

typedef struct tg_parser {
    tg_rules *rules;
    tg_error *error;
    tg_status status; /* of the first failure; later calls do nothing of use */
    const char *text;
    size_t length, at;
    uint32_t max_nodes;

    tg_open *open; /* [n_open] the rule, groups and lists that are being read */
    uint32_t n_open, open_capacity;
    uint32_t *items;     /* [n_items] the entries of the items of open lists */
    uint8_t *item_flags; /* [n_items] */
    uint32_t n_items, items_capacity, item_flags_capacity;
    tg_code_range *ranges; /* [n_ranges] of the class that is being read */
    uint32_t n_ranges, ranges_capacity;
    uint32_t *names; /* hash table of the rules: [mask + 1] index + 1, 0 where free */
    uint32_t mask;
} tg_parser;

/* Fails at an offset of the text, unless something failed before. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void tgi_parse_fail(tg_parser *p, size_t offset, const char *format, ...);

void tgi_parse_out_of_memory(tg_parser *p);

/* ---- build.c ---- */
/* Adds a node; TG_NODE_END after a failure. */
uint32_t tgi_parse_node(tg_parser *p, tg_node node);
/* Adds a TG_NODE_JUMP whose exit is open. */
uint32_t tgi_parse_jump(tg_parser *p);
/* Makes room for one more element of a vector. False: out of memory, which is the status. */
bool tgi_parse_room(tg_parser *p, void **data, uint32_t n, uint32_t *capacity, size_t size);
/* Closes an open exit. Node 0 has none. */
void tgi_parse_patch(tg_parser *p, uint32_t exit, uint32_t target);
/* What was opened last. */
tg_open *tgi_parse_top(tg_parser *p);
/* Opens a rule, group or list. */
void tgi_parse_push(tg_parser *p, uint8_t kind, size_t position);
/* Appends an element to what was opened last. */
void tgi_parse_put_element(tg_parser *p, tg_fragment element);
/* Ends an alternative; more: another one follows. */
void tgi_parse_end_alternative(tg_parser *p, tg_open *open, bool more);
tg_fragment tgi_parse_repeat(tg_parser *p, tg_fragment body, uint32_t min, uint32_t max);
void tgi_parse_close_group(tg_parser *p);
/* The entry of the primary that was read in a list. Its exit becomes an end. */
uint32_t tgi_parse_take_primary(tg_parser *p, tg_open *list);
/* Makes the primary that was read an item. flags: TG_ITEM_REQUIRED, TG_ITEM_MANY. */
void tgi_parse_put_item(tg_parser *p, tg_open *list, uint8_t flags);

/* ---- characters.c: reads what begins at `at` and matches characters ---- */
tg_fragment tgi_parse_literal(tg_parser *p);
tg_fragment tgi_parse_class(tg_parser *p);
tg_fragment tgi_parse_any_character(tg_parser *p);

/* ---- utf8_class.c ---- */
/* Adds nodes that match a character of the sorted, disjoint ranges[n], n > 0. */
tg_fragment tgi_utf8_class(tg_parser *p, const tg_code_range *ranges, uint32_t n);

#endif
