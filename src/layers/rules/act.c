/* Attention calibration (methods/act.h). Sinks are found in one of two ways:
 *
 *   frozen   in the rows of the whole prompt, as published. A layer's rows follow from the layers
 *            below it, which are calibrated, too, so the prompt runs again with the sinks of the
 *            pass before until a pass finds the sinks that it ran with. Then every layer has had
 *            the sinks of its own rows: at the latest after as many passes as there are layers.
 *   running  in the rows so far, for each row again: one pass */
#include "../../methods/act.h"
#include "../../base/arena.h"
#include "../attention.h"
#include "../plan.h"

#include <string.h>

enum { ROWS_CHANGED, ROWS_SEEN, PASSES };

typedef struct act_head {
    double counts[TG_RULE_COUNTS];
} act_head;

/* The parts of the state, by the layers and heads that the edit works on. */
typedef struct act_state {
    double *passes;  /* [1] */
    act_head *heads; /* [layers][heads] */
    double *sums;    /* [layers][heads][n_ctx] */
    bool *sinks;     /* [layers][heads][n_ctx] with which this pass runs */
    uint32_t *seen;  /* [n_head][n_ctx] work: queries that see a column */
    bool *found;     /* [n_head][n_ctx] work */
} act_state;

/* The first two layers and the last one are left out unless the edit names them. */
static bool is_default(const tg_plan_facts *model, uint32_t layer)
{
    return layer >= 2 && layer + 1 < model->hparams->n_layer &&
           model->layers[layer].mixer == TG_ATTENTION_MIXER;
}

static bool works_in(const tg_plan_facts *model, const tg_edit *edit, uint32_t layer)
{
    return edit->n_layers ? tgi_index_of(edit->layers, edit->n_layers, layer) >= 0
                          : is_default(model, layer);
}

static bool works_on(const tg_edit *edit, uint32_t head)
{
    return !edit->n_heads || tgi_index_of(edit->heads, edit->n_heads, head) >= 0;
}

static uint32_t n_layers(const tg_plan_facts *model, const tg_edit *edit, uint32_t end)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < end; i++)
        n += works_in(model, edit, i);
    return n;
}

static uint32_t n_heads(const tg_edit *edit, uint32_t end)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < end; i++)
        n += works_on(edit, i);
    return n;
}

/* The heads that the edit works on, in all layers. */
static uint64_t n_calibrated(const tg_plan_facts *model, const tg_edit *edit)
{
    return (uint64_t)n_layers(model, edit, model->hparams->n_layer) *
           n_heads(edit, model->hparams->n_head);
}

static uint64_t layout(const tg_plan_facts *model, const tg_edit *edit, void *memory,
                       act_state *state)
{
    const uint32_t n_head = model->hparams->n_head, n_ctx = model->n_ctx;
    const uint64_t n = n_calibrated(model, edit);
    tg_arena arena = {.base = memory};
    state->passes = tgi_arena_alloc(&arena, 1, sizeof *state->passes);
    state->heads = tgi_arena_alloc(&arena, n, sizeof *state->heads);
    state->sums = tgi_arena_alloc(&arena, n * n_ctx, sizeof *state->sums);
    state->sinks = tgi_arena_alloc(&arena, n * n_ctx, sizeof *state->sinks);
    state->seen = tgi_arena_alloc(&arena, (uint64_t)n_head * n_ctx, sizeof *state->seen);
    state->found = tgi_arena_alloc(&arena, (uint64_t)n_head * n_ctx, sizeof *state->found);
    return arena.used;
}

static uint64_t state_bytes(const tg_plan_facts *model, const tg_edit *edit)
{
    act_state state;
    return layout(model, edit, NULL, &state);
}

static act_state state_of(const tg_row_rule *rule)
{
    act_state state;
    layout(rule->model, rule->edit, rule->state, &state);
    return state;
}

static size_t index_of(const tg_row_rule *rule, uint32_t layer, uint32_t head)
{
    return (size_t)n_layers(rule->model, rule->edit, layer) *
               n_heads(rule->edit, rule->model->hparams->n_head) +
           n_heads(rule->edit, head);
}

static bool is_running(const tg_row_rule *rule)
{
    return rule->options[TG_EDIT_OPTION_act_running] != 0;
}

static uint32_t wanted(const tg_row_rule *rule, const tg_sequence *sequence, uint32_t layer,
                       uint32_t head)
{
    const uint32_t group = rule->model->hparams->n_head / rule->model->layers[layer].n_head_kv;
    if (works_in(rule->model, rule->edit, layer))
        for (uint32_t h = head * group; h < (head + 1) * group; h++)
            if (works_on(rule->edit, h))
                return sequence->base;
    return UINT32_MAX;
}

/* A batch of the prompt ends with the prompt. */
static uint32_t batch(const tg_row_rule *rule, const tg_plan *plan, uint32_t base, uint32_t n)
{
    const uint32_t prompt = tgi_rule_prompt(rule, plan);
    return base < prompt && n > prompt - base ? prompt - base : n;
}

/* sinks: of positions. Calibrates the row by the sinks among its columns. */
static bool calibrate(const tg_row_rule *rule, tg_rows *rows, uint32_t i, const bool *sinks,
                      bool *columns)
{
    const uint32_t position = tgi_rows_position(rows, i);
    uint32_t n = rows->n_keys;
    while (n && tgi_rows_key(rows, n - 1) > position)
        n--;
    if (rows->keys) {
        for (uint32_t j = 0; j < n; j++)
            columns[j] = sinks[rows->keys[j]];
        sinks = columns;
    }
    return tgi_act_calibrate(tgi_rows_row(rows, i), n, sinks,
                             rule->options[TG_EDIT_OPTION_act_beta]);
}

static void add_row(const tg_rows *rows, uint32_t i, double *sums)
{
    const uint32_t position = tgi_rows_position(rows, i);
    const float *row = tgi_rows_row(rows, i);
    if (!rows->keys)
        tgi_act_add_row(sums, row, tgi_first_key(rows->w->window, position), position + 1);
    for (uint32_t j = 0; rows->keys && j < rows->n_keys; j++)
        sums[rows->keys[j]] += (double)row[j];
}

static void weights(const tg_row_rule *rule, tg_rows *rows)
{
    const act_state state = state_of(rule);
    const uint32_t prompt = tgi_rule_prompt(rule, rows->sequence->plan);
    const uint32_t window = rows->w->window;
    const size_t n_ctx = rule->model->n_ctx;
    if (!works_in(rule->model, rule->edit, rows->layer))
        return;
    for (uint32_t i = 0; i < rows->n * rows->group; i++) {
        const uint32_t h = tgi_rows_head(rows, i), position = tgi_rows_position(rows, i);
        if (!works_on(rule->edit, h))
            continue;
        const size_t index = index_of(rule, rows->layer, h);
        double *sums = state.sums + index * n_ctx;
        bool *sinks = state.sinks + index * n_ctx, *found = state.found + h * n_ctx;
        uint32_t *seen = state.seen + h * n_ctx;
        if (is_running(rule) || position < prompt)
            add_row(rows, i, sums);
        if (is_running(rule)) {
            tgi_act_count_rows(seen, position + 1, window);
            tgi_act_find_sinks(sums, seen, position + 1, rule->options[TG_EDIT_OPTION_act_theta],
                               sinks);
        }
        const bool changed = calibrate(rule, rows, i, sinks, found);
        rows->changed[i] |= changed;
        state.heads[index].counts[ROWS_CHANGED] += changed;
        state.heads[index].counts[ROWS_SEEN]++;
    }
}

static bool repeat(const tg_row_rule *rule, const tg_plan *plan, uint32_t n)
{
    const act_state state = state_of(rule);
    const tg_hparams *hp = rule->model->hparams;
    const size_t n_ctx = rule->model->n_ctx;
    bool changed = false;
    if (is_running(rule) || n != tgi_rule_prompt(rule, plan))
        return false;
    ++*state.passes;
    for (uint32_t layer = 0; layer < hp->n_layer; layer++)
        for (uint32_t h = 0; h < hp->n_head; h++) {
            if (!works_in(rule->model, rule->edit, layer) || !works_on(rule->edit, h))
                continue;
            const size_t at = index_of(rule, layer, h) * n_ctx;
            tgi_act_count_rows(state.seen, n, rule->model->layers[layer].window);
            tgi_act_find_sinks(state.sums + at, state.seen, n,
                               rule->options[TG_EDIT_OPTION_act_theta], state.found);
            changed |= memcmp(state.sinks + at, state.found, n) != 0;
            memcpy(state.sinks + at, state.found, n);
        }
    return changed;
}

static void restart(const tg_row_rule *rule)
{
    const act_state state = state_of(rule);
    const size_t n = (size_t)n_calibrated(rule->model, rule->edit);
    memset(state.sums, 0, n * rule->model->n_ctx * sizeof *state.sums);
    memset(state.heads, 0, n * sizeof *state.heads);
}

static void report(const tg_row_rule *rule, double counts[TG_RULE_COUNTS])
{
    const act_state state = state_of(rule);
    const size_t n = (size_t)n_calibrated(rule->model, rule->edit);
    for (size_t i = 0; i < n; i++)
        tgi_rule_add_counts(counts, state.heads[i].counts);
    counts[PASSES] = *state.passes;
}

const tg_row_rule_kind tgi_rule_act = {
    .prompt_option = TG_EDIT_OPTION_act_prompt,
    .state_bytes = state_bytes,
    .batch = batch,
    .wanted = wanted,
    .weights = weights,
    .repeat = repeat,
    .restart = restart,
    .report = report,
};
