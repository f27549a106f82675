/* Whole rows of attention, for sequences whose plan changes or reports them: the scores of a query
 * with all keys, their softmax, the rules between, and the weighted values. Slower than the
 * streamed softmax (attention.c), which computes all outputs that no rule changes. */
#include "attention.h"
#include "plan.h"

#include <string.h>

/* The most query heads that share a key-value head. */
static uint32_t max_group(const tg_plan_facts *model)
{
    uint32_t max = 1;
    for (uint32_t i = 0; i < model->hparams->n_layer; i++) {
        const uint32_t n_head_kv = model->layers[i].n_head_kv,
                       group = n_head_kv ? model->hparams->n_head / n_head_kv : 0;
        max = group > max ? group : max;
    }
    return max;
}

/* n bytes, rounded up so that what follows is aligned. */
static uint64_t aligned(uint64_t n)
{
    return (n + TG_ARENA_ALIGN - 1) / TG_ARENA_ALIGN * TG_ARENA_ALIGN;
}

uint64_t tgi_rows_bytes(const tg_plan *plan, const tg_scratch *s, uint32_t base, uint32_t n)
{
    const uint64_t n_keys = base + (uint64_t)n,
                   n_rows = (plan->n_rules ? n : 1) * (uint64_t)max_group(&plan->model);
    if (!plan->n_rules && !(plan->observation && plan->observation->n_attention_queries))
        return 0;
    return aligned(n_rows * n_keys * sizeof(float)) + aligned(n_rows) +
           (plan->chooses ? tgi_kv_n_pages((uint32_t)n_keys) * (uint64_t)s->kv->head_bytes : 0);
}

float *tgi_rows_output(const tg_rows *rows, uint32_t i)
{
    const size_t head_dim = rows->w->head_dim,
                 stride = tgi_padded(rows->s->hparams->n_head * head_dim);
    const uint32_t t = tgi_rows_position(rows, i) - rows->sequence->base;
    return rows->s->attn_out + (rows->sequence->first + t) * stride +
           tgi_rows_head(rows, i) * head_dim;
}

/* ---- one key-value head ---- */

/* The rows and where their keys and values lie. */
typedef struct rows_block {
    tg_rows rows;
    tg_attention_scratch *mem;
    uint8_t *gathered; /* the chosen keys in pages; NULL: they lie in the cache */
} rows_block;

/* The keys and values of columns `from` to from + TG_PAGE - 1. */
static const uint8_t *block_at(const rows_block *b, uint32_t from)
{
    const tg_kv *kv = b->rows.s->kv;
    return b->gathered ? b->gathered + from / TG_PAGE * kv->head_bytes
                       : tgi_kv_block(kv, b->rows.sequence->table->pages[from / TG_PAGE],
                                      b->rows.w->kv_source, b->rows.head);
}

static void gather_keys(rows_block *b)
{
    const tg_kv *kv = b->rows.s->kv;
    const uint32_t layer = b->rows.w->kv_source;
    for (uint32_t j = 0; j < b->rows.n_keys; j++) {
        const uint32_t key = b->rows.keys[j];
        const uint8_t *from =
            tgi_kv_block(kv, b->rows.sequence->table->pages[key / TG_PAGE], layer, b->rows.head);
        tgi_kv_copy_slot(kv, layer, b->gathered + j / TG_PAGE * kv->head_bytes, j % TG_PAGE, from,
                         key % TG_PAGE);
    }
}

/* -infinity for keys that row i does not see. */
static void mask_row(const tg_rows *rows, uint32_t i)
{
    const uint32_t position = tgi_rows_position(rows, i),
                   begin = tgi_first_key(rows->w->window, position);
    float *row = tgi_rows_row(rows, i);
    for (uint32_t j = 0; j < rows->n_keys; j++) {
        const uint32_t key = tgi_rows_key(rows, j);
        if (key > position || key < begin)
            row[j] = -INFINITY;
    }
}

static void score_rows(const rows_block *b)
{
    const tg_rows *rows = &b->rows;
    const tg_scratch *s = rows->s;
    const size_t head_dim = rows->w->head_dim, stride = tgi_padded(s->hparams->n_head * head_dim);
    const float scale = tgi_attention_scale(s->hparams, head_dim);
    const uint32_t n_rows = rows->n * rows->group;
    for (uint32_t first = 0; first < n_rows; first += TG_QUERIES) {
        const uint32_t n = n_rows - first < TG_QUERIES ? n_rows - first : TG_QUERIES;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t t = tgi_rows_position(rows, first + i) - rows->sequence->base;
            const float *q = s->q + (rows->sequence->first + t) * stride +
                             tgi_rows_head(rows, first + i) * head_dim;
            for (size_t d = 0; d < head_dim; d++)
                b->mem->queries[i * head_dim + d] = q[d] * scale;
        }
        tgi_quantize_queries(s, b->mem, n, head_dim);
        for (uint32_t from = 0; from < rows->n_keys; from += TG_PAGE) {
            const uint32_t left = rows->n_keys - from, width = left < TG_PAGE ? left : TG_PAGE;
            tgi_score_block(s, b->mem, head_dim, s->hparams->attention_softcap * TG_LOG2E, 0, n,
                            block_at(b, from));
            for (uint32_t i = 0; i < n; i++)
                memcpy(tgi_rows_row(rows, first + i) + from, b->mem->scores + i * TG_PAGE,
                       width * sizeof(float));
        }
        for (uint32_t i = 0; i < n; i++)
            mask_row(rows, first + i);
    }
}

static void softmax(float *row, uint32_t n)
{
    float max = -INFINITY;
    double sum = 0;
    for (uint32_t j = 0; j < n; j++)
        max = row[j] > max ? row[j] : max;
    for (uint32_t j = 0; j < n; j++) {
        row[j] = row[j] > -INFINITY ? tgi_exp2(row[j] - max) : 0;
        sum += row[j];
    }
    for (uint32_t j = 0; j < n && sum > 0; j++)
        row[j] = (float)(row[j] / sum);
}

/* The outputs of the rows that a rule has changed. */
static void weigh_values(const rows_block *b)
{
    const tg_rows *rows = &b->rows;
    const tg_scratch *s = rows->s;
    const size_t head_dim = rows->w->head_dim;
    for (uint32_t i = 0; i < rows->n * rows->group; i++) {
        if (!rows->changed[i])
            continue;
        const uint32_t position = tgi_rows_position(rows, i);
        uint32_t n = rows->n_keys;
        while (n && tgi_rows_key(rows, n - 1) > position)
            n--;
        memset(b->mem->out, 0, head_dim * sizeof(float));
        for (uint32_t from = 0; from < n; from += TG_PAGE)
            s->add_values(block_at(b, from) + s->kv->layers[rows->w->kv_source].keys_bytes,
                          n - from < TG_PAGE ? n - from : TG_PAGE, tgi_rows_row(rows, i) + from, 1,
                          head_dim, b->mem->out);
        memcpy(tgi_rows_output(rows, i), b->mem->out, head_dim * sizeof(float));
    }
}

static void report_rows(const tg_rows *rows)
{
    const tg_observation *seen = rows->sequence->plan->observation;
    const int64_t layer =
        seen ? tgi_index_of(seen->attention_layers, seen->n_attention_layers, rows->layer) : -1;
    for (uint32_t i = 0; layer >= 0 && i < rows->n * rows->group; i++) {
        const int64_t head = tgi_index_of(seen->attention_heads, seen->n_attention_heads,
                                          tgi_rows_head(rows, i)),
                      query = tgi_index_of(seen->attention_queries, seen->n_attention_queries,
                                           tgi_rows_position(rows, i));
        if (head < 0 || query < 0)
            continue;
        float *out = seen->attention + (((size_t)layer * seen->n_attention_heads + (size_t)head) *
                                            seen->n_attention_queries +
                                        (size_t)query) *
                                           seen->n_keys;
        memset(out, 0, seen->n_keys * sizeof(float));
        for (uint32_t j = 0; j < rows->n_keys; j++)
            if (tgi_rows_key(rows, j) < seen->n_keys)
                out[tgi_rows_key(rows, j)] = tgi_rows_row(rows, i)[j];
    }
}

/* Computes the rows of the queries `first` to first + n - 1. */
static void compute(rows_block *b, uint32_t first, uint32_t n)
{
    tg_rows *rows = &b->rows;
    const tg_plan *plan = rows->sequence->plan;
    const uint32_t n_rows = n * rows->group;
    rows->first = first;
    rows->n = n;
    memset(rows->changed, rows->keys != NULL, n_rows);
    score_rows(b);
    for (uint32_t r = 0; r < plan->n_rules; r++)
        if (plan->rules[r].layers[rows->layer] && plan->rules[r].kind->scores)
            plan->rules[r].kind->scores(&plan->rules[r], rows);
    for (uint32_t i = 0; i < n_rows; i++)
        softmax(tgi_rows_row(rows, i), rows->n_keys);
    for (uint32_t r = 0; r < plan->n_rules; r++)
        if (plan->rules[r].layers[rows->layer] && plan->rules[r].kind->weights)
            plan->rules[r].kind->weights(&plan->rules[r], rows);
    weigh_values(b);
    for (uint32_t r = 0; r < plan->n_rules; r++)
        if (plan->rules[r].layers[rows->layer] && plan->rules[r].kind->outputs)
            plan->rules[r].kind->outputs(&plan->rules[r], rows);
    report_rows(rows);
}

/* ---- a layer ---- */

/* Whether the plan changes rows in the layer. */
static bool changes_rows(const tg_plan *plan, uint32_t layer)
{
    return plan && plan->changes[layer] & TG_PLAN_ROWS;
}

static bool reports_rows(const tg_plan *plan, uint32_t layer)
{
    const tg_observation *seen = plan ? plan->observation : NULL;
    return seen && seen->n_attention_queries &&
           tgi_index_of(seen->attention_layers, seen->n_attention_layers, layer) >= 0;
}

/* The first position whose rows the rules need; UINT32_MAX: none. */
static uint32_t first_wanted(const tg_plan *plan, const tg_sequence *sequence, uint32_t layer,
                             uint32_t head)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t r = 0; r < plan->n_rules; r++) {
        const tg_row_rule *rule = &plan->rules[r];
        if (!rule->layers[layer])
            continue;
        const uint32_t wanted =
            rule->kind->wanted ? rule->kind->wanted(rule, sequence, layer, head) : sequence->base;
        first = wanted < first ? wanted : first;
    }
    return reports_rows(plan, layer) ? sequence->base : first;
}

typedef struct rows_task {
    tg_scratch *s;
    const tg_layer *w;
    uint32_t layer;
} rows_task;

/* Without a rule only the rows that are reported are computed, one query at a time. */
static void compute_reported(rows_block *b)
{
    const tg_rows *rows = &b->rows;
    const tg_observation *seen = rows->sequence->plan->observation;
    bool any = false;
    for (uint32_t i = 0; i < seen->n_attention_heads; i++)
        any |= seen->attention_heads[i] / rows->group == rows->head;
    for (uint32_t i = 0; any && i < seen->n_attention_queries; i++) {
        const uint32_t position = seen->attention_queries[i];
        if (position >= rows->sequence->base && position - rows->sequence->base < rows->sequence->n)
            compute(b, position, 1);
    }
}

/* Items are the key-value heads of all sequences, sequence after sequence. */
static void compute_rows(void *context, size_t first, size_t last, uint32_t thread)
{
    const rows_task *task = context;
    tg_scratch *s = task->s;
    const uint32_t n_head = task->w->n_head_kv;
    for (size_t item = first; item < last; item++) {
        const tg_sequence *sequence = &s->batch->sequences[item / n_head];
        const uint32_t head = (uint32_t)(item % n_head);
        const tg_plan *plan = sequence->plan;
        const bool changes = changes_rows(plan, task->layer);
        if (!changes && !reports_rows(plan, task->layer))
            continue;
        const uint32_t first =
            changes ? first_wanted(plan, sequence, task->layer, head) : sequence->base;
        if (first == UINT32_MAX)
            continue;
        const uint32_t n_chosen = changes && plan->chooses ? plan->n_chosen[head] : 0,
                       group = s->hparams->n_head / n_head;
        const uint32_t n_keys = n_chosen ? n_chosen : sequence->base + sequence->n;
        const uint64_t n_rows = (changes ? sequence->n : 1) * (uint64_t)group;
        uint8_t *memory = s->rows_memory + thread * s->rows_bytes;
        rows_block b = {.mem = &s->attention[thread],
                        .rows = {.s = s,
                                 .w = task->w,
                                 .sequence = sequence,
                                 .layer = task->layer,
                                 .head = head,
                                 .group = group,
                                 .n_keys = n_keys,
                                 .thread = thread}};
        b.rows.values = (float *)(void *)memory;
        memory += aligned(n_rows * n_keys * sizeof(float));
        b.rows.changed = (bool *)memory;
        memory += aligned(n_rows);
        if (n_chosen) {
            b.rows.keys = plan->chosen + (size_t)head * plan->model.n_ctx;
            b.gathered = memory;
            gather_keys(&b);
        }
        if (changes)
            compute(&b, first, sequence->base + sequence->n - first);
        else
            compute_reported(&b);
    }
}

/* Calls a step of the rules that work in the layer, for all sequences. */
#define FOR_RULES(s, layer, step)                                                                  \
    for (uint32_t q_ = 0; q_ < (s)->batch->n_sequences; q_++) {                                    \
        const tg_sequence *sequence = &(s)->batch->sequences[q_];                                  \
        for (uint32_t r_ = 0; sequence->plan && r_ < sequence->plan->n_rules; r_++) {              \
            const tg_row_rule *rule = &sequence->plan->rules[r_];                                  \
            if (rule->layers[layer] && rule->kind->step)                                           \
                rule->kind->step(rule, s, w, sequence, layer);                                     \
        }                                                                                          \
    }

void tgi_rows_queries(tg_scratch *s, const tg_layer *w, uint32_t layer)
{
    FOR_RULES(s, layer, queries)
}

/* The keys that a key-value head reads: those of the first rule that chooses any. */
static uint32_t choose(tg_plan *plan, const tg_layer *w, const tg_sequence *sequence,
                       uint32_t layer, uint32_t head)
{
    uint32_t n = 0;
    for (uint32_t r = 0; r < plan->n_rules && !n; r++)
        if (plan->rules[r].layers[layer] && plan->rules[r].kind->choose)
            n = plan->rules[r].kind->choose(&plan->rules[r], w, sequence, layer, head,
                                            plan->chosen + (size_t)head * plan->model.n_ctx);
    return n;
}

void tgi_rows_choose(tg_scratch *s, const tg_layer *w, uint32_t layer)
{
    for (uint32_t q = 0; q < s->batch->n_sequences; q++) {
        tg_sequence *sequence = &s->batch->sequences[q];
        tg_plan *plan = sequence->plan;
        sequence->n_streamed = sequence->n;
        if (!changes_rows(plan, layer) || !plan->chooses)
            continue;
        bool all = true;
        for (uint32_t head = 0; head < w->n_head_kv; head++) {
            plan->n_chosen[head] = choose(plan, w, sequence, layer, head);
            all &= plan->n_chosen[head] > 0;
        }
        sequence->n_streamed = all ? 0 : sequence->n;
    }
}

void tgi_rows(tg_scratch *s, const tg_layer *w, uint32_t layer)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, (size_t)s->batch->n_sequences * w->n_head_kv, 1, compute_rows,
            &(rows_task){s, w, layer});
    FOR_RULES(s, layer, layer_end)
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_attention, start);
}
