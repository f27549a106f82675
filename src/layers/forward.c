/* In: a batch, weights and the cache. Out: activations in scratch memory that the model's arena owns. */
#include "forward.h"
#include "../kernels/exp.h"

#include <math.h>

#define TG_STRIP_RUN 8 /* strips that a thread takes at the least: an atomic operation for each is cheap beside them */

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void tg_forward_place(tg_forward *f, tg_arena *arena)
{
    const tg_hparams *hp = f->hparams;
    const size_t embd = tg_padded(hp->n_embd), q = tg_padded((size_t)hp->n_head * hp->head_dim);
    const size_t kv = tg_padded((size_t)hp->n_head_kv * hp->head_dim);
    const uint32_t widest = max(max(max(hp->n_ff, hp->n_embd), hp->n_per_layer), max(hp->n_ff_expert, hp->n_ff_shared));
    const size_t ff = tg_padded(widest);
    f->x = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    f->norm = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    f->q = tg_arena_take(arena, TG_BATCH * q, sizeof(float));
    f->k = tg_arena_take(arena, TG_BATCH * kv, sizeof(float));
    f->v = tg_arena_take(arena, TG_BATCH * kv, sizeof(float));
    f->heads = tg_arena_take(arena, TG_BATCH * q, sizeof(float));
    f->gate = tg_arena_take(arena, TG_BATCH * ff, sizeof(float));
    f->up = tg_arena_take(arena, TG_BATCH * ff, sizeof(float));
    f->out = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    f->act_blocks = (max(widest, max(hp->n_head * hp->head_dim, hp->delta_heads * hp->delta_dim)) + 31) / 32;
    f->act = tg_arena_take(arena, TG_BATCH * f->act_blocks, sizeof *f->act);
    if (hp->n_expert) {
        f->router = tg_arena_take(arena, TG_BATCH * tg_padded(hp->n_expert), sizeof(float));
        f->chosen = tg_arena_take(arena, TG_BATCH * (uint64_t)hp->n_expert, sizeof(float));
        f->mixed = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
        f->gathered = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    }
    if (hp->n_per_layer) {
        const uint64_t all = (uint64_t)hp->n_layer * tg_padded(hp->n_per_layer);
        f->per_layer = tg_arena_take(arena, all * TG_BATCH, sizeof(float));
        f->per_layer_rows = tg_arena_take(arena, all * tg_pool_n_threads(f->pool), sizeof(float));
    }
    if (hp->gated_heads)
        f->paired = tg_arena_take(arena, TG_BATCH * tg_padded(2 * (size_t)hp->n_head * hp->head_dim), sizeof(float));
    if (hp->delta_heads)
        tg_delta_place(f, arena);
    tg_rope_place(f, arena);
    tg_attention_place(f, arena);
}

/* ---- a batch ---- */

typedef struct embedding {
    tg_forward *f;
    const tg_matrix *matrix, *positions;
} embedding;

static void embed(void *context, size_t first, size_t last, uint32_t thread)
{
    const embedding *e = context;
    const tg_forward *f = e->f;
    const tg_hparams *hp = f->hparams;
    const size_t embd = tg_padded(hp->n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *x = f->x + t * embd;
        tg_matrix_row(e->matrix, (uint32_t)f->batch->tokens[t], x);
        if (hp->embedding_scale != 1)
            for (uint32_t i = 0; i < hp->n_embd; i++)
                x[i] *= hp->embedding_scale;
        if (hp->positions) {
            float *own = f->norm + t * embd; /* free until the first layer */
            tg_matrix_row(e->positions, (uint32_t)f->batch->positions[t], own);
            for (uint32_t i = 0; i < hp->n_embd; i++)
                x[i] += own[i];
        }
        tg_rope_turn(f, t);
    }
}

void tg_forward_begin(tg_forward *f, const tg_batch *batch, const tg_matrix *matrix, const tg_matrix *positions)
{
    const double begun = tg_step_begin(f);
    f->batch = batch;
    f->quantized = NULL;
    tg_forward_run(f, batch->n, 4, embed, &(embedding){f, matrix, positions});
    tg_step_end(f, TG_STEP_embed, begun);
}

uint32_t tg_batch_place(const tg_batch *batch, uint32_t t)
{
    if (!batch->visible)
        return batch->base + t;
    const uint32_t words = (batch->n + 31) / 32, *visible = batch->visible + (size_t)t * words;
    uint32_t before = batch->base;
    for (uint32_t i = 0; i < t; i++)
        before += visible[i / 32] >> i % 32 & 1;
    return before;
}

void tg_forward_changed(tg_forward *f)
{
    f->quantized = NULL;
}

/* ---- products ---- */

typedef struct rows { /* the input of products */
    tg_forward *f;
    const float *x;
    size_t x_stride; /* floats */
    uint32_t n;
    const tg_product *products;
    size_t n_products;
} rows;

static void quantize(void *context, size_t first, size_t last, uint32_t thread)
{
    const rows *r = context;
    (void)thread;
    for (size_t t = first; t < last; t++)
        r->f->kernels->quantize_q8(r->x + t * r->x_stride, r->products->matrix->cols, r->f->act + t * r->f->act_blocks);
}

/* Strips first to last - 1 of all matrices, counted through. */
static void multiply(void *context, size_t first, size_t last, uint32_t thread)
{
    const rows *r = context;
    const tg_forward *f = r->f;
    (void)thread;
    for (const tg_product *p = r->products;; p++) {
        const size_t strips = tg_matrix_strips(p->matrix);
        if (first < strips) {
            const bool coded = tg_quants[p->matrix->quant].activation == TG_ACT_Q8;
            const void *x = coded ? (const void *)f->act : r->x;
            const size_t stride = coded ? f->act_blocks * sizeof *f->act : r->x_stride * sizeof *r->x;
            const size_t end = last < strips ? last : strips;
            tg_kernels_matmul(f->kernels, p->matrix->quant)(p->matrix->tiles, p->matrix->n_blocks, first, end, x, stride, r->n,
                                                            p->y, p->y_stride);
            const size_t bias_end = end * TG_TILE_ROWS < p->bias.length ? end * TG_TILE_ROWS : p->bias.length;
            for (size_t t = 0; t < r->n && p->bias.length; t++)
                for (size_t i = first * TG_TILE_ROWS; i < bias_end; i++)
                    p->y[t * p->y_stride + i] += p->bias.values[i];
            if (last <= strips)
                return;
            first = strips;
        }
        first -= strips;
        last -= strips;
    }
}

void tg_forward_products(tg_forward *f, const float *x, size_t x_stride, uint32_t n, const tg_product *products,
                         size_t n_products)
{
    rows r = {f, x, x_stride, n, products, n_products};
    double begun = tg_step_begin(f);
    size_t strips = 0;
    bool coded = false;
    for (size_t i = 0; i < n_products; i++) {
        strips += tg_matrix_strips(products[i].matrix);
        coded |= tg_quants[products[i].matrix->quant].activation == TG_ACT_Q8;
    }
    if (coded && f->quantized != x) {
        tg_forward_run(f, n, 4, quantize, &r);
        f->quantized = x;
        tg_step_end(f, TG_STEP_quantize, begun);
        begun = tg_step_begin(f);
    }
    tg_forward_run(f, strips, TG_STRIP_RUN, multiply, &r);
    tg_step_end(f, TG_STEP_product, begun);
}

/* ---- token by token ---- */

static void norm_row(const tg_forward *f, const float *from, const tg_vector *weight, const tg_vector *bias, size_t n, float *to)
{
    if (f->hparams->norm == TG_NORM_RMS)
        f->kernels->rmsnorm_f32(from, weight->length ? weight->values : NULL, f->hparams->norm_eps, n, to);
    else
        f->kernels->layernorm_f32(from, weight->length ? weight->values : NULL, bias && bias->length ? bias->values : NULL,
                                  f->hparams->norm_eps, n, to);
}

typedef struct normed {
    tg_forward *f;
    const float *from;
    const tg_vector *weight, *bias;
    float *to;
} normed;

static void norm(void *context, size_t first, size_t last, uint32_t thread)
{
    const normed *n = context;
    const size_t stride = tg_padded(n->f->hparams->n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++)
        norm_row(n->f, n->from + t * stride, n->weight, n->bias, n->f->hparams->n_embd, n->to + t * stride);
}

void tg_forward_norm(tg_forward *f, const float *from, const tg_vector *weight, const tg_vector *bias, float *to)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 8, norm, &(normed){f, from, weight, bias, to});
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_norm, begun);
}

/* ---- heads ---- */

typedef struct heads {
    tg_forward *f;
    const tg_layer *w;
} heads;

static void unpair(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const size_t dim = h->w->head_dim, q = h->f->hparams->n_head * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < q; i++)
            h->f->q[t * tg_padded(q) + i] = h->f->paired[t * tg_padded(2 * q) + i / dim * 2 * dim + i % dim];
}

void tg_forward_unpair(tg_forward *f, const tg_layer *w)
{
    tg_forward_run(f, f->batch->n, 8, unpair, &(heads){f, w});
}

static void gate_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const size_t dim = h->w->head_dim, q = h->f->hparams->n_head * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < q; i++)
            h->f->heads[t * tg_padded(q) + i] *=
                tg_sigmoid(h->f->paired[t * tg_padded(2 * q) + i / dim * 2 * dim + dim + i % dim]);
}

void tg_forward_gate_heads(tg_forward *f, const tg_layer *w)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 8, gate_heads, &(heads){f, w});
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_unit, begun);
}

static void norm_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const tg_vector *q_norm = &h->w->attn_q_norm, *k_norm = &h->w->attn_k_norm;
    const size_t q = (size_t)h->f->hparams->n_head * h->w->head_dim, kv = (size_t)h->w->n_head_kv * h->w->head_dim;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *row = h->f->q + t * tg_padded(q);
        for (size_t i = 0; i < q; i += q_norm->length)
            norm_row(h->f, row + i, q_norm, NULL, q_norm->length, row + i);
        row = h->f->k + t * tg_padded(kv);
        for (size_t i = 0; i < kv && !h->w->borrows; i += k_norm->length)
            norm_row(h->f, row + i, k_norm, NULL, k_norm->length, row + i);
    }
}

void tg_forward_norm_heads(tg_forward *f, const tg_layer *w)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 8, norm_heads, &(heads){f, w});
    tg_step_end(f, TG_STEP_norm, begun);
}

static void norm_values(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const size_t dim = h->w->head_dim, kv = h->w->n_head_kv * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < kv; i += dim) {
            float *value = h->f->v + t * tg_padded(kv) + i;
            h->f->kernels->rmsnorm_f32(value, NULL, h->f->hparams->norm_eps, dim, value);
        }
}

void tg_forward_norm_values(tg_forward *f, const tg_layer *w)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 8, norm_values, &(heads){f, w});
    tg_step_end(f, TG_STEP_norm, begun);
}

static void clamp_row(float *row, size_t n, float most)
{
    for (size_t i = 0; i < n; i++) /* written so that NaN stays */
        row[i] = row[i] > most ? most : row[i] < -most ? -most : row[i];
}

static void clamp(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const tg_forward *f = h->f;
    const float most = f->hparams->clamp;
    const size_t q = tg_padded((size_t)f->hparams->n_head * h->w->head_dim),
                 kv = tg_padded((size_t)h->w->n_head_kv * h->w->head_dim);
    (void)thread;
    clamp_row(f->q + first * q, (last - first) * q, most);
    clamp_row(f->k + first * kv, (last - first) * kv, most);
    clamp_row(f->v + first * kv, (last - first) * kv, most);
}

void tg_forward_clamp(tg_forward *f, const tg_layer *w)
{
    tg_forward_run(f, f->batch->n, 8, clamp, &(heads){f, w});
}

typedef struct unit {
    tg_forward *f;
    size_t width;
    float *gate;
    const float *up;
} unit;

static void run_unit(void *context, size_t first, size_t last, uint32_t thread)
{
    const unit *u = context;
    const tg_forward *f = u->f;
    const size_t stride = tg_padded(u->width);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const float *up = u->up ? u->up + t * stride : NULL;
        if (f->hparams->unit == TG_UNIT_SILU)
            f->kernels->swiglu_f32(u->gate + t * stride, up, u->width);
        else
            f->kernels->geglu_f32(u->gate + t * stride, up, u->width);
    }
}

void tg_forward_unit(tg_forward *f, uint32_t n, size_t width, float *gate, const float *up)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, n, 4, run_unit, &(unit){f, width, gate, up});
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_unit, begun);
}

static void add(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_forward *f = context;
    const size_t embd = tg_padded(f->hparams->n_embd);
    const float scale = f->hparams->residual_scale; /* times 1 gives the same bits */
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        f->x[i] += f->out[i] * scale;
}

typedef struct scaled {
    tg_forward *f;
    float scale;
} scaled;

static void scale(void *context, size_t first, size_t last, uint32_t thread)
{
    const scaled *s = context;
    const size_t embd = tg_padded(s->f->hparams->n_embd);
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        s->f->x[i] *= s->scale;
}

void tg_forward_scale(tg_forward *f, float by)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 16, scale, &(scaled){f, by});
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_add, begun);
}

void tg_forward_add(tg_forward *f)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 16, add, f);
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_add, begun);
}

/* ---- logits ---- */

#define LOGITS_RUN 1024 /* logits that a thread takes at once */

typedef struct shaped {
    const tg_hparams *hp;
    float *logits;
    size_t runs; /* of a row */
} shaped;

static void shape(void *context, size_t first, size_t last, uint32_t thread)
{
    const shaped *s = context;
    const tg_hparams *hp = s->hp;
    (void)thread;
    for (size_t run = first; run < last; run++) {
        float *row = s->logits + run / s->runs * tg_padded(hp->n_vocab);
        const size_t begin = run % s->runs * LOGITS_RUN, end = begin + LOGITS_RUN;
        for (size_t i = begin; i < end && i < hp->n_vocab; i++) {
            row[i] *= hp->logit_scale;
            if (hp->logit_cap > 0)
                row[i] = hp->logit_cap * tg_tanh(row[i] / hp->logit_cap);
        }
    }
}

void tg_forward_shape_logits(tg_forward *f, float *logits, uint32_t n)
{
    const tg_hparams *hp = f->hparams;
    const size_t runs = (hp->n_vocab + LOGITS_RUN - 1) / LOGITS_RUN;
    if (hp->logit_scale != 1 || hp->logit_cap > 0)
        tg_forward_run(f, n * runs, 1, shape, &(shaped){hp, logits, runs});
    for (uint32_t row = 0; row < n; row++)
        for (uint32_t i = 0; i < hp->n_suppressed; i++)
            logits[row * tg_padded(hp->n_vocab) + (uint32_t)hp->suppressed[i]] = -INFINITY;
}
