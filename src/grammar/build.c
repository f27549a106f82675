/* Builds the graph of a grammar while its text is read: what is open, and how elements become
 * sequences, alternatives, repetitions and lists. */
#include "parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- errors and memory ---- */

static tg_status fail_at(const tg_rules *rules, size_t offset, tg_error *error, const char *format,
                         va_list arguments)
{
    unsigned line = 1, column = 1;
    char message[200];
    for (size_t i = 0; i < offset && i < rules->length; i++) {
        const uint8_t byte = (uint8_t)rules->text[i];
        const bool crlf = byte == '\r' && i + 1 < rules->length && rules->text[i + 1] == '\n';
        if (byte == '\n' || (byte == '\r' && !crlf))
            line++, column = 1;
        else if ((byte & 0xc0) != 0x80)
            column++;
    }
    vsnprintf(message, sizeof message, format, arguments);
    return tgi_fail(error, TG_GRAMMAR_INVALID, TG_NO_OFFSET, "line %u, column %u: %s", line, column,
                    message);
}

tg_status tgi_rules_fail(const tg_rules *rules, size_t offset, tg_error *error, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    const tg_status status = fail_at(rules, offset, error, format, arguments);
    va_end(arguments);
    return status;
}

void tgi_parse_fail(tg_parser *p, size_t offset, const char *format, ...)
{
    va_list arguments;
    if (p->status)
        return;
    va_start(arguments, format);
    p->status = fail_at(p->rules, offset, p->error, format, arguments);
    va_end(arguments);
}

void tgi_parse_out_of_memory(tg_parser *p)
{
    if (!p->status)
        p->status = tgi_fail(p->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar");
}

uint32_t tgi_parse_node(tg_parser *p, tg_node node)
{
    tg_rules *rules = p->rules;
    if (rules->n_nodes >= p->max_nodes)
        tgi_parse_fail(p, p->at, "the grammar has more than %u nodes", (unsigned)p->max_nodes);
    if (p->status || !tgi_parse_room(p, (void **)&rules->nodes, rules->n_nodes,
                                     &rules->nodes_capacity, sizeof *rules->nodes))
        return TG_NODE_END;
    rules->nodes[rules->n_nodes] = node;
    return rules->n_nodes++;
}

uint32_t tgi_parse_jump(tg_parser *p)
{
    return tgi_parse_node(p, (tg_node){.op = TG_NODE_JUMP, .a = TG_NO_NODE});
}

void tgi_parse_patch(tg_parser *p, uint32_t exit, uint32_t target)
{
    if (exit != TG_NODE_END)
        p->rules->nodes[exit].a = target;
}

bool tgi_parse_room(tg_parser *p, void **data, uint32_t n, uint32_t *capacity, size_t size)
{
    const bool room = tgi_grow(data, n, capacity, size);
    if (!room)
        tgi_parse_out_of_memory(p);
    return room;
}

/* ---- what is open ---- */

tg_open *tgi_parse_top(tg_parser *p)
{
    return &p->open[p->n_open - 1];
}

void tgi_parse_push(tg_parser *p, uint8_t kind, size_t position)
{
    if (!tgi_parse_room(p, (void **)&p->open, p->n_open, &p->open_capacity, sizeof *p->open))
        return;
    p->open[p->n_open++] = (tg_open){.kind = kind,
                                     .position = (uint32_t)position,
                                     .sequence = {TG_NO_NODE, TG_NO_NODE},
                                     .last = {TG_NO_NODE, TG_NO_NODE},
                                     .entry = TG_NO_NODE,
                                     .exit = TG_NO_NODE,
                                     .first_item = p->n_items};
}

/* Appends the last element to the sequence. */
static void settle(tg_parser *p, tg_open *open)
{
    if (open->last.entry == TG_NO_NODE)
        return;
    if (open->sequence.entry == TG_NO_NODE)
        open->sequence.entry = open->last.entry;
    else
        tgi_parse_patch(p, open->sequence.exit, open->last.entry);
    open->sequence.exit = open->last.exit;
    open->last.entry = TG_NO_NODE;
}

void tgi_parse_put_element(tg_parser *p, tg_fragment element)
{
    tg_open *open = tgi_parse_top(p);
    settle(p, open);
    open->last = element;
    open->has_element = true;
}

void tgi_parse_end_alternative(tg_parser *p, tg_open *open, bool more)
{
    settle(p, open);
    tg_fragment sequence = open->sequence;
    if (sequence.entry == TG_NO_NODE)
        sequence.entry = sequence.exit = tgi_parse_jump(p);
    if (open->entry == TG_NO_NODE) {
        open->entry = sequence.entry;
        open->exit = more ? tgi_parse_jump(p) : sequence.exit;
        if (more)
            tgi_parse_patch(p, sequence.exit, open->exit);
    } else {
        open->entry =
            tgi_parse_node(p, (tg_node){.op = TG_NODE_FORK, .a = open->entry, .b = sequence.entry});
        tgi_parse_patch(p, sequence.exit, open->exit);
    }
    open->sequence.entry = TG_NO_NODE;
    open->has_element = open->has_element || more;
}

/* ---- repetitions ---- */

static tg_fragment optional(tg_parser *p, tg_fragment body)
{
    const uint32_t out = tgi_parse_jump(p);
    tgi_parse_patch(p, body.exit, out);
    return (tg_fragment){
        tgi_parse_node(p, (tg_node){.op = TG_NODE_FORK, .a = body.entry, .b = out}), out};
}

/* Once or more; `none`: or not at all. */
static tg_fragment loop(tg_parser *p, tg_fragment body, bool none)
{
    const uint32_t out = tgi_parse_jump(p);
    const uint32_t again =
        tgi_parse_node(p, (tg_node){.op = TG_NODE_FORK, .a = body.entry, .b = out});
    tgi_parse_patch(p, body.exit, again);
    return (tg_fragment){none ? again : body.entry, out};
}

tg_fragment tgi_parse_repeat(tg_parser *p, tg_fragment body, uint32_t min, uint32_t max)
{
    tg_rules *rules = p->rules;
    if (max == 0) {
        const uint32_t nothing = tgi_parse_jump(p);
        tgi_parse_patch(p, body.exit, TG_NODE_END);
        return (tg_fragment){nothing, nothing};
    }
    if (min == 1 && max == 1)
        return body;
    if (min == 0 && max == 1)
        return optional(p, body);
    if (min <= 1 && max == TG_NO_MAXIMUM)
        return loop(p, body, min == 0);
    if (!tgi_parse_room(p, (void **)&rules->repeats, rules->n_repeats, &rules->repeats_capacity,
                        sizeof *rules->repeats))
        return body;
    tgi_parse_patch(p, body.exit, TG_NODE_END);
    rules->repeats[rules->n_repeats] = (tg_repeat){body.entry, min, max, false};
    const uint32_t node = tgi_parse_node(
        p, (tg_node){.op = TG_NODE_REPEAT, .a = TG_NO_NODE, .b = rules->n_repeats++});
    return (tg_fragment){node, node};
}

/* ---- groups and lists ---- */

void tgi_parse_close_group(tg_parser *p)
{
    tg_open group = *tgi_parse_top(p);
    tgi_parse_end_alternative(p, &group, false);
    p->n_open--;
    tgi_parse_put_element(p, (tg_fragment){group.entry, group.exit});
}

uint32_t tgi_parse_take_primary(tg_parser *p, tg_open *list)
{
    const uint32_t entry = list->last.entry;
    tgi_parse_patch(p, list->last.exit, TG_NODE_END);
    list->last.entry = TG_NO_NODE;
    return entry;
}

void tgi_parse_put_item(tg_parser *p, tg_open *list, uint8_t flags)
{
    if (!tgi_parse_room(p, (void **)&p->items, p->n_items, &p->items_capacity, sizeof *p->items) ||
        !tgi_parse_room(p, (void **)&p->item_flags, p->n_items, &p->item_flags_capacity,
                        sizeof *p->item_flags))
        return;
    if (p->n_items - list->first_item >= TG_MAX_ITEMS)
        tgi_parse_fail(p, list->position, "a list has at most %u items", TG_MAX_ITEMS);
    p->items[p->n_items] = tgi_parse_take_primary(p, list);
    p->item_flags[p->n_items++] = flags;
}

/* ---- the grammar ---- */

void tgi_rules_free(tg_rules *rules)
{
    if (!rules)
        return;
    free(rules->nodes);
    free(rules->edges);
    free(rules->rules);
    free(rules->repeats);
    free(rules->lists);
    free(rules);
}

size_t tgi_rules_memory(const tg_rules *rules)
{
    return sizeof *rules + rules->nodes_capacity * sizeof *rules->nodes +
           rules->edges_capacity * sizeof *rules->edges +
           rules->rules_capacity * sizeof *rules->rules +
           rules->repeats_capacity * sizeof *rules->repeats +
           rules->lists_capacity * sizeof *rules->lists;
}
