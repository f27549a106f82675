/* In: a batch, weights and the cache. Out: activations in scratch memory that the model's arena
 * owns. */
#include "forward.h"
#include "../kernels/exp.h"

#include <math.h>

#define TG_STRIP_RUN                                                                               \
    8 /* strips that a thread takes at the least: an atomic operation for each is cheap beside     \
         them */

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void tgi_forward_layout(tg_scratch *f, tg_arena *arena)
{
    const tg_hparams *hp = f->hparams;
    const size_t embd = tgi_padded(hp->n_embd), q = tgi_padded((size_t)hp->n_head * hp->head_dim);
    const size_t kv = tgi_padded((size_t)hp->n_head_kv * hp->head_dim);
    const uint32_t widest =
        max(max(max(hp->n_ff, hp->n_embd), hp->n_per_layer), max(hp->n_ff_expert, hp->n_ff_shared));
    const size_t ff = tgi_padded(widest);
    f->x = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    f->norm = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    f->q = tgi_arena_alloc(arena, TG_BATCH * q, sizeof(float));
    f->k = tgi_arena_alloc(arena, TG_BATCH * kv, sizeof(float));
    f->v = tgi_arena_alloc(arena, TG_BATCH * kv, sizeof(float));
    f->heads = tgi_arena_alloc(arena, TG_BATCH * q, sizeof(float));
    f->gate = tgi_arena_alloc(arena, TG_BATCH * ff, sizeof(float));
    f->up = tgi_arena_alloc(arena, TG_BATCH * ff, sizeof(float));
    f->out = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    f->act_blocks =
        (max(widest, max(hp->n_head * hp->head_dim, hp->delta_heads * hp->delta_dim)) + 31) / 32;
    f->act = tgi_arena_alloc(arena, TG_BATCH * f->act_blocks, sizeof *f->act);
    if (hp->n_expert) {
        f->router = tgi_arena_alloc(arena, TG_BATCH * tgi_padded(hp->n_expert), sizeof(float));
        f->chosen = tgi_arena_alloc(arena, TG_BATCH * (uint64_t)hp->n_expert, sizeof(float));
        f->mixed = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
        f->gathered = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    }
    if (hp->n_per_layer) {
        const uint64_t all = (uint64_t)hp->n_layer * tgi_padded(hp->n_per_layer);
        f->per_layer = tgi_arena_alloc(arena, all * TG_BATCH, sizeof(float));
        f->per_layer_rows =
            tgi_arena_alloc(arena, all * tgi_pool_n_threads(f->pool), sizeof(float));
    }
    if (hp->gated_heads)
        f->q_gate = tgi_arena_alloc(
            arena, TG_BATCH * tgi_padded(2 * (size_t)hp->n_head * hp->head_dim), sizeof(float));
    if (hp->delta_heads)
        tgi_delta_net_layout(f, arena);
    tgi_rope_layout(f, arena);
    tgi_attention_layout(f, arena);
}

/* ---- a batch ---- */

typedef struct embedding {
    tg_scratch *f;
    const tg_matrix *matrix, *positions;
} embedding;

static void embed(void *context, size_t first, size_t last, uint32_t thread)
{
    const embedding *e = context;
    const tg_scratch *f = e->f;
    const tg_hparams *hp = f->hparams;
    const size_t embd = tgi_padded(hp->n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *x = f->x + t * embd;
        tgi_matrix_row(e->matrix, (uint32_t)f->batch->tokens[t], x);
        if (hp->embedding_scale != 1)
            for (uint32_t i = 0; i < hp->n_embd; i++)
                x[i] *= hp->embedding_scale;
        if (hp->positions) {
            float *own = f->norm + t * embd; /* free until the first layer */
            tgi_matrix_row(e->positions, (uint32_t)f->batch->positions[t], own);
            for (uint32_t i = 0; i < hp->n_embd; i++)
                x[i] += own[i];
        }
        tgi_rope_angles(f, t);
    }
}

void tgi_embed(tg_scratch *f, const tg_batch *batch, const tg_matrix *matrix,
               const tg_matrix *positions)
{
    const double begun = tgi_profile_begin(f);
    f->batch = batch;
    f->quantized = NULL;
    tgi_run(f, batch->n, 4, embed, &(embedding){f, matrix, positions});
    tgi_profile_end(f, TG_STEP_embed, begun);
}

uint32_t tgi_batch_n_visible(const tg_batch *batch, uint32_t t)
{
    if (!batch->visible)
        return batch->base + t;
    const uint32_t words = (batch->n + 31) / 32, *visible = batch->visible + (size_t)t * words;
    uint32_t before = batch->base;
    for (uint32_t i = 0; i < t; i++)
        before += visible[i / 32] >> i % 32 & 1;
    return before;
}

void tgi_activations_changed(tg_scratch *f)
{
    f->quantized = NULL;
}

/* ---- products ---- */

typedef struct rows { /* the input of products */
    tg_scratch *f;
    const float *x;
    size_t x_stride; /* floats */
    uint32_t n;
    const tg_matmul_op *products;
    size_t n_products;
} rows;

static void quantize(void *context, size_t first, size_t last, uint32_t thread)
{
    const rows *r = context;
    (void)thread;
    for (size_t t = first; t < last; t++)
        r->f->kernels->quantize_q8(r->x + t * r->x_stride, r->products->matrix->cols,
                                   r->f->act + t * r->f->act_blocks);
}

/* Strips first to last - 1 of all matrices, counted through. */
static void multiply(void *context, size_t first, size_t last, uint32_t thread)
{
    const rows *r = context;
    const tg_scratch *f = r->f;
    (void)thread;
    for (const tg_matmul_op *p = r->products;; p++) {
        const size_t strips = tgi_matrix_strips(p->matrix);
        if (first < strips) {
            const bool coded = tg_quants[p->matrix->quant].activation == TG_ACT_Q8;
            const void *x = coded ? (const void *)f->act : r->x;
            const size_t stride =
                coded ? f->act_blocks * sizeof *f->act : r->x_stride * sizeof *r->x;
            const size_t end = last < strips ? last : strips;
            tgi_kernels_matmul(f->kernels, p->matrix->quant)(p->matrix->tiles, p->matrix->n_blocks,
                                                             first, end, x, stride, r->n, p->y,
                                                             p->y_stride);
            const size_t bias_end =
                end * TG_TILE_ROWS < p->bias.length ? end * TG_TILE_ROWS : p->bias.length;
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

void tgi_matmul(tg_scratch *f, const float *x, size_t x_stride, uint32_t n,
                const tg_matmul_op *products, size_t n_products)
{
    rows r = {f, x, x_stride, n, products, n_products};
    double begun = tgi_profile_begin(f);
    size_t strips = 0;
    bool coded = false;
    for (size_t i = 0; i < n_products; i++) {
        strips += tgi_matrix_strips(products[i].matrix);
        coded |= tg_quants[products[i].matrix->quant].activation == TG_ACT_Q8;
    }
    if (coded && f->quantized != x) {
        tgi_run(f, n, 4, quantize, &r);
        f->quantized = x;
        tgi_profile_end(f, TG_STEP_quantize, begun);
        begun = tgi_profile_begin(f);
    }
    tgi_run(f, strips, TG_STRIP_RUN, multiply, &r);
    tgi_profile_end(f, TG_STEP_product, begun);
}

/* ---- token by token ---- */

static void norm_row(const tg_scratch *f, const float *from, const tg_vector *weight,
                     const tg_vector *bias, size_t n, float *to)
{
    if (f->hparams->norm == TG_NORM_RMS)
        f->kernels->rmsnorm_f32(from, weight->length ? weight->values : NULL, f->hparams->norm_eps,
                                n, to);
    else
        f->kernels->layernorm_f32(from, weight->length ? weight->values : NULL,
                                  bias && bias->length ? bias->values : NULL, f->hparams->norm_eps,
                                  n, to);
}

typedef struct normed {
    tg_scratch *f;
    const float *from;
    const tg_vector *weight, *bias;
    float *to;
} normed;

static void norm(void *context, size_t first, size_t last, uint32_t thread)
{
    const normed *n = context;
    const size_t stride = tgi_padded(n->f->hparams->n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++)
        norm_row(n->f, n->from + t * stride, n->weight, n->bias, n->f->hparams->n_embd,
                 n->to + t * stride);
}

void tgi_norm(tg_scratch *f, const float *from, const tg_vector *weight, const tg_vector *bias,
              float *to)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 8, norm, &(normed){f, from, weight, bias, to});
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_norm, begun);
}

/* ---- heads ---- */

typedef struct heads {
    tg_scratch *f;
    const tg_layer *w;
} heads;

static void unpair(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const size_t dim = h->w->head_dim, q = h->f->hparams->n_head * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < q; i++)
            h->f->q[t * tgi_padded(q) + i] =
                h->f->q_gate[t * tgi_padded(2 * q) + i / dim * 2 * dim + i % dim];
}

void tgi_split_q_gate(tg_scratch *f, const tg_layer *w)
{
    tgi_run(f, f->batch->n, 8, unpair, &(heads){f, w});
}

static void gate_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const size_t dim = h->w->head_dim, q = h->f->hparams->n_head * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < q; i++)
            h->f->heads[t * tgi_padded(q) + i] *= tgi_sigmoid(
                h->f->q_gate[t * tgi_padded(2 * q) + i / dim * 2 * dim + dim + i % dim]);
}

void tgi_gate_heads(tg_scratch *f, const tg_layer *w)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 8, gate_heads, &(heads){f, w});
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_unit, begun);
}

static void norm_heads(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const tg_vector *q_norm = &h->w->attn_q_norm, *k_norm = &h->w->attn_k_norm;
    const size_t q = (size_t)h->f->hparams->n_head * h->w->head_dim,
                 kv = (size_t)h->w->n_head_kv * h->w->head_dim;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *row = h->f->q + t * tgi_padded(q);
        for (size_t i = 0; i < q; i += q_norm->length)
            norm_row(h->f, row + i, q_norm, NULL, q_norm->length, row + i);
        row = h->f->k + t * tgi_padded(kv);
        for (size_t i = 0; i < kv && !h->w->kv_shared; i += k_norm->length)
            norm_row(h->f, row + i, k_norm, NULL, k_norm->length, row + i);
    }
}

void tgi_norm_qk(tg_scratch *f, const tg_layer *w)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 8, norm_heads, &(heads){f, w});
    tgi_profile_end(f, TG_STEP_norm, begun);
}

static void norm_values(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const size_t dim = h->w->head_dim, kv = h->w->n_head_kv * dim;
    (void)thread;
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < kv; i += dim) {
            float *value = h->f->v + t * tgi_padded(kv) + i;
            h->f->kernels->rmsnorm_f32(value, NULL, h->f->hparams->norm_eps, dim, value);
        }
}

void tgi_norm_v(tg_scratch *f, const tg_layer *w)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 8, norm_values, &(heads){f, w});
    tgi_profile_end(f, TG_STEP_norm, begun);
}

static void clamp_row(float *row, size_t n, float most)
{
    for (size_t i = 0; i < n; i++) /* written so that NaN stays */
        row[i] = row[i] > most ? most : row[i] < -most ? -most : row[i];
}

static void clamp(void *context, size_t first, size_t last, uint32_t thread)
{
    const heads *h = context;
    const tg_scratch *f = h->f;
    const float most = f->hparams->clamp;
    const size_t q = tgi_padded((size_t)f->hparams->n_head * h->w->head_dim),
                 kv = tgi_padded((size_t)h->w->n_head_kv * h->w->head_dim);
    (void)thread;
    clamp_row(f->q + first * q, (last - first) * q, most);
    clamp_row(f->k + first * kv, (last - first) * kv, most);
    clamp_row(f->v + first * kv, (last - first) * kv, most);
}

void tgi_clamp_qkv(tg_scratch *f, const tg_layer *w)
{
    tgi_run(f, f->batch->n, 8, clamp, &(heads){f, w});
}

typedef struct unit {
    tg_scratch *f;
    size_t width;
    float *gate;
    const float *up;
} unit;

static void run_unit(void *context, size_t first, size_t last, uint32_t thread)
{
    const unit *u = context;
    const tg_scratch *f = u->f;
    const size_t stride = tgi_padded(u->width);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const float *up = u->up ? u->up + t * stride : NULL;
        if (f->hparams->unit == TG_FFN_SILU)
            f->kernels->swiglu_f32(u->gate + t * stride, up, u->width);
        else
            f->kernels->geglu_f32(u->gate + t * stride, up, u->width);
    }
}

void tgi_ffn_activation(tg_scratch *f, uint32_t n, size_t width, float *gate, const float *up)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, n, 4, run_unit, &(unit){f, width, gate, up});
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_unit, begun);
}

static void add(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_scratch *f = context;
    const size_t embd = tgi_padded(f->hparams->n_embd);
    const float scale = f->hparams->residual_scale; /* times 1 gives the same bits */
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        f->x[i] += f->out[i] * scale;
}

typedef struct scaled {
    tg_scratch *f;
    float scale;
} scaled;

static void scale(void *context, size_t first, size_t last, uint32_t thread)
{
    const scaled *s = context;
    const size_t embd = tgi_padded(s->f->hparams->n_embd);
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        s->f->x[i] *= s->scale;
}

void tgi_scale_residual(tg_scratch *f, float by)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 16, scale, &(scaled){f, by});
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_add, begun);
}

void tgi_add_residual(tg_scratch *f)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 16, add, f);
    tgi_activations_changed(f);
    tgi_profile_end(f, TG_STEP_add, begun);
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
        float *row = s->logits + run / s->runs * tgi_padded(hp->n_vocab);
        const size_t begin = run % s->runs * LOGITS_RUN, end = begin + LOGITS_RUN;
        for (size_t i = begin; i < end && i < hp->n_vocab; i++) {
            row[i] *= hp->logit_scale;
            if (hp->logit_cap > 0)
                row[i] = hp->logit_cap * tgi_tanh(row[i] / hp->logit_cap);
        }
    }
}

void tgi_scale_logits(tg_scratch *f, float *logits, uint32_t n)
{
    const tg_hparams *hp = f->hparams;
    const size_t runs = (hp->n_vocab + LOGITS_RUN - 1) / LOGITS_RUN;
    if (hp->logit_scale != 1 || hp->logit_cap > 0)
        tgi_run(f, n * runs, 1, shape, &(shaped){hp, logits, runs});
    for (uint32_t row = 0; row < n; row++)
        for (uint32_t i = 0; i < hp->n_suppressed; i++)
            logits[row * tgi_padded(hp->n_vocab) + (uint32_t)hp->suppressed[i]] = -INFINITY;
}
