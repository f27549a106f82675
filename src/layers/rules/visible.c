/* What a position may see, as a mask on the scores. */
#include "../plan.h"

#include <math.h>

static tg_status check(const tg_plan_facts *model, const tg_edit *edit, tg_error *error)
{
    (void)model;
    if (!edit->options || edit->options[TG_EDIT_OPTION_visible_sees] != TG_SEES_MASK)
        return TG_OK;
    const uint32_t n = (uint32_t)sqrt((double)edit->n_bytes);
    if (n && (uint64_t)n * n == edit->n_bytes)
        return TG_OK;
    return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                    "the edit visible: a mask of %u bytes is no square", (unsigned)edit->n_bytes);
}

/* n: rows and columns of the mask. */
static bool sees(const tg_row_rule *rule, uint32_t n, uint32_t last, uint32_t position,
                 uint32_t key)
{
    switch ((int)rule->options[TG_EDIT_OPTION_visible_sees]) {
    case TG_SEES_SELF:
        return false;
    case TG_SEES_SELF_AND_FIRST:
        return key == 0;
    case TG_SEES_LAST_SEES_ALL:
        return key == 0 || position == last;
    case TG_SEES_MASK:
        return position >= n || rule->edit->bytes[(size_t)position * n + key];
    default:
        return true;
    }
}

static void scores(const tg_row_rule *rule, tg_rows *rows)
{
    const uint32_t n = (uint32_t)sqrt((double)rule->edit->n_bytes),
                   last = rows->sequence->n_text - 1;
    for (uint32_t i = 0; i < rows->n * rows->group; i++) {
        const uint32_t position = tgi_rows_position(rows, i);
        float *row = tgi_rows_row(rows, i);
        for (uint32_t j = 0; j < rows->n_keys; j++) {
            const uint32_t key = tgi_rows_key(rows, j);
            if (key >= position || row[j] == -INFINITY || sees(rule, n, last, position, key))
                continue;
            row[j] = -INFINITY;
            rows->changed[i] = true;
        }
    }
}

const tg_row_rule_kind tgi_rule_visible = {
    .needs_all_layers = true, .check = check, .scores = scores};
