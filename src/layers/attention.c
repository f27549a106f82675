/* Attention over the paged cache. In: q, k and v of a batch. Out: the cache extended by k and v,
 * and heads. Queries that share a key-value head go over its pages together, TG_QUERIES at a time;
 * what each adds, and in which order, depends on the logical positions it sees and on nothing else.
 */
#include "forward.h"
#include "../kernels/exp.h"

#include <math.h>
#include <string.h>

void tgi_attention_layout(tg_scratch *f, tg_arena *arena)
{
    const size_t head_dim = f->hparams->head_dim;
    const uint32_t n_threads = tgi_pool_n_threads(f->pool);
    f->keys = tg_kv_type_table[f->kv->type_k].keys(f->kernels);
    f->values = tg_kv_type_table[f->kv->type_v].values(f->kernels);
    f->attention = tgi_arena_alloc(arena, n_threads, sizeof *f->attention);
    for (uint32_t i = 0; i < n_threads; i++) {
        tg_attention_scratch own = {
            .queries = tgi_arena_alloc(arena, TG_QUERIES * head_dim, sizeof(float)),
            .out = tgi_arena_alloc(arena, TG_QUERIES * head_dim, sizeof(float)),
            .act = tgi_arena_alloc(arena, TG_QUERIES * ((head_dim + 31) / 32), sizeof(tg_act_q8)),
            .scores = tgi_arena_alloc(arena, TG_QUERIES * TG_PAGE, sizeof(float)),
            .gathered = tgi_arena_alloc(arena, 1, f->kv->head_bytes),
        };
        if (f->attention)
            f->attention[i] = own;
    }
}

/* The queries that one thread works on: `n` of one key-value head, from number `first` of the
 * batch's on. A token has `group` of them. */
typedef struct queries {
    tg_scratch *f;
    tg_attention_scratch *own;
    uint32_t layer, head, group, first, n;
    size_t head_dim;
    bool windows;                            /* they see only their last positions, */
    uint32_t begin[TG_QUERIES];              /* each from this one on; else from 0 */
    float cap;                               /* of scores, in powers of 2; 0: none */
    float most[TG_QUERIES], sum[TG_QUERIES]; /* of each one's streamed softmax */
} queries;

/* Adds a page's keys, given as one head's block, for queries i to end - 1: the first n of them. */
static void add_page(queries *s, uint32_t i, uint32_t end, const uint8_t *block, uint32_t n)
{
    const tg_scratch *f = s->f;
    const size_t head_dim = s->head_dim;
    const float *scores = s->own->scores + i * TG_PAGE;
    float before[TG_QUERIES], sum[TG_QUERIES];
    memcpy(before, s->most + i, (end - i) * sizeof *before);
    f->kernels->softmax_f32(s->own->scores + i * TG_PAGE, n, end - i, s->most + i, sum);
    for (uint32_t k = i; k < end; k++) {
        if (s->most[k] >
            before[k - i]) { /* what was added so far was relative to a smaller maximum */
            const float shrink = s->sum[k] > 0 ? tgi_exp2(before[k - i] - s->most[k]) : 0;
            float *out = s->own->out + k * head_dim;
            s->sum[k] *= shrink;
            for (size_t d = 0; d < head_dim; d++)
                out[d] *= shrink;
        }
        s->sum[k] += sum[k - i];
    }
    f->values(block + f->kv->layers[s->layer].keys_bytes, n, scores, end - i, head_dim,
              s->own->out + i * head_dim);
}

/* Query i belongs to this token of the batch. */
static uint32_t token_of(const queries *s, uint32_t i)
{
    return (s->first + i) / s->group;
}

/* Scores of queries i to end - 1 with all keys of a page, whose first stands at position `from`:
 * capped, and -infinity for keys that lie before a query's window. */
static void score_page(queries *s, uint32_t i, uint32_t end, const uint8_t *block, uint32_t from)
{
    const tg_scratch *f = s->f;
    const size_t head_dim = s->head_dim;
    const tg_quant_row *quant = &tg_quants[tg_kv_type_table[f->kv->type_k].quant];
    const bool coded = quant->activation == TG_ACT_Q8;
    const size_t stride = coded ? head_dim / 32 * sizeof(tg_act_q8) : head_dim * sizeof(float);
    const uint8_t *x = coded ? (const uint8_t *)s->own->act : (const uint8_t *)s->own->queries;
    f->keys(block, head_dim / quant->block, 0, TG_PAGE / TG_TILE_ROWS, x + i * stride, stride,
            end - i, s->own->scores + i * TG_PAGE, TG_PAGE);
    if (s->cap > 0)
        for (uint32_t k = i * TG_PAGE; k < end * TG_PAGE; k++)
            s->own->scores[k] = s->cap * tgi_tanh(s->own->scores[k] / s->cap);
    for (uint32_t k = i; k < end && s->windows; k++)
        for (uint32_t j = from; j < s->begin[k]; j++)
            s->own->scores[k * TG_PAGE + j - from] = -INFINITY;
}

/* Queries i to end - 1, of one token that sees only part of the batch: the seen keys past the last
 * whole page of the prefix are gathered into pages in order, so that they are added in the same
 * groups as if the others were not there. */
static void add_gathered(queries *s, uint32_t i, uint32_t end)
{
    const tg_scratch *f = s->f;
    const tg_batch *batch = f->batch;
    const uint32_t *visible = batch->visible + (size_t)token_of(s, i) * ((batch->n + 31) / 32);
    uint32_t filled = 0, from = batch->base / TG_PAGE * TG_PAGE;
    for (uint32_t slot = batch->base / TG_PAGE * TG_PAGE; slot < batch->base + batch->n; slot++) {
        if (slot >= batch->base &&
            !(visible[(slot - batch->base) / 32] >> (slot - batch->base) % 32 & 1))
            continue;
        const uint8_t *block =
            tgi_kv_block(f->kv, batch->table->pages[slot / TG_PAGE], s->layer, s->head);
        tgi_kv_copy_slot(f->kv, s->layer, s->own->gathered, filled++, block, slot % TG_PAGE);
        if (filled == TG_PAGE) {
            if (s->begin[i] < from + TG_PAGE) {
                score_page(s, i, end, s->own->gathered, from);
                add_page(s, i, end, s->own->gathered, filled);
            }
            filled = 0;
            from += TG_PAGE;
        }
    }
    if (filled) { /* the token itself is among them */
        score_page(s, i, end, s->own->gathered, from);
        add_page(s, i, end, s->own->gathered, filled);
    }
}

/* The last query that belongs to the token of query i, plus one. */
static uint32_t token_end(const queries *s, uint32_t i)
{
    const uint32_t end = (token_of(s, i) + 1) * s->group - s->first;
    return end < s->n ? end : s->n;
}

/* The first query of ours that belongs to the token of query i. */
static uint32_t token_begin(const queries *s, uint32_t i)
{
    const uint32_t begin = token_of(s, i) * s->group;
    return begin > s->first ? begin - s->first : 0;
}

static void attend(queries *s)
{
    const tg_scratch *f = s->f;
    const tg_batch *batch = f->batch;
    /* positions that every token of the batch sees, and those that the last of ours sees */
    const uint32_t shared = batch->visible ? batch->base / TG_PAGE * TG_PAGE : batch->base;
    const uint32_t all = batch->visible ? shared : batch->base + token_of(s, s->n - 1) + 1;
    uint32_t earliest = s->begin[0];
    for (uint32_t i = 1; i < s->n; i++) /* in a tree a later token can have an earlier place */
        earliest = s->begin[i] < earliest ? s->begin[i] : earliest;
    for (uint32_t from = earliest / TG_PAGE * TG_PAGE; from < all; from += TG_PAGE) {
        const uint8_t *block =
            tgi_kv_block(f->kv, batch->table->pages[from / TG_PAGE], s->layer, s->head);
        uint32_t i = 0, n = s->n;
        while (from >= shared && batch->base + token_of(s, i) + 1 <= from)
            i = token_end(s, i); /* tokens that end before this page */
        for (uint32_t k = 0; s->windows && batch->visible && k < s->n; k = token_end(s, k))
            if (s->begin[k] < from + TG_PAGE) {
                score_page(s, k, token_end(s, k), block, from);
                add_page(s, k, token_end(s, k), block, TG_PAGE);
            }
        if (s->windows && batch->visible)
            continue;
        while (n > i && s->begin[n - 1] >= from + TG_PAGE)
            n = token_begin(s, n - 1); /* tokens whose windows begin after this page */
        if (n == i)
            continue;
        if (s->n == s->group && from + TG_PAGE < all) /* few queries, whose keys come from memory */
            tgi_prefetch(
                tgi_kv_block(f->kv, batch->table->pages[from / TG_PAGE + 1], s->layer, s->head),
                f->kv->layers[s->layer].head_bytes);
        score_page(s, i, n, block, from);
        if (from + TG_PAGE <= shared + (batch->visible ? 0 : token_of(s, i) + 1)) {
            add_page(s, i, n, block, TG_PAGE);
            continue;
        }
        for (uint32_t end; i < n; i = end) { /* tokens that end in this page, or after it */
            const uint32_t seen = batch->base + token_of(s, i) + 1 - from;
            end = seen < TG_PAGE ? token_end(s, i) : n;
            add_page(s, i, end, block, seen < TG_PAGE ? seen : TG_PAGE);
        }
    }
    for (uint32_t i = 0; batch->visible && i < s->n; i = token_end(s, i))
        add_gathered(s, i, token_end(s, i));
}

typedef struct step {
    tg_scratch *f;
    const tg_layer *w;
    uint32_t group;
    uint32_t parts; /* of a head's queries, TG_QUERIES each */
} step;

static void attend_parts(void *context, size_t first, size_t last, uint32_t thread)
{
    const step *own = context;
    tg_scratch *f = own->f;
    const tg_hparams *hp = f->hparams;
    const uint32_t group = own->group, window = own->w->window;
    const size_t head_dim = own->w->head_dim, q_stride = tgi_padded((size_t)hp->n_head * head_dim);
    const uint32_t n_queries = f->batch->n * group;
    /* the softmax takes powers of 2 */
    const float scale = hp->attention_scale > 0 ? TG_LOG2E * hp->attention_scale
                                                : TG_LOG2E / sqrtf((float)head_dim);
    for (size_t item = first; item < last; item++) {
        queries s = {.f = f,
                     .own = &f->attention[thread],
                     .layer = own->w->kv_source,
                     .group = group,
                     .head_dim = head_dim};
        s.windows = window > 0;
        s.cap = hp->attention_cap * TG_LOG2E;
        s.head = (uint32_t)item / own->parts;
        s.first = (uint32_t)item % own->parts * TG_QUERIES;
        s.n = n_queries - s.first < TG_QUERIES ? n_queries - s.first : TG_QUERIES;
        for (uint32_t i = 0; i < s.n; i++) {
            const float *q = f->q + token_of(&s, i) * q_stride +
                             (s.head * group + (s.first + i) % group) * head_dim;
            for (size_t d = 0; d < head_dim; d++)
                s.own->queries[i * head_dim + d] = q[d] * scale;
            const uint32_t place = window ? tgi_batch_n_visible(f->batch, token_of(&s, i)) + 1 : 0;
            s.begin[i] = place > window ? place - window : 0;
            s.most[i] = -INFINITY;
            s.sum[i] = 0;
        }
        if (tg_quants[tg_kv_type_table[f->kv->type_k].quant].activation == TG_ACT_Q8)
            f->kernels->quantize_q8(s.own->queries, s.n * head_dim, s.own->act);
        memset(s.own->out, 0, s.n * head_dim * sizeof(float));
        attend(&s);
        for (uint32_t i = 0; i < s.n; i++) {
            float *to = f->heads + token_of(&s, i) * q_stride +
                        (s.head * group + (s.first + i) % group) * head_dim;
            for (size_t d = 0; d < head_dim; d++)
                to[d] = s.own->out[i * head_dim + d] / s.sum[i];
        }
    }
}

/* Items are tokens: their keys and values go into the cache. */
static void write_cache(void *context, size_t first, size_t last, uint32_t thread)
{
    const step *own = context;
    const tg_scratch *f = own->f;
    const uint32_t n_head = own->w->n_head_kv, head_dim = own->w->head_dim;
    const size_t stride = tgi_padded((size_t)n_head * head_dim);
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (uint32_t h = 0; h < n_head; h++) {
            const uint32_t slot = f->batch->base + (uint32_t)t;
            uint8_t *block =
                tgi_kv_block(f->kv, f->batch->table->pages[slot / TG_PAGE], own->w->kv_source, h);
            tgi_kv_write(f->kv, f->kernels, own->w->kv_source, block, slot % TG_PAGE,
                         f->k + t * stride + h * head_dim, f->v + t * stride + h * head_dim);
        }
}

void tgi_attention(tg_scratch *f, const tg_layer *w)
{
    const double begun = tgi_profile_begin(f);
    const uint32_t group = f->hparams->n_head / w->n_head_kv;
    step own = {f, w, group, (f->batch->n * group + TG_QUERIES - 1) / TG_QUERIES};
    if (!w->kv_shared)
        tgi_run(f, f->batch->n, 8, write_cache, &own);
    tgi_run(f, (size_t)own.parts * w->n_head_kv, 1, attend_parts, &own);
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_attention, begun);
}
