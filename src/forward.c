/* In: a batch, weights and the cache. Out: activations in scratch memory that the model's arena owns. */
#include "forward.h"

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
    const size_t kv = tg_padded((size_t)hp->n_head_kv * hp->head_dim), ff = tg_padded(hp->n_ff);
    f->x = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    f->norm = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    f->q = tg_arena_take(arena, TG_BATCH * q, sizeof(float));
    f->k = tg_arena_take(arena, TG_BATCH * kv, sizeof(float));
    f->v = tg_arena_take(arena, TG_BATCH * kv, sizeof(float));
    f->heads = tg_arena_take(arena, TG_BATCH * q, sizeof(float));
    f->gate = tg_arena_take(arena, TG_BATCH * ff, sizeof(float));
    f->up = tg_arena_take(arena, TG_BATCH * ff, sizeof(float));
    f->out = tg_arena_take(arena, TG_BATCH * embd, sizeof(float));
    f->act_blocks = (max(max(hp->n_embd, hp->n_ff), hp->n_head * hp->head_dim) + 31) / 32;
    f->act = tg_arena_take(arena, TG_BATCH * f->act_blocks, sizeof *f->act);
    f->rotation = tg_arena_take(arena, (uint64_t)TG_BATCH * hp->rope_dim, sizeof(float));
    f->frequencies = tg_arena_take(arena, hp->rope_dim / 2, sizeof *f->frequencies);
    if (f->frequencies)
        for (uint32_t i = 0; i < hp->rope_dim / 2; i++)
            f->frequencies[i] = pow(hp->rope_base, -2.0 * i / hp->rope_dim);
    tg_attention_place(f, arena);
}

/* ---- a batch ---- */

typedef struct embedding {
    tg_forward *f;
    const tg_matrix *matrix;
} embedding;

static void embed(void *context, size_t first, size_t last, uint32_t thread)
{
    const embedding *e = context;
    const tg_forward *f = e->f;
    const uint32_t pairs = f->hparams->rope_dim / 2;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        tg_matrix_row(e->matrix, (uint32_t)f->batch->tokens[t], f->x + t * tg_padded(f->hparams->n_embd));
        for (uint32_t i = 0; i < pairs; i++) {
            /* in double: an angle of thousands of turns keeps its fraction */
            const double angle = f->batch->positions[t] * f->frequencies[i];
            f->rotation[(t * pairs + i) * 2] = (float)cos(angle);
            f->rotation[(t * pairs + i) * 2 + 1] = (float)sin(angle);
        }
    }
}

void tg_forward_begin(tg_forward *f, const tg_batch *batch, const tg_matrix *matrix)
{
    const double begun = tg_step_begin(f);
    f->batch = batch;
    f->quantized = NULL;
    tg_forward_run(f, batch->n, 4, embed, &(embedding){f, matrix});
    tg_step_end(f, TG_STEP_embed, begun);
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
            tg_kernels_matmul(f->kernels, p->matrix->quant)(p->matrix->tiles, p->matrix->n_blocks, first,
                                                            last < strips ? last : strips, x, stride, r->n, p->y, p->y_stride);
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

typedef struct normed {
    tg_forward *f;
    const tg_vector *weight;
} normed;

static void rmsnorm(void *context, size_t first, size_t last, uint32_t thread)
{
    const normed *n = context;
    const tg_forward *f = n->f;
    const size_t stride = tg_padded(f->hparams->n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++)
        f->kernels->rmsnorm_f32(f->x + t * stride, n->weight->values, f->hparams->rms_eps, f->hparams->n_embd,
                                f->norm + t * stride);
}

void tg_forward_rmsnorm(tg_forward *f, const tg_vector *weight)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 8, rmsnorm, &(normed){f, weight});
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_norm, begun);
}

static void rotate(const tg_forward *f, float *row, uint32_t n_heads, const float *rotation)
{
    const uint32_t pairs = f->hparams->rope_dim / 2;
    for (uint32_t h = 0; h < n_heads; h++, row += f->hparams->head_dim)
        for (uint32_t i = 0; i < pairs; i++) {
            const float c = rotation[2 * i], s = rotation[2 * i + 1], a = row[2 * i], b = row[2 * i + 1];
            row[2 * i] = a * c - b * s;
            row[2 * i + 1] = a * s + b * c;
        }
}

static void rope(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_forward *f = context;
    const tg_hparams *hp = f->hparams;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const float *rotation = f->rotation + t * (hp->rope_dim / 2) * 2;
        rotate(f, f->q + t * tg_padded((size_t)hp->n_head * hp->head_dim), hp->n_head, rotation);
        rotate(f, f->k + t * tg_padded((size_t)hp->n_head_kv * hp->head_dim), hp->n_head_kv, rotation);
    }
}

void tg_forward_rope_normal(tg_forward *f)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 8, rope, f);
    tg_step_end(f, TG_STEP_rope, begun);
}

static void swiglu(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_forward *f = context;
    const size_t stride = tg_padded(f->hparams->n_ff);
    (void)thread;
    for (size_t t = first; t < last; t++)
        f->kernels->swiglu_f32(f->gate + t * stride, f->up + t * stride, f->hparams->n_ff);
}

void tg_forward_swiglu(tg_forward *f)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 4, swiglu, f);
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_swiglu, begun);
}

static void add(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_forward *f = context;
    const size_t embd = tg_padded(f->hparams->n_embd);
    (void)thread;
    for (size_t i = first * embd; i < last * embd; i++)
        f->x[i] += f->out[i];
}

void tg_forward_add(tg_forward *f)
{
    const double begun = tg_step_begin(f);
    tg_forward_run(f, f->batch->n, 16, add, f);
    tg_forward_changed(f);
    tg_step_end(f, TG_STEP_add, begun);
}
