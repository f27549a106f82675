/* Positions that no later position sees. */
#include "../plan.h"

#include <math.h>

static void scores(const tg_row_rule *rule, tg_rows *rows)
{
    for (uint32_t j = 0; j < rows->n_keys; j++) {
        const uint32_t key = tgi_rows_key(rows, j);
        if (tgi_index_of(rule->edit->positions, rule->edit->n_positions, key) < 0)
            continue;
        for (uint32_t i = 0; i < rows->n * rows->group; i++) {
            float *row = tgi_rows_row(rows, i);
            if (tgi_rows_position(rows, i) <= key || row[j] == -INFINITY)
                continue;
            row[j] = -INFINITY;
            rows->changed[i] = true;
        }
    }
}

const tg_row_rule_kind tgi_rule_hide = {.needs_all_layers = true, .scores = scores};
