/* Grammars that run, for the native tests. */
#ifndef GRAMMAR_MACHINE_H
#define GRAMMAR_MACHINE_H

#include "../../src/grammar/masks.h"
#include "test.h"

static const tg_automaton_limits usual = {(size_t)64 << 20, 65536, 50000000, 32};

typedef struct machine {
    tg_rules *rules;
    tg_automaton *automaton;
} machine;

static inline machine compile(const char *text, size_t length, tg_automaton_limits limits)
{
    tg_error error = {0};
    machine m = {0};
    if (!tgi_rules_new(text, length, TG_MAX_NODES, &m.rules, &error))
        m.automaton = tgi_automaton_new(m.rules, &limits, &error);
    CHECK(m.automaton, "%.100s: %s", text, error.message);
    return m;
}

static inline void drop(machine m)
{
    tgi_automaton_free(m.automaton);
    tgi_rules_free(m.rules);
}

/* Goes on by a byte from the state of a root, which the automaton may give a new id meanwhile. */
static inline tg_status advance(machine m, tg_root *root, uint8_t byte, tg_error *error)
{
    uint32_t state = root->state, next;
    tgi_automaton_begin(m.automaton);
    const tg_status status = tgi_automaton_step(m.automaton, &state, 1, byte, &next, error);
    root->state = next;
    return status;
}

/* The state after a text; TG_STATE_DEAD also on an error. */
static inline uint32_t run(machine m, const char *text, size_t length)
{
    tg_error error = {0};
    uint32_t state = m.automaton->start, next;
    tgi_automaton_begin(m.automaton);
    for (size_t i = 0; i < length && state != TG_STATE_DEAD; i++, state = next)
        if (tgi_automaton_step(m.automaton, &state, 1, (uint8_t)text[i], &next, &error))
            CHECK(0, "after %zu bytes: %s", i, error.message);
    return state;
}

enum { NO, START, WHOLE };

static inline int match(machine m, const char *text, size_t length)
{
    const uint32_t state = run(m, text, length);
    return state == TG_STATE_DEAD                        ? NO
           : tgi_automaton_accepting(m.automaton, state) ? WHOLE
                                                         : START;
}

#endif
