/* A row keeps the keys with the largest weights, those of the first and of the last positions, and
 * itself. Of equal weights the earlier key is kept. */
#include "../plan.h"

#include <string.h>

/* Whether the row keeps the key whatever its weight. */
static bool must_keep(const tg_row_rule *rule, uint32_t position, uint32_t key)
{
    return key == position || key < rule->options[TG_EDIT_OPTION_keep_top_first] ||
           position - key < rule->options[TG_EDIT_OPTION_keep_top_recent];
}

/* The smallest weight that is among the `keep` largest, and how many keys with this very weight
 * are; weights are 0 to 1, whose bits are ordered as they are. */
static float smallest_kept(const float *row, uint32_t n, uint32_t keep, uint32_t *n_equal)
{
    uint32_t low = 0, high = 0x3f800001; /* bits: at least `keep` weights are >= low */
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        float limit;
        memcpy(&limit, &middle, sizeof limit);
        uint32_t count = 0;
        for (uint32_t j = 0; j < n; j++)
            count += row[j] >= limit;
        if (count >= keep)
            low = middle;
        else
            high = middle;
    }
    float limit;
    memcpy(&limit, &low, sizeof limit);
    uint32_t above = 0;
    for (uint32_t j = 0; j < n; j++)
        above += row[j] > limit;
    *n_equal = keep - above;
    return limit;
}

static void keep_row(const tg_row_rule *rule, tg_rows *rows, uint32_t i)
{
    const double keep = rule->options[TG_EDIT_OPTION_keep_top_keep];
    const uint32_t position = tgi_rows_position(rows, i), n = rows->n_keys;
    float *row = tgi_rows_row(rows, i), limit = 2;
    uint32_t n_equal = 0;
    double sum = 0;
    bool changed = false;
    if (keep >= n)
        return;
    if (keep > 0)
        limit = smallest_kept(row, n, (uint32_t)keep, &n_equal);
    for (uint32_t j = 0; j < n; j++) {
        const uint32_t key = tgi_rows_key(rows, j);
        if (key > position)
            break;
        const bool kept = row[j] > limit || (row[j] == limit && n_equal);
        n_equal -= row[j] == limit && n_equal;
        if (!kept && !must_keep(rule, position, key) && row[j] > 0) {
            row[j] = 0;
            changed = true;
        }
        sum += row[j];
    }
    if (!changed)
        return;
    rows->changed[i] = true;
    for (uint32_t j = 0; j < n && sum > 0; j++)
        row[j] = (float)(row[j] / sum);
}

static void weights(const tg_row_rule *rule, tg_rows *rows)
{
    for (uint32_t i = 0; i < rows->n * rows->group; i++)
        if (rule->heads[tgi_rows_head(rows, i)])
            keep_row(rule, rows, i);
}

const tg_row_rule_kind tgi_rule_keep_top = {.weights = weights};
