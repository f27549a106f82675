/* SpAtten (methods/spatten.h): the prompt runs as it is and is only measured. Every step after it
 * begins with all tokens and heads; from layer to layer fewer of them are left. Scores grow over
 * layers and steps. */
#include "../../methods/keep.h"
#include "../../methods/spatten.h"
#include "../attention.h"
#include "../plan.h"

#include <string.h>

enum { KEYS_READ, KEYS_SEEN, VALUES_READ, HEADS_RUN, HEADS_SEEN, LOW_BIT_ROWS, HIGH_BIT_ROWS };

typedef struct spatten_head {
    double counts[TG_RULE_COUNTS];
} spatten_head;

/* The parts of the state. Scores of the prompt are kept by layer and head, so that their sums do
 * not depend on how the prompt was cut into batches. */
typedef struct spatten_state {
    uint32_t *now;             /* [1] 1 + the position of the running step; 0: none yet */
    spatten_head *heads;       /* [n_head_kv] */
    double *prompt_tokens;     /* [n_layer][n_head_kv][n_ctx] */
    double *prompt_heads;      /* [n_layer][n_head] */
    double *tokens;            /* [n_ctx] scores of all tokens so far */
    double *head_scores;       /* [n_head] */
    double *layer_tokens;      /* [n_head_kv][n_ctx] what this layer adds in this step */
    double *layer_heads;       /* [n_head] */
    bool *alive, *alive_heads; /* [n_ctx], [n_head] in this layer */
    float *work;               /* [n_head_kv][2][n_ctx] */
    bool *kept;                /* [n_head_kv][n_ctx] */
    float *key;                /* [n_head_kv][2][head_dim] */
} spatten_state;

static uint64_t layout(const tg_plan_facts *model, void *memory, spatten_state *state)
{
    const tg_hparams *hp = model->hparams;
    const uint64_t n_ctx = model->n_ctx, n_kv = hp->n_head_kv, n_layer = hp->n_layer;
    tg_arena arena = {.base = memory};
    state->now = tgi_arena_alloc(&arena, 1, sizeof *state->now);
    state->heads = tgi_arena_alloc(&arena, n_kv, sizeof *state->heads);
    state->prompt_tokens = tgi_arena_alloc(&arena, n_layer * n_kv * n_ctx, sizeof(double));
    state->prompt_heads = tgi_arena_alloc(&arena, n_layer * hp->n_head, sizeof(double));
    state->tokens = tgi_arena_alloc(&arena, n_ctx, sizeof(double));
    state->head_scores = tgi_arena_alloc(&arena, hp->n_head, sizeof(double));
    state->layer_tokens = tgi_arena_alloc(&arena, n_kv * n_ctx, sizeof(double));
    state->layer_heads = tgi_arena_alloc(&arena, hp->n_head, sizeof(double));
    state->alive = tgi_arena_alloc(&arena, n_ctx, sizeof *state->alive);
    state->alive_heads = tgi_arena_alloc(&arena, hp->n_head, sizeof *state->alive_heads);
    state->work = tgi_arena_alloc(&arena, n_kv * 2 * n_ctx, sizeof(float));
    state->kept = tgi_arena_alloc(&arena, n_kv * n_ctx, sizeof *state->kept);
    state->key = tgi_arena_alloc(&arena, n_kv * 2 * hp->head_dim, sizeof(float));
    return arena.used;
}

static uint64_t state_bytes(const tg_plan_facts *model, const tg_edit *edit)
{
    spatten_state state;
    (void)edit;
    return layout(model, NULL, &state);
}

static spatten_state state_of(const tg_row_rule *rule)
{
    spatten_state state;
    layout(rule->model, rule->state, &state);
    return state;
}

/* ---- the schedule ---- */

/* The share of tokens or heads that is left in a layer: a float of 0.7 means 0.7. */
static double share(const tg_row_rule *rule, uint32_t layer, bool heads)
{
    const uint32_t n_layer = rule->model->hparams->n_layer;
    return floor((double)rule->edit->values[heads * n_layer + layer] * 1e6 + 0.5) / 1e6;
}

static tg_status check(const tg_plan_facts *model, const tg_edit *edit, tg_error *error)
{
    const uint32_t n_layer = model->hparams->n_layer;
    if (edit->n_heads || edit->n_layers)
        return tgi_fail(error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "the edit spatten works on all layers and heads: a share of 1 leaves all "
                        "tokens or heads of a layer");
    if (edit->n_values != 2 * n_layer)
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "the edit spatten takes two shares a layer, %u numbers, not %u",
                        (unsigned)(2 * n_layer), (unsigned)edit->n_values);
    for (uint32_t i = 0; i < edit->n_values; i++)
        if (!(edit->values[i] >= 0 && edit->values[i] <= 1))
            return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                            "the edit spatten: the share %g of layer %u is outside of 0 to 1",
                            (double)edit->values[i], (unsigned)(i % n_layer));
    uint32_t n_head_kv = 0;
    for (uint32_t i = 0; i < n_layer; i++) {
        const tg_layer *w = &model->layers[i];
        if (w->mixer != TG_ATTENTION_MIXER)
            continue;
        if (n_head_kv && w->n_head_kv != n_head_kv)
            return tgi_fail(error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                            "the edit spatten: heads share keys in groups of other sizes in layer "
                            "%u than below it",
                            (unsigned)i);
        n_head_kv = w->n_head_kv;
    }
    const double high = tgi_edit_option(edit, TG_EDIT_OPTION_spatten_high_bits);
    if (high == 1)
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "the edit spatten: high_bits is 1; a sign and no number");
    return TG_OK;
}

/* Whether a layer after this one, or this one, prunes: only then scores are needed. */
static bool prunes(const tg_row_rule *rule)
{
    for (uint32_t i = 0; i < rule->model->hparams->n_layer; i++)
        if (share(rule, i, false) < 1 || share(rule, i, true) < 1)
            return true;
    return false;
}

/* ---- a step ---- */

static bool is_step(const tg_row_rule *rule, const tg_sequence *sequence)
{
    return sequence->base >= tgi_rule_prompt(rule, sequence->plan);
}

/* The scores of the prompt, of all layers and heads, are those with which the first step begins. */
static void sum_prompt(const tg_row_rule *rule, const spatten_state *state)
{
    const tg_hparams *hp = rule->model->hparams;
    const size_t n_ctx = rule->model->n_ctx;
    for (size_t i = 0; i < (size_t)hp->n_layer * hp->n_head_kv; i++)
        for (size_t j = 0; j < n_ctx; j++)
            state->tokens[j] += state->prompt_tokens[i * n_ctx + j];
    for (size_t i = 0; i < (size_t)hp->n_layer * hp->n_head; i++)
        state->head_scores[i % hp->n_head] += state->prompt_heads[i];
}

/* Prunes what this layer and those after it do not read. The first step after the prompt keeps all
 * tokens. */
static void queries(const tg_row_rule *rule, tg_scratch *s, const tg_layer *w,
                    const tg_sequence *sequence, uint32_t layer)
{
    const spatten_state state = state_of(rule);
    const tg_hparams *hp = s->hparams;
    const uint32_t n = sequence->base + 1;
    if (!is_step(rule, sequence))
        return;
    if (*state.now != n) {
        if (!*state.now)
            sum_prompt(rule, &state);
        *state.now = n;
        memset(state.alive, true, n);
        memset(state.alive_heads, true, hp->n_head);
    }
    if (sequence->base > tgi_rule_prompt(rule, sequence->plan) && share(rule, layer, false) < 1)
        tgi_spatten_prune_tokens(state.tokens, n, tgi_kept_count(n, share(rule, layer, false)),
                                 (uint32_t)rule->options[TG_EDIT_OPTION_spatten_first],
                                 (uint32_t)rule->options[TG_EDIT_OPTION_spatten_recent], state.work,
                                 state.kept, state.alive);
    if (share(rule, layer, true) < 1)
        tgi_spatten_prune_heads(state.head_scores, hp->n_head, hp->n_head / w->n_head_kv,
                                tgi_kept_count(hp->n_head, share(rule, layer, true)), state.work,
                                state.kept, state.alive_heads);
    memset(state.layer_tokens, 0, (size_t)hp->n_head_kv * rule->model->n_ctx * sizeof(double));
    memset(state.layer_heads, 0, hp->n_head * sizeof(double));
}

/* The heads of a group that was pruned read nothing but the step's own key. */
static uint32_t choose(const tg_row_rule *rule, const tg_layer *w, const tg_sequence *sequence,
                       uint32_t layer, uint32_t head, uint32_t *keys)
{
    const spatten_state state = state_of(rule);
    const uint32_t position = sequence->base;
    uint32_t n = 0;
    (void)layer;
    if (!is_step(rule, sequence))
        return 0;
    if (!state.alive_heads[head * (rule->model->hparams->n_head / w->n_head_kv)]) {
        keys[0] = position;
        return 1;
    }
    for (uint32_t j = 0; j <= position; j++)
        if (state.alive[j])
            keys[n++] = j;
    return n > position ? 0 : n;
}

static uint32_t batch(const tg_row_rule *rule, const tg_plan *plan, uint32_t base, uint32_t n)
{
    return tgi_rule_steps(rule, plan, base, n);
}

static uint32_t wanted(const tg_row_rule *rule, const tg_sequence *sequence, uint32_t layer,
                       uint32_t head)
{
    (void)layer;
    (void)head;
    if (is_step(rule, sequence))
        return sequence->base;
    return prunes(rule) ? sequence->base : UINT32_MAX;
}

/* ---- rows ---- */

/* Reads key j of the rows as floats. */
static void read_key(const tg_rows *rows, uint32_t j, float *key)
{
    const tg_kv *kv = rows->s->kv;
    const uint32_t position = tgi_rows_key(rows, j), slot = position % TG_PAGE;
    const tg_quant_row *quant = &tg_quants[tg_kv_type_table[kv->type_k].quant];
    const size_t n_blocks = rows->w->head_dim / quant->block;
    const uint8_t *block = tgi_kv_block(kv, rows->sequence->table->pages[position / TG_PAGE],
                                        rows->w->kv_source, rows->head);
    quant->tile_row(block + slot / TG_TILE_ROWS * n_blocks * tgi_quant_tile_bytes(quant), n_blocks,
                    slot % TG_TILE_ROWS, key);
}

/* out[j] = the score of row i with key j of `bits` bits; the others stay hidden. */
static void score_with_bits(const tg_rows *rows, uint32_t i, uint32_t bits, float *key, float *out)
{
    const tg_scratch *s = rows->s;
    const size_t head_dim = rows->w->head_dim, stride = tgi_padded(s->hparams->n_head * head_dim);
    const float scale = tgi_attention_scale(s->hparams, head_dim),
                softcap = s->hparams->attention_softcap * TG_LOG2E;
    const uint32_t t = tgi_rows_position(rows, i) - rows->sequence->base;
    const float *q =
        s->q + (rows->sequence->first + t) * stride + tgi_rows_head(rows, i) * head_dim;
    for (uint32_t j = 0; j < rows->n_keys; j++) {
        out[j] = tgi_rows_row(rows, i)[j];
        if (!(out[j] > -INFINITY))
            continue;
        read_key(rows, j, key);
        tgi_spatten_high_bits(key, head_dim, bits, key + head_dim);
        float sum = 0;
        for (size_t d = 0; d < head_dim; d++)
            sum += q[d] * scale * key[head_dim + d];
        out[j] = softcap > 0 ? softcap * tgi_tanh(sum / softcap) : sum;
    }
}

/* The largest weight that a row of scores gives. */
static float max_weight(const float *row, uint32_t n)
{
    float max = -INFINITY, sum = 0;
    for (uint32_t j = 0; j < n; j++)
        max = row[j] > max ? row[j] : max;
    for (uint32_t j = 0; j < n; j++)
        sum += row[j] > -INFINITY ? tgi_exp2(row[j] - max) : 0;
    return 1 / sum;
}

/* Replaces the scores by those of keys with fewer bits, where these are enough. */
static void scores(const tg_row_rule *rule, tg_rows *rows)
{
    const spatten_state state = state_of(rule);
    const uint32_t high = (uint32_t)rule->options[TG_EDIT_OPTION_spatten_high_bits],
                   low = (uint32_t)rule->options[TG_EDIT_OPTION_spatten_low_bits];
    float *key = state.key + (size_t)rows->head * 2 * rule->model->hparams->head_dim,
          *out = state.work + (size_t)rows->head * 2 * rule->model->n_ctx;
    if (!is_step(rule, rows->sequence) || !high)
        return;
    for (uint32_t i = 0; i < rows->n * rows->group; i++) {
        if (!state.alive_heads[tgi_rows_head(rows, i)])
            continue;
        score_with_bits(rows, i, high, key, out);
        const float max = max_weight(out, rows->n_keys);
        const bool more =
            tgi_spatten_needs_low_bits(&max, 1, rule->options[TG_EDIT_OPTION_spatten_tau]);
        state.heads[rows->head].counts[more ? LOW_BIT_ROWS : HIGH_BIT_ROWS]++;
        if (more && !low)
            continue;
        if (more)
            score_with_bits(rows, i, high + low, key, out);
        memcpy(tgi_rows_row(rows, i), out, rows->n_keys * sizeof *out);
        rows->changed[i] = true;
    }
}

static void measure_prompt(const tg_row_rule *rule, const spatten_state *state, const tg_rows *rows)
{
    const size_t at =
        ((size_t)rows->layer * rule->model->hparams->n_head_kv + rows->head) * rule->model->n_ctx;
    tgi_spatten_score_tokens(state->prompt_tokens + at, rows->values, rows->n_keys,
                             rows->n * rows->group, rows->keys, rows->n_keys);
}

static void weights(const tg_row_rule *rule, tg_rows *rows)
{
    const spatten_state state = state_of(rule);
    const uint32_t n_ctx = rule->model->n_ctx, n = rows->n_keys;
    double *counts = state.heads[rows->head].counts;
    if (!is_step(rule, rows->sequence)) {
        measure_prompt(rule, &state, rows);
        return;
    }
    const bool alive = state.alive_heads[tgi_rows_head(rows, 0)];
    const uint32_t n_values = tgi_kept_count(n, rule->options[TG_EDIT_OPTION_spatten_values]);
    counts[KEYS_SEEN] += rows->sequence->base + 1;
    counts[HEADS_SEEN] += rows->group;
    if (!alive)
        return;
    counts[KEYS_READ] += n;
    counts[HEADS_RUN] += rows->group;
    counts[VALUES_READ] += n_values ? n_values : 1;
    tgi_spatten_score_tokens(state.layer_tokens + (size_t)rows->head * n_ctx, rows->values, n,
                             rows->group, rows->keys, n);
    if (n_values >= n)
        return;
    for (uint32_t i = 0; i < rows->group; i++) {
        tgi_spatten_prune_values(tgi_rows_row(rows, i), n, n_values ? n_values : 1,
                                 state.work + (size_t)rows->head * 2 * n_ctx,
                                 state.kept + (size_t)rows->head * n_ctx);
        rows->changed[i] = true;
    }
}

static void outputs(const tg_row_rule *rule, tg_rows *rows)
{
    const spatten_state state = state_of(rule);
    const bool step = is_step(rule, rows->sequence);
    const size_t head_dim = rows->w->head_dim;
    double *sums = step ? state.layer_heads
                        : state.prompt_heads + (size_t)rows->layer * rule->model->hparams->n_head;
    for (uint32_t i = 0; i < rows->n * rows->group; i++) {
        const uint32_t head = tgi_rows_head(rows, i);
        if (step && !state.alive_heads[head])
            memset(tgi_rows_output(rows, i), 0, head_dim * sizeof(float));
        else
            sums[head] += tgi_spatten_score_head(tgi_rows_output(rows, i), head_dim);
    }
}

/* Adds what the layer has shown to the scores, head after head. */
static void layer_end(const tg_row_rule *rule, tg_scratch *s, const tg_layer *w,
                      const tg_sequence *sequence, uint32_t layer)
{
    const spatten_state state = state_of(rule);
    const size_t n_ctx = rule->model->n_ctx;
    (void)layer;
    if (!is_step(rule, sequence))
        return;
    for (uint32_t head = 0; head < w->n_head_kv; head++)
        for (uint32_t j = 0; j <= sequence->base; j++)
            state.tokens[j] += state.layer_tokens[head * n_ctx + j];
    for (uint32_t h = 0; h < s->hparams->n_head; h++)
        state.head_scores[h] += state.layer_heads[h];
}

static void report(const tg_row_rule *rule, double counts[TG_RULE_COUNTS])
{
    const spatten_state state = state_of(rule);
    for (uint32_t i = 0; i < rule->model->hparams->n_head_kv; i++)
        tgi_rule_add_counts(counts, state.heads[i].counts);
}

const tg_row_rule_kind tgi_rule_spatten = {
    .prompt_option = TG_EDIT_OPTION_spatten_prompt,
    .check = check,
    .state_bytes = state_bytes,
    .batch = batch,
    .queries = queries,
    .choose = choose,
    .wanted = wanted,
    .scores = scores,
    .weights = weights,
    .outputs = outputs,
    .layer_end = layer_end,
    .report = report,
};
