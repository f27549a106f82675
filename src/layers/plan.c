/* Plans: checks edits, copies them, and carries out those that change residuals and scales. */
#include "plan.h"
#include "layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t tgi_index_of(const uint32_t *list, uint32_t n, uint32_t number)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == number)
            return i;
    return -1;
}

/* ---- the list of edits ---- */

typedef struct edit_kind {
    const char *name;
    const tg_row_rule_kind *rule; /* NULL: this file carries out the edit */
} edit_kind;

static const edit_kind kinds[TG_EDIT_COUNT] = {
#define TG_EDIT(name)     {#name, NULL},
#define TG_ROW_RULE(name) {#name, &tgi_rule_##name},
#include "edits.def"
};

typedef struct edit_option {
    tg_edit_kind edit;
    const char *name;
    double initial, min, max;
    bool whole;
} edit_option;

static const edit_option options[TG_EDIT_OPTION_COUNT] = {
#define TG_EDIT_OPTION(edit_name, option_name, meaning, ...)                                       \
    {.edit = TG_EDIT_##edit_name, .name = #option_name, __VA_ARGS__},
#include "edits.def"
};

/* ---- checking edits ---- */

static const char *mixer_name(const tg_layer *w)
{
    return w->mixer == TG_CONV_MIXER ? "a short convolution" : "a delta net";
}

static bool has_attention(const tg_plan_facts *model, uint32_t layer)
{
    return model->layers[layer].mixer == TG_ATTENTION_MIXER;
}

static tg_status check_list(const char *edit, const char *what, const uint32_t *list, uint32_t n,
                            uint32_t end, tg_error *error)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] >= end)
            return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                            "the edit %s: %s %u is out of range 0 to %u", edit, what,
                            (unsigned)list[i], (unsigned)(end - 1));
    return TG_OK;
}

static tg_status check_options(const tg_edit *edit, tg_error *error)
{
    for (int i = 0; edit->options && i < TG_EDIT_OPTION_COUNT; i++) {
        const edit_option *option = &options[i];
        const double value = edit->options[i];
        if (option->edit == edit->kind && (!(value >= option->min && value <= option->max) ||
                                           (option->whole && value != floor(value))))
            return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                            "the edit %s: %s is %g, outside of %g to %g%s", kinds[edit->kind].name,
                            option->name, value, option->min, option->max,
                            option->whole ? " or not whole" : "");
    }
    return TG_OK;
}

/* The lists that the kinds of this file need. */
static tg_status check_shape(const tg_plan_facts *model, const tg_edit *edit, tg_error *error)
{
    const char *name = kinds[edit->kind].name;
    const uint32_t n_embd = model->hparams->n_embd;
    const bool residual = edit->kind == TG_EDIT_residual,
               copy = edit->kind == TG_EDIT_copy_residual;
    if ((residual || copy) && edit->n_positions != (residual ? 1u : 2u))
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "the edit %s takes %s", name,
                        residual ? "one position" : "two positions");
    if (residual && edit->n_layers != 1)
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "the edit %s takes one layer",
                        name);
    if (residual && edit->n_values != n_embd)
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET,
                        "the edit %s has %u values; a residual has %u", name,
                        (unsigned)edit->n_values, (unsigned)n_embd);
    if (copy && edit->positions[0] > edit->positions[1] &&
        edit->positions[0] - edit->positions[1] >= TG_BATCH)
        return tgi_fail(error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                        "the edit %s from position %u to %u: a copy to an earlier position spans "
                        "at most %d positions",
                        name, (unsigned)edit->positions[0], (unsigned)edit->positions[1],
                        TG_BATCH - 1);
    for (uint32_t i = 0; i < edit->n_values; i++)
        if (!isfinite(edit->values[i]))
            return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "the edit %s: value %u is %g",
                            name, (unsigned)i, (double)edit->values[i]);
    return TG_OK;
}

/* Whether the layers that the edit names, or all layers, have attention. */
static tg_status check_attention(const tg_plan_facts *model, const tg_edit *edit, tg_error *error)
{
    const tg_row_rule_kind *rule = kinds[edit->kind].rule;
    const uint32_t n_layer = model->hparams->n_layer;
    const bool all = edit->n_layers == 0;
    if ((!rule && edit->kind != TG_EDIT_head) || (all && rule && !rule->needs_all_layers))
        return TG_OK;
    for (uint32_t i = 0; i < (all ? n_layer : edit->n_layers); i++) {
        const uint32_t layer = all ? i : edit->layers[i];
        if (!has_attention(model, layer))
            return tgi_fail(error, TG_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                            "the edit %s: layer %u has %s in place of attention%s",
                            kinds[edit->kind].name, (unsigned)layer,
                            mixer_name(&model->layers[layer]),
                            all ? ", so the edit must name its layers" : "");
    }
    return TG_OK;
}

static tg_status check(const tg_plan_facts *model, const tg_edit *edit, tg_error *error)
{
    const tg_hparams *hp = model->hparams;
    if ((unsigned)edit->kind >= TG_EDIT_COUNT)
        return tgi_fail(error, TG_INVALID_ARGUMENT, TG_NO_OFFSET, "there is no edit number %u",
                        (unsigned)edit->kind);
    const char *name = kinds[edit->kind].name;
    const bool at_boundary = edit->kind == TG_EDIT_residual || edit->kind == TG_EDIT_copy_residual;
    tg_status status = check_list(name, "layer", edit->layers, edit->n_layers,
                                  hp->n_layer + (at_boundary ? 1 : 0), error);
    if (!status)
        status = check_list(name, "head", edit->heads, edit->n_heads, hp->n_head, error);
    if (!status)
        status =
            check_list(name, "position", edit->positions, edit->n_positions, model->n_ctx, error);
    if (!status)
        status = check_options(edit, error);
    if (!status)
        status = check_shape(model, edit, error);
    if (!status)
        status = check_attention(model, edit, error);
    const tg_row_rule_kind *rule = kinds[edit->kind].rule;
    return status || !rule || !rule->check ? status : rule->check(model, edit, error);
}

/* ---- making plans ---- */

static void *copy_of(tg_arena *arena, const void *from, uint64_t n, size_t size)
{
    void *to = tgi_arena_alloc(arena, n, size);
    if (to && n)
        memcpy(to, from, n * size);
    return to;
}

static tg_edit copy_edit(tg_arena *arena, const tg_edit *from)
{
    tg_edit to = *from;
    to.layers = copy_of(arena, from->layers, from->n_layers, sizeof *from->layers);
    to.heads = copy_of(arena, from->heads, from->n_heads, sizeof *from->heads);
    to.positions = copy_of(arena, from->positions, from->n_positions, sizeof *from->positions);
    to.values = copy_of(arena, from->values, from->n_values, sizeof *from->values);
    to.bytes = copy_of(arena, from->bytes, from->n_bytes, 1);
    double *values = tgi_arena_alloc(arena, TG_EDIT_OPTION_COUNT, sizeof *values);
    for (int i = 0; values && i < TG_EDIT_OPTION_COUNT; i++)
        values[i] = from->options ? from->options[i] : options[i].initial;
    to.options = values;
    return to;
}

/* Which of n numbers a list names; an empty list names all. */
static bool *names(tg_arena *arena, const uint32_t *list, uint32_t n_list, uint32_t n)
{
    bool *named = tgi_arena_alloc(arena, n, sizeof *named);
    for (uint32_t i = 0; named && i < n; i++)
        named[i] = !n_list || tgi_index_of(list, n_list, i) >= 0;
    return named;
}

static tg_row_rule make_rule(tg_arena *arena, const tg_plan *plan, const tg_edit *edit)
{
    const tg_plan_facts *model = &plan->model;
    const tg_row_rule_kind *kind = kinds[edit->kind].rule;
    const uint32_t n_layer = model->hparams->n_layer;
    tg_row_rule rule = {.kind = kind, .model = model, .edit = edit, .options = edit->options};
    bool *layers = names(arena, edit->layers, edit->n_layers, n_layer);
    for (uint32_t i = 0; layers && i < n_layer; i++)
        layers[i] = layers[i] && has_attention(model, i);
    rule.layers = layers;
    rule.heads = names(arena, edit->heads, edit->n_heads, model->hparams->n_head);
    rule.state_bytes = kind->state_bytes ? (size_t)kind->state_bytes(model, edit) : 0;
    rule.state = tgi_arena_alloc(arena, rule.state_bytes, 1);
    return rule;
}

/* Plans the memory after the plan itself (arena->base NULL: counts it) and sets the pointers. */
static void layout(tg_plan *plan, tg_arena *arena, const tg_edit *edits, uint32_t n)
{
    const tg_hparams *hp = plan->model.hparams;
    const bool counting = !arena->base;
    uint32_t max_kv = 1;
    for (uint32_t i = 0; i < hp->n_layer; i++)
        max_kv =
            plan->model.layers[i].n_head_kv > max_kv ? plan->model.layers[i].n_head_kv : max_kv;
    plan->n_edits = n;
    plan->edits = tgi_arena_alloc(arena, n, sizeof *plan->edits);
    plan->rules = tgi_arena_alloc(arena, n, sizeof *plan->rules);
    plan->copies = tgi_arena_alloc(arena, n, sizeof *plan->copies);
    plan->changes = tgi_arena_alloc(arena, hp->n_layer, sizeof *plan->changes);
    plan->head_scales =
        tgi_arena_alloc(arena, (uint64_t)hp->n_layer * hp->n_head, sizeof *plan->head_scales);
    plan->ffn_scales = tgi_arena_alloc(arena, hp->n_layer, sizeof *plan->ffn_scales);
    plan->n_rules = 0;
    for (uint32_t i = 0; i < n; i++) {
        const tg_edit copy = copy_edit(arena, &edits[i]);
        float *rows =
            edits[i].kind == TG_EDIT_copy_residual
                ? tgi_arena_alloc(arena, (uint64_t)edits[i].n_layers * hp->n_embd, sizeof *rows)
                : NULL;
        if (!counting) {
            plan->edits[i] = copy;
            plan->copies[i] = rows;
        }
        const tg_row_rule_kind *kind = kinds[edits[i].kind].rule;
        if (!kind)
            continue;
        const tg_row_rule rule = make_rule(arena, plan, counting ? &edits[i] : &plan->edits[i]);
        if (!counting)
            plan->rules[plan->n_rules] = rule;
        plan->n_rules++;
        plan->has_state |= rule.state_bytes > 0;
        plan->chooses |= kind->choose != NULL;
    }
    plan->n_chosen = tgi_arena_alloc(arena, max_kv, sizeof *plan->n_chosen);
    plan->chosen = tgi_arena_alloc(arena, plan->chooses ? (uint64_t)max_kv * plan->model.n_ctx : 0,
                                   sizeof *plan->chosen);
}

/* Sets what the plan changes in each layer, and by how much it scales. */
static void set_changes(tg_plan *plan)
{
    const uint32_t n_layer = plan->model.hparams->n_layer, n_head = plan->model.hparams->n_head;
    for (uint32_t i = 0; i < n_layer * n_head; i++)
        plan->head_scales[i] = 1;
    for (uint32_t i = 0; i < n_layer; i++)
        plan->ffn_scales[i] = 1;
    for (uint32_t e = 0; e < plan->n_edits; e++) {
        const tg_edit *edit = &plan->edits[e];
        const uint32_t n = edit->n_layers ? edit->n_layers : n_layer;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t layer = edit->n_layers ? edit->layers[i] : i;
            if (edit->kind == TG_EDIT_feed_forward) {
                plan->ffn_scales[layer] *= (float)edit->options[TG_EDIT_OPTION_feed_forward_scale];
                plan->changes[layer] |= TG_PLAN_FEED_FORWARD;
            }
            if (edit->kind != TG_EDIT_head)
                continue;
            plan->changes[layer] |= TG_PLAN_HEADS;
            for (uint32_t h = 0; h < n_head; h++)
                if (!edit->n_heads || tgi_index_of(edit->heads, edit->n_heads, h) >= 0)
                    plan->head_scales[layer * n_head + h] *=
                        (float)edit->options[TG_EDIT_OPTION_head_scale];
        }
    }
    for (uint32_t r = 0; r < plan->n_rules; r++)
        for (uint32_t i = 0; i < n_layer; i++)
            if (plan->rules[r].layers[i])
                plan->changes[i] |= TG_PLAN_ROWS;
}

tg_plan *tgi_plan_new(const tg_plan_facts *model, const tg_edit *edits, size_t n, tg_error *error)
{
    for (size_t i = 0; i < n; i++)
        if (check(model, &edits[i], error))
            return NULL;
    tg_plan counted = {.model = *model};
    tg_arena arena = {0};
    tgi_arena_alloc(&arena, 1, sizeof(tg_plan));
    layout(&counted, &arena, edits, (uint32_t)n);
    tg_plan *plan = arena.used <= SIZE_MAX - TG_ARENA_ALIGN ? calloc(1, (size_t)arena.used) : NULL;
    if (!plan) {
        tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for %zu edits", n);
        return NULL;
    }
    plan->model = *model;
    arena = (tg_arena){.base = (uint8_t *)plan};
    tgi_arena_alloc(&arena, 1, sizeof(tg_plan));
    layout(plan, &arena, edits, (uint32_t)n);
    set_changes(plan);
    return plan;
}

tg_plan *tgi_plan_copy(const tg_plan *plan, tg_error *error)
{
    tg_plan *copy = tgi_plan_new(&plan->model, plan->edits, plan->n_edits, error);
    if (!copy)
        return NULL;
    copy->n_seen = plan->n_seen;
    copy->n_prompt = plan->n_prompt;
    for (uint32_t r = 0; r < plan->n_rules; r++)
        memcpy(copy->rules[r].state, plan->rules[r].state, plan->rules[r].state_bytes);
    for (uint32_t e = 0; e < plan->n_edits; e++)
        if (plan->copies[e])
            memcpy(copy->copies[e], plan->copies[e],
                   (size_t)plan->edits[e].n_layers * plan->model.hparams->n_embd * sizeof(float));
    return copy;
}

void tgi_plan_free(tg_plan *plan)
{
    free(plan);
}

void tgi_plan_reset(tg_plan *plan)
{
    plan->n_seen = 0;
    for (uint32_t r = 0; r < plan->n_rules; r++)
        memset(plan->rules[r].state, 0, plan->rules[r].state_bytes);
}

bool tgi_plan_repeats(tg_plan *plan, uint32_t n)
{
    bool repeats = false;
    for (uint32_t r = 0; r < plan->n_rules; r++)
        if (plan->rules[r].kind->repeat)
            repeats |= plan->rules[r].kind->repeat(&plan->rules[r], plan, n);
    for (uint32_t r = 0; repeats && r < plan->n_rules; r++) {
        const tg_row_rule *rule = &plan->rules[r];
        if (rule->kind->restart)
            rule->kind->restart(rule);
        else
            memset(rule->state, 0, rule->state_bytes);
    }
    if (repeats)
        plan->n_seen = 0;
    return repeats;
}

double tgi_edit_option(const tg_edit *edit, tg_edit_option option)
{
    return edit->options ? edit->options[option] : options[option].initial;
}

uint32_t tgi_rule_prompt(const tg_row_rule *rule, const tg_plan *plan)
{
    const uint32_t option = rule->kind->prompt_option;
    const uint32_t given = option ? (uint32_t)rule->options[option] : 0;
    return given ? given : plan->n_prompt;
}

uint32_t tgi_rule_steps(const tg_row_rule *rule, const tg_plan *plan, uint32_t base, uint32_t n)
{
    const uint32_t prompt = tgi_rule_prompt(rule, plan), left = prompt > base ? prompt - base : 1;
    return n < left ? n : left;
}

uint32_t tgi_plan_batch(const tg_plan *plan, uint32_t base, uint32_t max_tokens, uint32_t available,
                        uint32_t *from)
{
    uint32_t n = max_tokens < available ? max_tokens : available;
    for (uint32_t r = 0; r < plan->n_rules && n; r++)
        if (plan->rules[r].kind->batch)
            n = plan->rules[r].kind->batch(&plan->rules[r], plan, base, n);
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t e = 0; e < plan->n_edits; e++) {
            const tg_edit *edit = &plan->edits[e];
            if (edit->kind != TG_EDIT_copy_residual || edit->positions[0] <= edit->positions[1])
                continue;
            const uint32_t first = edit->positions[1], last = edit->positions[0];
            if (first < base || first >= base + n || last < base + n)
                continue;
            changed = true;
            if (last - base < TG_BATCH && last - base < available)
                n = last - base + 1;
            else
                n = first - base; /* the batch ends before them */
            *from = last;
            if (!n)
                return 0;
            if (n == first - base)
                max_tokens = n;
        }
    }
    return n;
}

/* ---- residuals ---- */

static float *residual_at(const tg_scratch *s, const tg_sequence *sequence, uint32_t position)
{
    return s->x +
           (size_t)(sequence->first + position - sequence->base) * tgi_padded(s->hparams->n_embd);
}

static bool runs(const tg_sequence *sequence, uint32_t position)
{
    return position >= sequence->base && position - sequence->base < sequence->n;
}

static void edit_residual(tg_scratch *s, const tg_sequence *sequence, const tg_edit *edit)
{
    if (!runs(sequence, edit->positions[0]))
        return;
    float *x = residual_at(s, sequence, edit->positions[0]);
    const bool add = edit->options[TG_EDIT_OPTION_residual_add] != 0;
    for (uint32_t i = 0; i < edit->n_values; i++)
        x[i] = add ? x[i] + edit->values[i] : edit->values[i];
}

/* kept: [n_embd] the residual of `from`, for a later batch. */
static void copy_residual(tg_scratch *s, const tg_sequence *sequence, const tg_edit *edit,
                          float *kept)
{
    const size_t bytes = s->hparams->n_embd * sizeof(float);
    const uint32_t from = edit->positions[0], to = edit->positions[1];
    if (runs(sequence, from))
        memcpy(kept, residual_at(s, sequence, from), bytes);
    if (runs(sequence, to))
        memcpy(residual_at(s, sequence, to), kept, bytes);
}

static void report_residuals(const tg_scratch *s, const tg_sequence *sequence, uint32_t boundary)
{
    const tg_observation *seen = sequence->plan->observation;
    const size_t n_embd = s->hparams->n_embd;
    const int64_t layer = tgi_index_of(seen->residual_layers, seen->n_residual_layers, boundary);
    for (uint32_t i = 0; layer >= 0 && i < seen->n_residual_positions; i++)
        if (runs(sequence, seen->residual_positions[i]))
            memcpy(seen->residuals + ((size_t)layer * seen->n_residual_positions + i) * n_embd,
                   residual_at(s, sequence, seen->residual_positions[i]), n_embd * sizeof(float));
}

void tgi_plan_boundary(tg_scratch *s, uint32_t boundary)
{
    for (uint32_t q = 0; q < s->batch->n_sequences; q++) {
        const tg_sequence *sequence = &s->batch->sequences[q];
        tg_plan *plan = sequence->plan;
        for (uint32_t e = 0; plan && e < plan->n_edits; e++) {
            const tg_edit *edit = &plan->edits[e];
            const int64_t index = tgi_index_of(edit->layers, edit->n_layers, boundary);
            if (edit->kind == TG_EDIT_residual && index >= 0)
                edit_residual(s, sequence, edit);
            if (edit->kind == TG_EDIT_copy_residual && index >= 0)
                copy_residual(s, sequence, edit, plan->copies[e] + index * s->hparams->n_embd);
        }
        if (plan && plan->observation)
            report_residuals(s, sequence, boundary);
    }
    tgi_activations_changed(s);
}

/* ---- scales ---- */

/* Zero gives zero, whatever it multiplies. */
static void scale(float *x, size_t n, float factor)
{
    for (size_t i = 0; factor != 1 && i < n; i++)
        x[i] = factor == 0 ? 0 : x[i] * factor;
}

static void report_heads(const tg_scratch *s, const tg_layer *w, const tg_sequence *sequence,
                         uint32_t layer)
{
    const tg_observation *seen = sequence->plan->observation;
    const size_t dim = w->head_dim, stride = tgi_padded(s->hparams->n_head * dim);
    const int64_t index = tgi_index_of(seen->output_layers, seen->n_output_layers, layer);
    for (uint32_t h = 0; index >= 0 && h < seen->n_output_heads; h++)
        for (uint32_t i = 0; i < seen->n_output_positions; i++) {
            const uint32_t position = seen->output_positions[i];
            const size_t at =
                ((size_t)index * seen->n_output_heads + h) * seen->n_output_positions + i;
            if (runs(sequence, position))
                memcpy(seen->outputs + at * dim,
                       s->attn_out + (sequence->first + position - sequence->base) * stride +
                           seen->output_heads[h] * dim,
                       dim * sizeof(float));
        }
}

void tgi_plan_heads(tg_scratch *s, const tg_layer *w, uint32_t layer)
{
    const uint32_t n_head = s->hparams->n_head;
    const size_t stride = tgi_padded((size_t)n_head * w->head_dim);
    for (uint32_t q = 0; q < s->batch->n_sequences; q++) {
        const tg_sequence *sequence = &s->batch->sequences[q];
        const tg_plan *plan = sequence->plan;
        const bool scales = plan && plan->changes[layer] & TG_PLAN_HEADS;
        for (uint32_t t = 0; scales && t < sequence->n; t++)
            for (uint32_t h = 0; h < n_head; h++)
                scale(s->attn_out + (sequence->first + t) * stride + (size_t)h * w->head_dim,
                      w->head_dim, plan->head_scales[layer * n_head + h]);
        if (plan && plan->observation)
            report_heads(s, w, sequence, layer);
    }
    tgi_activations_changed(s);
}

void tgi_plan_feed_forward(tg_scratch *s, uint32_t layer)
{
    const size_t embd = tgi_padded(s->hparams->n_embd);
    for (uint32_t q = 0; q < s->batch->n_sequences; q++) {
        const tg_sequence *sequence = &s->batch->sequences[q];
        if (sequence->plan && sequence->plan->changes[layer] & TG_PLAN_FEED_FORWARD)
            scale(s->out + sequence->first * embd, sequence->n * embd,
                  sequence->plan->ffn_scales[layer]);
    }
}
