/* Attention over the paged cache, with a streamed softmax (Milakov and Gimelshein 2018).
 *
 * The queries of the tokens that share a key-value head go over its pages together, TG_QUERIES at a
 * time. The keys are added in groups of TG_PAGE by logical position. The groups, and the order in
 * which they are added, depend only on the positions that a query sees: not on the batch, on the
 * other queries or on the pages in which the keys lie. */
#include "attention.h"

#include <string.h>

void tgi_attention_layout(tg_scratch *s, tg_arena *arena)
{
    const size_t head_dim = s->hparams->head_dim;
    const uint32_t n_threads = tgi_pool_n_threads(s->pool);
    s->matmul_keys = tgi_kernels_matmul(s->kernels, tg_kv_type_table[s->kv->type_k].quant);
    s->add_values = tg_kv_type_table[s->kv->type_v].values(s->kernels);
    s->attention = tgi_arena_alloc(arena, n_threads, sizeof *s->attention);
    for (uint32_t i = 0; i < n_threads; i++) {
        tg_attention_scratch thread = {
            .queries = tgi_arena_alloc(arena, TG_QUERIES * head_dim, sizeof(float)),
            .out = tgi_arena_alloc(arena, TG_QUERIES * head_dim, sizeof(float)),
            .act = tgi_arena_alloc(arena, TG_QUERIES * ((head_dim + 31) / 32), sizeof(tg_act_q8)),
            .scores = tgi_arena_alloc(arena, TG_QUERIES * TG_PAGE, sizeof(float)),
            .gathered = tgi_arena_alloc(arena, 1, s->kv->head_bytes),
        };
        if (s->attention)
            s->attention[i] = thread;
    }
}

/* The queries that one thread works on: n of them, from number `first` of the queries that one
 * sequence has for a key-value head. The queries of a token follow each other: `group` of them, one
 * for each of the query heads that share the key-value head. */
typedef struct query_block {
    tg_scratch *s;
    tg_attention_scratch *mem;
    const tg_sequence *sequence;
    uint32_t layer, head; /* whose keys and values in the cache */
    uint32_t group, first, n;
    size_t head_dim;
    bool has_window;
    uint32_t begin[TG_QUERIES];             /* the first position that each query sees */
    float softcap;                          /* of scores, in powers of 2; 0: none */
    float max[TG_QUERIES], sum[TG_QUERIES]; /* of each query's streamed softmax so far */
} query_block;

/* The token of the sequence that query i belongs to. */
static uint32_t token_of(const query_block *b, uint32_t i)
{
    return (b->first + i) / b->group;
}

/* The first query of the block that belongs to the token of query i, and the one after the last. */
static uint32_t token_begin(const query_block *b, uint32_t i)
{
    const uint32_t begin = token_of(b, i) * b->group;
    return begin > b->first ? begin - b->first : 0;
}

static uint32_t token_end(const query_block *b, uint32_t i)
{
    const uint32_t end = (token_of(b, i) + 1) * b->group - b->first;
    return end < b->n ? end : b->n;
}

/* The keys and values of the page that position `from` is in. */
static const uint8_t *block_at(const query_block *b, uint32_t from)
{
    return tgi_kv_block(b->s->kv, b->sequence->table->pages[from / TG_PAGE], b->layer, b->head);
}

/* Computes the scores of queries i to end - 1 with all keys of a block, whose first key has
 * position `from`: capped, and -infinity for keys before a query's window. */
static void score_page(query_block *b, uint32_t i, uint32_t end, const uint8_t *block,
                       uint32_t from)
{
    float *scores = b->mem->scores;
    tgi_score_block(b->s, b->mem, b->head_dim, b->softcap, i, end, block);
    for (uint32_t k = i; k < end && b->has_window; k++)
        for (uint32_t j = from; j < b->begin[k]; j++)
            scores[k * TG_PAGE + j - from] = -INFINITY;
}

/* Adds the first n keys of a block to the softmax of queries i to end - 1, by their scores. */
static void add_page(query_block *b, uint32_t i, uint32_t end, const uint8_t *block, uint32_t n)
{
    const tg_scratch *s = b->s;
    const size_t head_dim = b->head_dim;
    float *scores = b->mem->scores + i * TG_PAGE;
    float old_max[TG_QUERIES], sum[TG_QUERIES];
    memcpy(old_max, b->max + i, (end - i) * sizeof *old_max);
    s->kernels->softmax_f32(scores, n, end - i, b->max + i, sum);
    for (uint32_t k = i; k < end; k++) {
        /* the sums so far are relative to the old maximum */
        if (b->max[k] > old_max[k - i]) {
            const float shrink = b->sum[k] > 0 ? tgi_exp2(old_max[k - i] - b->max[k]) : 0;
            float *out = b->mem->out + k * head_dim;
            b->sum[k] *= shrink;
            for (size_t d = 0; d < head_dim; d++)
                out[d] *= shrink;
        }
        b->sum[k] += sum[k - i];
    }
    s->add_values(block + s->kv->layers[b->layer].keys_bytes, n, scores, end - i, head_dim,
                  b->mem->out + i * head_dim);
}

/* Queries i to end - 1 belong to one token of a tree, which sees only part of the tree. The keys
 * that it sees after the last whole page of the prefix are gathered into pages, so that they form
 * the same groups as if the other tokens were not there. */
static void add_gathered(query_block *b, uint32_t i, uint32_t end)
{
    const tg_scratch *s = b->s;
    const tg_sequence *sequence = b->sequence;
    const uint32_t t = token_of(b, i);
    uint8_t *gathered = b->mem->gathered;
    uint32_t n = 0,
             from = sequence->base / TG_PAGE * TG_PAGE; /* keys gathered; the first's position */
    for (uint32_t slot = from; slot < sequence->base + sequence->n; slot++) {
        if (slot >= sequence->base && !tgi_sequence_sees(sequence, t, slot - sequence->base))
            continue;
        tgi_kv_copy_slot(s->kv, b->layer, gathered, n++, block_at(b, slot), slot % TG_PAGE);
        if (n == TG_PAGE) {
            if (b->begin[i] < from + TG_PAGE) {
                score_page(b, i, end, gathered, from);
                add_page(b, i, end, gathered, n);
            }
            n = 0;
            from += TG_PAGE;
        }
    }
    if (n) { /* the token itself is among them */
        score_page(b, i, end, gathered, from);
        add_page(b, i, end, gathered, n);
    }
}

/* A tree in a layer with windows: every token has its own window, and goes over the prefix by
 * itself. */
static void add_page_by_token(query_block *b, const uint8_t *block, uint32_t from)
{
    for (uint32_t i = 0, end; i < b->n; i = end) {
        end = token_end(b, i);
        if (b->begin[i] < from + TG_PAGE) {
            score_page(b, i, end, block, from);
            add_page(b, i, end, block, TG_PAGE);
        }
    }
}

/* One page of positions from `from` on. `shared`: positions that every token sees whole; `all`:
 * positions that the last token of the block sees in pages. */
static void attend_page(query_block *b, uint32_t from, uint32_t shared, uint32_t all)
{
    const tg_scratch *s = b->s;
    const tg_sequence *sequence = b->sequence;
    const uint8_t *block = block_at(b, from);
    if (b->has_window && sequence->visible) {
        add_page_by_token(b, block, from);
        return;
    }
    uint32_t i = 0, n = b->n;
    while (from >= shared && sequence->base + token_of(b, i) + 1 <= from)
        i = token_end(b, i); /* skips tokens that end before this page */
    while (n > i && b->begin[n - 1] >= from + TG_PAGE)
        n = token_begin(b, n - 1); /* skips tokens whose window begins after this page */
    if (n == i)
        return;
    /* the queries of one token: reading the keys from memory takes longest, so read ahead */
    if (b->n == b->group && from + TG_PAGE < all)
        tgi_prefetch(block_at(b, from + TG_PAGE), s->kv->layers[b->layer].head_bytes);
    score_page(b, i, n, block, from);
    if (from + TG_PAGE <= shared + (sequence->visible ? 0 : token_of(b, i) + 1)) {
        add_page(b, i, n, block, TG_PAGE);
        return;
    }
    for (uint32_t end; i < n; i = end) { /* tokens that end in this page, or after it */
        const uint32_t seen = sequence->base + token_of(b, i) + 1 - from;
        end = seen < TG_PAGE ? token_end(b, i) : n;
        add_page(b, i, end, block, seen < TG_PAGE ? seen : TG_PAGE);
    }
}

static void attend(query_block *b)
{
    const tg_sequence *sequence = b->sequence;
    const uint32_t shared = sequence->visible ? sequence->base / TG_PAGE * TG_PAGE : sequence->base;
    const uint32_t all = sequence->visible ? shared : sequence->base + token_of(b, b->n - 1) + 1;
    uint32_t first = b->begin[0]; /* in a tree a later token can have an earlier position */
    for (uint32_t i = 1; i < b->n; i++)
        first = b->begin[i] < first ? b->begin[i] : first;
    for (uint32_t from = first / TG_PAGE * TG_PAGE; from < all; from += TG_PAGE)
        attend_page(b, from, shared, all);
    for (uint32_t i = 0; sequence->visible && i < b->n; i = token_end(b, i))
        add_gathered(b, i, token_end(b, i));
}

typedef struct attention_task {
    tg_scratch *s;
    const tg_layer *w;
    uint32_t group; /* query heads for each key-value head */
} attention_task;

/* Blocks of TG_QUERIES queries that a sequence has for each key-value head. */
static uint32_t n_blocks(const tg_sequence *sequence, uint32_t group)
{
    return (sequence->n_streamed * group + TG_QUERIES - 1) / TG_QUERIES;
}

/* Finds the sequence, the key-value head and the first query of block `item`. */
static void find_block(query_block *b, const attention_task *task, size_t item)
{
    const tg_sequence *sequence = task->s->batch->sequences;
    const uint32_t n_head = task->w->n_head_kv;
    uint32_t n;
    for (; item >= (size_t)(n = n_blocks(sequence, task->group)) * n_head; sequence++)
        item -= (size_t)n * n_head;
    b->sequence = sequence;
    b->head = (uint32_t)item / n;
    b->first = (uint32_t)item % n * TG_QUERIES;
}

/* Sets up query block `item` and copies its queries, scaled. */
static void load_queries(query_block *b, const attention_task *task, size_t item)
{
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const uint32_t group = task->group, window = task->w->window;
    const size_t head_dim = task->w->head_dim, stride = tgi_padded((size_t)hp->n_head * head_dim);
    const float scale = tgi_attention_scale(hp, head_dim);
    b->layer = task->w->kv_source;
    b->group = group;
    b->head_dim = head_dim;
    b->has_window = window > 0;
    b->softcap = hp->attention_softcap * TG_LOG2E;
    find_block(b, task, item);
    const uint32_t n_left = b->sequence->n * group - b->first;
    b->n = n_left < TG_QUERIES ? n_left : TG_QUERIES;
    for (uint32_t i = 0; i < b->n; i++) {
        const float *q = s->q + (b->sequence->first + token_of(b, i)) * stride +
                         (b->head * group + (b->first + i) % group) * head_dim;
        for (size_t d = 0; d < head_dim; d++)
            b->mem->queries[i * head_dim + d] = q[d] * scale;
        b->begin[i] =
            window ? tgi_first_key(window, tgi_sequence_n_visible(b->sequence, token_of(b, i))) : 0;
        b->max[i] = -INFINITY;
        b->sum[i] = 0;
    }
    tgi_quantize_queries(s, b->mem, b->n, head_dim);
    memset(b->mem->out, 0, b->n * head_dim * sizeof(float));
}

/* attn_out = the weighted values / the sum of the weights */
static void store_outputs(const query_block *b)
{
    const tg_scratch *s = b->s;
    const size_t head_dim = b->head_dim, stride = tgi_padded(s->hparams->n_head * head_dim);
    for (uint32_t i = 0; i < b->n; i++) {
        float *out = s->attn_out + (b->sequence->first + token_of(b, i)) * stride +
                     (b->head * b->group + (b->first + i) % b->group) * head_dim;
        for (size_t d = 0; d < head_dim; d++)
            out[d] = b->mem->out[i * head_dim + d] / b->sum[i];
    }
}

/* Items are query blocks: n_blocks for each key-value head of each sequence. */
static void attend_blocks(void *context, size_t first, size_t last, uint32_t thread)
{
    const attention_task *task = context;
    for (size_t item = first; item < last; item++) {
        query_block b = {.s = task->s, .mem = &task->s->attention[thread]};
        load_queries(&b, task, item);
        attend(&b);
        store_outputs(&b);
    }
}

/* Items are tokens: their keys and values go into the cache. */
static void write_cache(void *context, size_t first, size_t last, uint32_t thread)
{
    const attention_task *task = context;
    const tg_scratch *s = task->s;
    const uint32_t n_head = task->w->n_head_kv, head_dim = task->w->head_dim,
                   layer = task->w->kv_source;
    const size_t stride = tgi_padded((size_t)n_head * head_dim);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const tg_sequence *sequence = tgi_batch_sequence(s->batch, t);
        const uint32_t slot = sequence->base + (uint32_t)t - sequence->first;
        for (uint32_t h = 0; h < n_head; h++) {
            uint8_t *block = tgi_kv_block(s->kv, sequence->table->pages[slot / TG_PAGE], layer, h);
            tgi_kv_write(s->kv, s->kernels, layer, block, slot % TG_PAGE,
                         s->k + t * stride + h * head_dim, s->v + t * stride + h * head_dim);
        }
    }
}

void tgi_attention(tg_scratch *s, const tg_layer *w)
{
    const double start = tgi_profile_begin(&s->profile);
    const uint32_t group = s->hparams->n_head / w->n_head_kv;
    attention_task task = {s, w, group};
    size_t n_items = 0;
    for (uint32_t i = 0; i < s->batch->n_sequences; i++)
        n_items += (size_t)n_blocks(&s->batch->sequences[i], group) * w->n_head_kv;
    if (!w->kv_shared)
        tgi_run(s, s->batch->n, 8, write_cache, &task);
    tgi_run(s, n_items, 1, attend_blocks, &task);
    tgi_activations_changed(s);
    tgi_profile_end(&s->profile, TG_STEP_attention, start);
}
