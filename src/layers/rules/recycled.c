/* Recycled Attention: after the prompt most steps read only the keys that an earlier step attended
 * to most (methods/recycled.h). Positions stay as they are: keys are cached after
 * their rotation. */
#include "../../methods/recycled.h"
#include "../plan.h"
#include "../scratch.h"

#include <string.h>

enum { KEYS_READ, KEYS_SEEN, FULL_STEPS, STEPS, OVERLAP, OVERLAPS };

/* What a layer keeps for a key-value head. */
typedef struct recycled_head {
    double counts[TG_RULE_COUNTS]; /* see the report */
    uint32_t n;                    /* keys of the set */
} recycled_head;

/* What a layer keeps for all heads. */
typedef struct recycled_layer {
    uint32_t since; /* steps after the latest full one */
    uint32_t full;  /* whether the running step is a full one */
} recycled_layer;

/* The parts of the state: arrays by layer, then memory that the layers share. */
typedef struct recycled_state {
    recycled_layer *layers; /* [n_layer] */
    recycled_head *heads;   /* [n_layer][n_head_kv] */
    uint32_t *keys;         /* [n_layer][n_head_kv][k + 1] ascending */
    float *queries;         /* [n_layer][n_head * head_dim] of the latest full step; dynamic only */
    float *sums;            /* [n_head_kv][n_ctx] */
    float *work;            /* [n_head_kv][n_ctx] */
    bool *kept;             /* [n_head_kv][n_ctx] */
    uint32_t k;
    size_t n_query;
} recycled_state;

static uint32_t kept_keys(const tg_plan_facts *model, const tg_edit *edit)
{
    const uint32_t n_ctx = model->n_ctx,
                   given = (uint32_t)tgi_edit_option(edit, TG_EDIT_OPTION_recycled_k);
    const uint32_t k = given ? given : n_ctx / 8 > 64 ? n_ctx / 8 : 64;
    return k < n_ctx ? k : n_ctx;
}

static uint64_t layout(const tg_plan_facts *model, const tg_edit *edit, void *memory,
                       recycled_state *state)
{
    const tg_hparams *hp = model->hparams;
    const uint64_t n_heads = (uint64_t)hp->n_layer * hp->n_head_kv, n_ctx = model->n_ctx;
    const bool dynamic = tgi_edit_option(edit, TG_EDIT_OPTION_recycled_every) == 0;
    tg_arena arena = {.base = memory};
    state->k = kept_keys(model, edit);
    state->n_query = (size_t)hp->n_head * hp->head_dim;
    state->layers = tgi_arena_alloc(&arena, hp->n_layer, sizeof *state->layers);
    state->heads = tgi_arena_alloc(&arena, n_heads, sizeof *state->heads);
    state->keys = tgi_arena_alloc(&arena, n_heads * (state->k + 1), sizeof *state->keys);
    state->queries = tgi_arena_alloc(&arena, dynamic ? hp->n_layer * (uint64_t)state->n_query : 0,
                                     sizeof *state->queries);
    state->sums = tgi_arena_alloc(&arena, hp->n_head_kv * n_ctx, sizeof *state->sums);
    state->work = tgi_arena_alloc(&arena, hp->n_head_kv * n_ctx, sizeof *state->work);
    state->kept = tgi_arena_alloc(&arena, hp->n_head_kv * n_ctx, sizeof *state->kept);
    return arena.used;
}

static uint64_t state_bytes(const tg_plan_facts *model, const tg_edit *edit)
{
    recycled_state state;
    return layout(model, edit, NULL, &state);
}

static recycled_state state_of(const tg_row_rule *rule)
{
    recycled_state state;
    layout(rule->model, rule->edit, rule->state, &state);
    return state;
}

static tg_recycled_schedule schedule_of(const tg_row_rule *rule)
{
    return (tg_recycled_schedule){
        .every = (uint32_t)rule->options[TG_EDIT_OPTION_recycled_every],
        .check = (uint32_t)rule->options[TG_EDIT_OPTION_recycled_check],
        .threshold = rule->options[TG_EDIT_OPTION_recycled_threshold],
    };
}

static recycled_head *head_of(const tg_row_rule *rule, const recycled_state *state, uint32_t layer,
                              uint32_t head)
{
    return &state->heads[(size_t)layer * rule->model->hparams->n_head_kv + head];
}

static uint32_t *keys_of(const tg_row_rule *rule, const recycled_state *state, uint32_t layer,
                         uint32_t head)
{
    return state->keys + ((size_t)layer * rule->model->hparams->n_head_kv + head) * (state->k + 1);
}

/* Whether the sequence holds steps after the prompt, and not a part of the prompt. */
static bool is_step(const tg_row_rule *rule, const tg_sequence *sequence)
{
    return sequence->base >= tgi_rule_prompt(rule, sequence->plan);
}

static bool ends_prompt(const tg_row_rule *rule, const tg_sequence *sequence)
{
    return sequence->base + sequence->n == tgi_rule_prompt(rule, sequence->plan);
}

/* Says whether the step is a full one, from the queries before their rotation: with the rotation
 * the cosine would fall with the distance. */
static void queries(const tg_row_rule *rule, tg_scratch *s, const tg_layer *w,
                    const tg_sequence *sequence, uint32_t layer)
{
    const recycled_state state = state_of(rule);
    const tg_recycled_schedule schedule = schedule_of(rule);
    const size_t n = (size_t)s->hparams->n_head * w->head_dim;
    const float *query = s->q + (sequence->first + sequence->n - 1) * tgi_padded(n);
    float *latest = state.queries + layer * state.n_query;
    recycled_layer *now = &state.layers[layer];
    if (is_step(rule, sequence)) {
        now->since++;
        const double cosine = tgi_recycled_compares(&schedule, now->since)
                                  ? tgi_recycled_cosine(query, latest, n)
                                  : 0;
        now->full = tgi_recycled_is_full(&schedule, now->since, cosine);
    } else {
        now->full = true;
    }
    if (!now->full)
        return;
    now->since = 0;
    if (!schedule.every)
        memcpy(latest, query, n * sizeof *latest);
}

static uint32_t choose(const tg_row_rule *rule, const tg_layer *w, const tg_sequence *sequence,
                       uint32_t layer, uint32_t head, uint32_t *keys)
{
    const recycled_state state = state_of(rule);
    const uint32_t n = head_of(rule, &state, layer, head)->n;
    (void)w;
    if (!is_step(rule, sequence) || state.layers[layer].full || n == sequence->base)
        return 0;
    memcpy(keys, keys_of(rule, &state, layer, head), n * sizeof *keys);
    keys[n] = sequence->base;
    return n + 1;
}

/* Of the prompt only the last row is needed. */
static uint32_t wanted(const tg_row_rule *rule, const tg_sequence *sequence, uint32_t layer,
                       uint32_t head)
{
    (void)layer;
    (void)head;
    return is_step(rule, sequence) || ends_prompt(rule, sequence) ? sequence->base + sequence->n - 1
                                                                  : UINT32_MAX;
}

static uint32_t batch(const tg_row_rule *rule, const tg_plan *plan, uint32_t base, uint32_t n)
{
    return tgi_rule_steps(rule, plan, base, n);
}

static void count(recycled_head *head, const tg_rows *rows, bool full)
{
    head->counts[KEYS_READ] += rows->n_keys;
    head->counts[KEYS_SEEN] += rows->sequence->base + 1;
    head->counts[FULL_STEPS] += full;
    head->counts[STEPS]++;
}

static void weights(const tg_row_rule *rule, tg_rows *rows)
{
    const recycled_state state = state_of(rule);
    const size_t at = (size_t)rows->head * rule->model->n_ctx;
    const uint32_t position = rows->sequence->base + rows->sequence->n - 1, n_keys = rows->n_keys;
    const bool step = is_step(rule, rows->sequence), full = state.layers[rows->layer].full;
    recycled_head *head = head_of(rule, &state, rows->layer, rows->head);
    uint32_t *keys = keys_of(rule, &state, rows->layer, rows->head);
    float *sums = state.sums + at, *work = state.work + at;
    bool *kept = state.kept + at;
    if (!step && !ends_prompt(rule, rows->sequence))
        return;
    if (step)
        count(head, rows, full);
    tgi_recycled_add_heads(tgi_rows_row(rows, (rows->n - 1) * rows->group), n_keys, rows->group,
                           n_keys, rule->options[TG_EDIT_OPTION_recycled_largest] != 0, sums);
    if (!full) { /* the columns are the keys of the set and the step's own */
        keys[head->n] = position;
        head->n = tgi_recycled_drop(keys, head->n + 1, state.k, sums);
        return;
    }
    if (step) {
        head->counts[OVERLAP] +=
            tgi_recycled_overlap(keys, head->n, sums, n_keys, state.k, work, kept);
        head->counts[OVERLAPS]++;
    }
    head->n = tgi_recycled_choose(sums, n_keys, state.k, work, kept, keys);
}

static void report(const tg_row_rule *rule, double counts[TG_RULE_COUNTS])
{
    const recycled_state state = state_of(rule);
    const size_t n = (size_t)rule->model->hparams->n_layer * rule->model->hparams->n_head_kv;
    for (size_t i = 0; i < n; i++)
        tgi_rule_add_counts(counts, state.heads[i].counts);
}

static tg_status check(const tg_plan_facts *model, const tg_edit *edit, tg_error *error)
{
    (void)model;
    if (edit->n_heads)
        return tgi_fail(error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "the edit recycled works on all heads of a layer");
    return TG_OK;
}

const tg_row_rule_kind tgi_rule_recycled = {
    .prompt_option = TG_EDIT_OPTION_recycled_prompt,
    .check = check,
    .state_bytes = state_bytes,
    .batch = batch,
    .queries = queries,
    .choose = choose,
    .wanted = wanted,
    .weights = weights,
    .report = report,
};
