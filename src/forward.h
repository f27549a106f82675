/* The steps of which a forward pass is made, over one batch of tokens. In: hyper-parameters, weights, the cache's table,
 * activations. Out: activations in the scratch memory of the model's arena. An architecture's layer is written in these steps and
 * nothing else. */
#ifndef TG_FORWARD_H
#define TG_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "kernels/kernels.h"
#include "kernels/pool.h"
#include "kv.h"
#include "weights.h"

#define TG_BATCH                                                                                                                 \
    128 /* tokens that go through the layers together, so that weights come from memory once for them; the results               \
            do not depend on it */

typedef struct tg_hparams {
    uint32_t n_vocab, n_ctx_train, n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff;
    uint32_t rope_dim; /* elements of a head that are rotated */
    float rope_base;   /* the base of the rotation's wavelengths */
    float rms_eps;
} tg_hparams;

/* The union of what the layers of the architectures have; an architecture fills those it declares. */
typedef struct tg_layer {
    tg_vector attn_norm, ffn_norm;        /* (n_embd) */
    tg_matrix attn_q, attn_k, attn_v;     /* (n_head * head_dim, n_embd), (n_head_kv * head_dim, n_embd) twice */
    tg_matrix attn_output;                /* (n_embd, n_head * head_dim) */
    tg_matrix ffn_gate, ffn_up, ffn_down; /* (n_ff, n_embd) twice, (n_embd, n_ff) */
} tg_layer;

/* What each token of a batch sees. Without `visible` token i sees the whole prefix and the batch up to itself. */
typedef struct tg_batch {
    uint32_t n;               /* tokens, at most TG_BATCH */
    const int32_t *tokens;    /* [n] */
    const int32_t *positions; /* [n] for the rotation */
    uint32_t base;            /* cached positions before the batch; token i lies in slot base + i */
    const uint32_t *visible;  /* NULL, or [n][ceil(n / 32)] bits: which of the batch's tokens token i sees besides the prefix */
    const tg_kv_table *table;
} tg_batch;

typedef enum tg_step {
#define TG_STEP(name, what) TG_STEP_##name,
#include "steps.def"
#undef TG_STEP
    TG_STEP_COUNT
} tg_step;

#define TG_QUERIES 24 /* queries of one key-value head that meet a page of keys together */

/* What one thread needs for attention. */
typedef struct tg_attention_scratch {
    float *queries, *out; /* [TG_QUERIES][head_dim]: scaled queries; weighted values, not yet divided by their sums */
    tg_act_q8 *act;       /* the queries as codes, for keys that are kept as codes: [TG_QUERIES][ceil(head_dim / 32)] */
    float *scores;        /* [TG_QUERIES][TG_PAGE] */
    uint8_t *gathered;    /* one head's block of a page, for keys picked one by one */
} tg_attention_scratch;

typedef struct tg_forward {
    const tg_kernels *kernels;
    const tg_hparams *hparams;
    tg_kv *kv;
    tg_pool *pool;
    double (*clock)(void); /* NULL, or milliseconds since some moment: then times adds up what each step takes */
    double times[TG_STEP_COUNT];
    const tg_batch *batch;
    tg_matmul_fn *keys; /* for the cache's types */
    tg_values_fn *values;
    /* scratch, [TG_BATCH] rows each; row lengths are rounded up to TG_TILE_ROWS where a product writes them */
    float *x;                        /* [n_embd] the residual stream */
    float *norm;                     /* [n_embd] */
    float *q, *k, *v;                /* [n_head * head_dim], [n_head_kv * head_dim] twice */
    float *heads;                    /* [n_head * head_dim] attention's output */
    float *gate, *up;                /* [n_ff] */
    float *out;                      /* [n_embd] what a product adds to x */
    tg_act_q8 *act;                  /* [longest row / 32] the quantized input of a product */
    float *rotation;                 /* [rope_dim / 2][2] cosine and sine of every pair of the batch */
    double *frequencies;             /* [rope_dim / 2], not a row for each token */
    tg_attention_scratch *attention; /* [n_threads] */
    size_t act_blocks;               /* blocks in a row of act */
    const float *quantized;          /* the rows that act holds, or NULL */
} tg_forward;

/* Counts or places the scratch memory; kernels, hparams, kv and pool must be set. */
void tg_forward_place(tg_forward *forward, tg_arena *arena);
/* Takes up a batch: embeds its tokens into x and computes its rotations. */
void tg_forward_begin(tg_forward *forward, const tg_batch *batch, const tg_matrix *embedding);

/* One matrix to multiply by, and where the result goes. y_stride in floats. */
typedef struct tg_product {
    const tg_matrix *matrix;
    float *y;
    size_t y_stride;
} tg_product;

/* y[t][0..rows) = matrix . x[t][0..cols) for t < n, for several matrices of the same input at once. x_stride in floats. For
 * quantized weights x is quantized once and kept for further products of the same x: a step that changes floats it has quantized
 * says so by tg_forward_changed. */
void tg_forward_products(tg_forward *forward, const float *x, size_t x_stride, uint32_t n, const tg_product *products,
                         size_t n_products);
void tg_forward_changed(tg_forward *forward);

/* norm[t] = root mean square norm of x[t] */
void tg_forward_rmsnorm(tg_forward *forward, const tg_vector *weight);
/* Rotates neighbouring pairs of each head of q and of k by the batch's rotations (Su et al. 2021; GGUF's "normal" order). */
void tg_forward_rope_normal(tg_forward *forward);
/* Writes k and v of the batch into the cache's layer, then heads = softmax(q . keys / sqrt(head_dim)) . values over what each
 * token sees. (attention.c) */
void tg_forward_attend(tg_forward *forward, uint32_t layer);
void tg_attention_place(tg_forward *forward, tg_arena *arena);
/* gate = silu(gate) * up */
void tg_forward_swiglu(tg_forward *forward);
/* x += out */
void tg_forward_add(tg_forward *forward);

/* Runs task over n items by the pool's threads; whether they were all done is the pool's to say at the end of the batch. */
static inline void tg_forward_run(const tg_forward *forward, size_t n, size_t grain, tg_task *task, void *context)
{
    (void)tg_pool_run(forward->pool, n, grain, task, context);
}

/* The time at which a step begins, and the end of it. */
static inline double tg_step_begin(const tg_forward *forward)
{
    return forward->clock ? forward->clock() : 0;
}

static inline void tg_step_end(tg_forward *forward, tg_step step, double begun)
{
    if (forward->clock)
        forward->times[step] += forward->clock() - begun;
}

/* floats in a row that a product of this many rows writes */
static inline size_t tg_padded(size_t rows)
{
    return (rows + TG_TILE_ROWS - 1) / TG_TILE_ROWS * TG_TILE_ROWS;
}

#endif
