/* In: a batch, weights and the cache. Out: activations in scratch memory that the model's arena owns. */
#include "forward.h"
#include "kernels/exp.h"

#include <math.h>
#include <string.h>

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
    f->gathered = tg_arena_take(arena, 1, f->kv->head_bytes);
    switch (f->kv->type_k) {
#define TG_CACHE(NAME, suffix, bytes)                                                                                            \
    case TG_CACHE_##NAME:                                                                                                        \
        f->keys = f->kernels->keys_##suffix;                                                                                     \
        break;
#include "cache.def"
#undef TG_CACHE
    case TG_CACHE_TYPE_COUNT:
        break;
    }
    switch (f->kv->type_v) {
#define TG_CACHE(NAME, suffix, bytes)                                                                                            \
    case TG_CACHE_##NAME:                                                                                                        \
        f->values = f->kernels->values_##suffix;                                                                                 \
        break;
#include "cache.def"
#undef TG_CACHE
    case TG_CACHE_TYPE_COUNT:
        break;
    }
}

void tg_forward_begin(tg_forward *f, const tg_batch *batch, const tg_matrix *embedding)
{
    const tg_hparams *hp = f->hparams;
    const uint32_t pairs = hp->rope_dim / 2;
    f->batch = batch;
    f->quantized = NULL;
    for (uint32_t t = 0; t < batch->n; t++) {
        tg_matrix_row(embedding, (uint32_t)batch->tokens[t], f->x + t * tg_padded(hp->n_embd));
        for (uint32_t i = 0; i < pairs; i++) {
            /* in double: an angle of thousands of turns keeps its fraction */
            const double angle = batch->positions[t] * pow(hp->rope_base, -2.0 * i / hp->rope_dim);
            f->rotation[(t * pairs + i) * 2] = (float)cos(angle);
            f->rotation[(t * pairs + i) * 2 + 1] = (float)sin(angle);
        }
    }
}

void tg_forward_changed(tg_forward *f)
{
    f->quantized = NULL;
}

void tg_forward_matmul(tg_forward *f, const tg_matrix *m, const float *x, size_t x_stride, uint32_t n, float *y, size_t y_stride)
{
    const void *rows = x;
    size_t stride = x_stride * sizeof(float);
    if (tg_quants[m->quant].activation == TG_ACT_Q8) {
        if (f->quantized != x)
            for (uint32_t t = 0; t < n; t++)
                f->kernels->quantize_q8(x + t * x_stride, m->cols, f->act + t * f->act_blocks);
        f->quantized = x;
        rows = f->act;
        stride = f->act_blocks * sizeof *f->act;
    }
    tg_kernels_matmul(f->kernels, m->quant)(m->tiles, m->n_blocks, 0, tg_matrix_strips(m), rows, stride, n, y, y_stride);
}

void tg_forward_rmsnorm(tg_forward *f, const tg_vector *weight)
{
    const size_t stride = tg_padded(f->hparams->n_embd);
    for (uint32_t t = 0; t < f->batch->n; t++)
        f->kernels->rmsnorm_f32(f->x + t * stride, weight->values, f->hparams->rms_eps, f->hparams->n_embd, f->norm + t * stride);
    tg_forward_changed(f);
}

void tg_forward_rope_normal(tg_forward *f, float *rows, uint32_t n_heads)
{
    const uint32_t pairs = f->hparams->rope_dim / 2, head_dim = f->hparams->head_dim;
    for (uint32_t t = 0; t < f->batch->n; t++, rows += tg_padded((size_t)n_heads * head_dim)) {
        const float *rotation = f->rotation + (size_t)t * pairs * 2;
        for (uint32_t h = 0; h < n_heads; h++) {
            float *head = rows + (size_t)h * head_dim;
            for (uint32_t i = 0; i < pairs; i++) {
                const float c = rotation[2 * i], s = rotation[2 * i + 1], a = head[2 * i], b = head[2 * i + 1];
                head[2 * i] = a * c - b * s;
                head[2 * i + 1] = a * s + b * c;
            }
        }
    }
}

/* The running state of one query's streamed softmax. */
typedef struct stream {
    const float *q;
    float *out; /* [head_dim] weighted values, not yet divided by sum */
    float most, sum;
} stream;

/* Adds up to TG_PAGE keys, given as one head's block of a page. */
static void attend_page(const tg_forward *f, stream *s, const uint8_t *block, uint32_t n)
{
    const uint32_t head_dim = f->hparams->head_dim;
    float scores[TG_PAGE], sum;
    f->keys(block, s->q, head_dim, scores);
    const float most = f->kernels->softmax_f32(scores, n, s->most, &sum);
    if (most > s->most) { /* what was added so far was relative to a smaller maximum */
        const float shrink = s->sum > 0 ? tg_exp(s->most - most) : 0;
        s->sum *= shrink;
        for (uint32_t i = 0; i < head_dim; i++)
            s->out[i] *= shrink;
        s->most = most;
    }
    s->sum += sum;
    f->values(block + f->kv->keys_bytes, scores, n, head_dim, s->out);
}

/* One head of token t that sees only part of the batch: the seen keys past the last whole page of the prefix are gathered into
 * pages in order, so that they are added in the same groups as if the others were not there. */
static void attend_gathered(const tg_forward *f, stream *s, uint32_t t, uint32_t layer, uint32_t head)
{
    const tg_batch *batch = f->batch;
    const uint32_t *visible = batch->visible + (size_t)t * ((batch->n + 31) / 32);
    uint32_t filled = 0;
    for (uint32_t slot = batch->base / TG_PAGE * TG_PAGE; slot < batch->base + batch->n; slot++) {
        if (slot >= batch->base && !(visible[(slot - batch->base) / 32] >> (slot - batch->base) % 32 & 1))
            continue;
        const uint8_t *block = tg_kv_block(f->kv, batch->table->pages[slot / TG_PAGE], layer, head);
        tg_kv_copy_slot(f->kv, f->gathered, filled++, block, slot % TG_PAGE);
        if (filled == TG_PAGE) {
            attend_page(f, s, f->gathered, filled);
            filled = 0;
        }
    }
    if (filled)
        attend_page(f, s, f->gathered, filled);
}

void tg_forward_attend(tg_forward *f, uint32_t layer)
{
    const tg_hparams *hp = f->hparams;
    const tg_batch *batch = f->batch;
    const size_t q_stride = tg_padded((size_t)hp->n_head * hp->head_dim),
                 kv_stride = tg_padded((size_t)hp->n_head_kv * hp->head_dim);
    const uint32_t group = hp->n_head / hp->n_head_kv; /* queries that share a key-value head */
    const float scale = 1.0f / sqrtf((float)hp->head_dim);

    for (uint32_t t = 0; t < batch->n; t++)
        for (uint32_t h = 0; h < hp->n_head_kv; h++) {
            const uint32_t slot = batch->base + t;
            tg_kv_write(f->kv, tg_kv_block(f->kv, batch->table->pages[slot / TG_PAGE], layer, h), slot % TG_PAGE,
                        f->k + t * kv_stride + h * hp->head_dim, f->v + t * kv_stride + h * hp->head_dim);
        }

    for (uint32_t t = 0; t < batch->n; t++) {
        float *q = f->q + t * q_stride;
        for (size_t i = 0; i < (size_t)hp->n_head * hp->head_dim; i++)
            q[i] *= scale;
        /* keys before `whole` are read page by page where they lie */
        const uint32_t whole = batch->visible ? batch->base / TG_PAGE * TG_PAGE : batch->base + t + 1;
        for (uint32_t head = 0; head < hp->n_head; head++) {
            stream s = {q + (size_t)head * hp->head_dim, f->heads + t * q_stride + (size_t)head * hp->head_dim, -INFINITY, 0};
            memset(s.out, 0, hp->head_dim * sizeof(float));
            for (uint32_t from = 0; from < whole; from += TG_PAGE)
                attend_page(f, &s, tg_kv_block(f->kv, batch->table->pages[from / TG_PAGE], layer, head / group),
                            whole - from < TG_PAGE ? whole - from : TG_PAGE);
            if (batch->visible)
                attend_gathered(f, &s, t, layer, head / group);
            for (uint32_t i = 0; i < hp->head_dim; i++)
                s.out[i] /= s.sum;
        }
    }
    tg_forward_changed(f);
}

void tg_forward_swiglu(tg_forward *f)
{
    const size_t stride = tg_padded(f->hparams->n_ff);
    for (uint32_t t = 0; t < f->batch->n; t++)
        f->kernels->swiglu_f32(f->gate + t * stride, f->up + t * stride, f->hparams->n_ff);
    tg_forward_changed(f);
}

void tg_forward_add(tg_forward *f)
{
    const size_t n = f->batch->n * tg_padded(f->hparams->n_embd);
    for (size_t i = 0; i < n; i++)
        f->x[i] += f->out[i];
    tg_forward_changed(f);
}
