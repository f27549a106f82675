/* What the layers work with: the kernels, the model's numbers, the cache, the batch, and memory for
 * activations. The memory lies in the model's arena. */
#ifndef TG_SCRATCH_H
#define TG_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/pool.h"
#include "../cache/kv.h"
#include "../kernels/kernels.h"
#include "../model/hparams.h"
#include "batch.h"
#include "profile.h"

/* Queries of one key-value head that attention multiplies by a page of keys together. */
#define TG_QUERIES 24

/* Memory of one thread for attention. */
typedef struct tg_attention_scratch {
    float *queries;    /* [TG_QUERIES][head_dim] scaled queries */
    tg_act_q8 *act;    /* [TG_QUERIES][ceil(head_dim / 32)] the queries in 8 bits, for q8_0 keys */
    float *scores;     /* [TG_QUERIES][TG_PAGE] */
    float *out;        /* [TG_QUERIES][head_dim] sums of weighted values */
    uint8_t *gathered; /* one head's block of a page, for keys that are collected one by one */
} tg_attention_scratch;

/* Memory for a gated delta net: [TG_BATCH] rows each. */
typedef struct tg_delta_net_scratch {
    float *qkv;          /* [tgi_delta_net_channels] queries, keys and values */
    float *conv_out;     /* [tgi_delta_net_channels] the same after the convolution over time */
    float *gate, *out;   /* [delta_n_head * delta_head_dim] */
    float *alpha, *beta; /* [delta_n_head] from which the decay and the learning rate follow */
} tg_delta_net_scratch;

/* Activations have TG_BATCH rows, one for each token; rows that a matrix product writes are padded
 * (tgi_padded). */
typedef struct tg_scratch {
    /* set before tgi_scratch_layout */
    const tg_kernels *kernels;
    const tg_hparams *hparams;
    tg_kv *kv;
    tg_pool *pool;
    tg_profile profile;

    const tg_batch *batch; /* set by tgi_embed */

    float *x;              /* [n_embd] the residual stream */
    float *norm;           /* [n_embd] the normed x */
    float *q;              /* [n_head * head_dim] queries */
    float *q_gate;         /* [n_head][2][head_dim] each head's query, then its gate */
    float *k, *v;          /* [n_head_kv * head_dim] keys, values */
    float *attn_out;       /* [n_head * head_dim] attention's output, before attn_output */
    float *gate, *up;      /* [the widest feed-forward network, or n_embd] */
    float *out;            /* [n_embd] what a part of a layer adds to x */
    float *router_probs;   /* [n_expert] */
    float *expert_weights; /* [n_expert] 0: the token does not use the expert */
    float *expert_in;      /* [n_embd] the rows of norm that one expert takes */
    float *experts_sum;    /* [n_embd] the sum of the experts' outputs so far */
    float *per_layer_row;  /* [n_threads][n_layer * n_embd_per_layer] a row of the table */
    float *per_layer_embd; /* [n_layer][TG_BATCH][n_embd_per_layer] the tokens' embeddings for
                              each layer */
    float *rope_cos_sin[TG_ROPE_KINDS]; /* [dim / 2][2]; NULL: no layer of this kind rotates */
    double *rope_freqs[TG_ROPE_KINDS];  /* [dim / 2] one row for all tokens */
    tg_delta_net_scratch delta;

    /* the input of a matrix product in 8 bits */
    tg_act_q8 *act;               /* [act_blocks] */
    size_t act_blocks;            /* blocks of 32 in a row */
    const float *quantized_input; /* the rows that act holds; NULL: none */

    tg_attention_scratch *attention; /* [n_threads] */
    uint8_t *rows_memory;            /* [n_threads][rows_bytes] whole rows of attention, for plans;
                                        outside of the arena */
    size_t rows_bytes;
    tg_matmul_fn *matmul_keys; /* scores = keys . query, for the cache's type */
    tg_values_fn *add_values;  /* out += weights . values, for the cache's type */
} tg_scratch;

/* Plans the memory (arena->base NULL: counts it) and sets the pointers. */
void tgi_scratch_layout(tg_scratch *scratch, tg_arena *arena);

/* Floats in a row that a product with a matrix of this many rows writes. */
static inline size_t tgi_padded(size_t rows)
{
    return (rows + TG_TILE_ROWS - 1) / TG_TILE_ROWS * TG_TILE_ROWS;
}

/* Plans n such rows. */
static inline float *tgi_plan_rows(tg_arena *arena, uint32_t n, size_t rows)
{
    return tgi_arena_alloc(arena, n * (uint64_t)tgi_padded(rows), sizeof(float));
}

/* Runs the task over n items on the pool's threads. A failed pool is noticed at the end of the
 * batch (tgi_pool_failed). */
static inline void tgi_run(const tg_scratch *scratch, size_t n, size_t grain, tg_task *task,
                           void *context)
{
    (void)tgi_pool_run(scratch->pool, n, grain, task, context);
}

/* A step that changes floats which may have been quantized says so: the next product quantizes its
 * input again. */
static inline void tgi_activations_changed(tg_scratch *scratch)
{
    scratch->quantized_input = NULL;
}

#endif
