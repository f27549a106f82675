/* Text that a grammar leaves no choice about. */
#include "automaton.h"

/* The only byte that can follow in a state, in which the text cannot end; -1: there are several, or
 * none. *state may get a new id. */
static tg_status only_byte(tg_automaton *a, uint32_t *state, int *byte, tg_error *error)
{
    *byte = -1;
    for (int i = 0; i < 256; i++) {
        uint32_t next = tgi_automaton_known(a, *state, (uint8_t)i);
        if (next == TG_UNKNOWN) {
            const tg_status status = tgi_automaton_step(a, state, 1, (uint8_t)i, &next, error);
            if (status)
                return status;
        }
        if (next == TG_STATE_DEAD)
            continue;
        if (*byte >= 0) {
            *byte = -1;
            return TG_OK;
        }
        *byte = i;
    }
    return TG_OK;
}

tg_status tgi_automaton_forced(tg_automaton *a, uint32_t state, uint8_t *bytes, size_t capacity,
                               size_t *n, tg_error *error)
{
    *n = 0;
    tgi_automaton_begin(a);
    while (*n < capacity && !tgi_automaton_accepting(a, state)) {
        int byte;
        uint32_t next;
        tg_status status = only_byte(a, &state, &byte, error);
        if (status || byte < 0)
            return status;
        status = tgi_automaton_step(a, &state, 1, (uint8_t)byte, &next, error);
        if (status)
            return status;
        bytes[(*n)++] = (uint8_t)byte;
        state = next;
    }
    return TG_OK;
}
