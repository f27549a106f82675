/* The steps of which a forward pass is made, over one batch of tokens. In: hyper-parameters,
 * weights, the cache's table, activations. Out: activations in the scratch memory of the model's
 * arena. An architecture's layer is written in these steps and nothing else. */
#ifndef TG_FORWARD_H
#define TG_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../kernels/kernels.h"
#include "../base/pool.h"
#include "../cache/kv.h"
#include "../model/weights.h"

#define TG_BATCH                                                                                   \
    128 /* tokens that go through the layers together, so that weights come from memory once for   \
           them; the results do not depend on it */

typedef enum tg_norm_kind {
    TG_NORM_RMS,  /* x / root mean square (Zhang and Sennrich 2019) */
    TG_NORM_LAYER /* (x - mean) / deviation (Ba, Kiros and Hinton 2016) */
} tg_norm_kind;

typedef enum tg_rope_order {                 /* which elements of a head make a pair */
                             TG_ROPE_NORMAL, /* neighbours */
                             TG_ROPE_NEOX    /* one of the first half of those that are rotated, and
                                                one of the second */
} tg_rope_order;

typedef enum tg_ffn_activation {
    TG_FFN_SILU,
    TG_FFN_GELU
} tg_ffn_activation; /* what the feed-forward's gate, or its only input, goes through */

typedef enum tg_parallel {
    TG_SEQUENTIAL,    /* the feed-forward sees what attention added */
    TG_PARALLEL_ONE,  /* both see the same normed input */
    TG_PARALLEL_NORMS /* both see the same input, each by its own norm */
} tg_parallel;

/* How one kind of layer turns its heads: pair i of position p by p * base^(-2i / dim) * scale, the
 * vector then times magnitude. YaRN (Peng et al. 2023) turns pairs that make more than `fast`
 * rotations in the context of training as if unscaled, those with fewer than `slow` scaled, and
 * those between by a mixture. */
typedef struct tg_rotation {
    uint32_t dim; /* elements of a head that are rotated */
    float base, scale, magnitude;
    bool yarn;
    float fast, slow;
    bool factors; /* each pair's angle is divided by the file's factor for it */
} tg_rotation;

#define TG_ROTATIONS 2 /* of layers that see everything, and of those with a window */
#define TG_NO_ROPE   255

typedef struct tg_hparams {
    uint32_t n_vocab, n_ctx_train, n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff;
    uint32_t n_layer_unused;    /* layers of the file after those */
    uint32_t n_ctx_orig;        /* positions of the training whose rotations were not scaled */
    uint32_t head_dim_windowed; /* width of the heads of layers that have a window */
    uint32_t n_shared;    /* the last so many layers attend to what earlier ones have cached */
    uint32_t n_per_layer; /* width of the embeddings that tokens have for each layer; 0: none */
    uint32_t n_expert, n_expert_used; /* 0: no mixture of experts */
    uint32_t n_ff_expert,
        n_ff_shared; /* widths of one expert, and of the one that all tokens take (0: none) */
    uint32_t n_conv; /* taps of a convolution over time */
    uint32_t delta_heads, delta_keys; /* of a gated delta net: heads; those among them that have
                                         keys of their own (0: no such nets) */
    uint32_t delta_dim;               /* width of its keys and values */
    uint32_t attention_period; /* each so many-th layer attends, the others are delta nets; 0: all
                                  attend */
    uint32_t window, window_period; /* tokens that a windowed layer's token sees; each so many-th
                                       layer is without */
    uint32_t nope_period;           /* each so many-th layer does not rotate; 0: all do */
    tg_norm_kind norm;
    tg_rope_order rope;
    tg_ffn_activation unit;
    tg_parallel parallel;
    bool experts_sum_to_one; /* the weights of the chosen experts are divided by their sum */
    bool pre_norms;          /* norms stand before attention and feed-forward */
    bool positions;          /* learned positions are added to the embeddings */
    bool v_norm;             /* values are normed as keys are, but without weights */
    bool gated_heads; /* what attention finds is weighted by a gate that comes with the queries */
    tg_rotation rotations[TG_ROTATIONS];
    float norm_eps;
    float attention_scale; /* of scores; 0: 1 / sqrt(head_dim) */
    float embedding_scale,
        residual_scale;             /* of embeddings, and of what layers add; 1: as they are */
    float logit_scale;              /* of logits */
    float attention_cap, logit_cap; /* c * tanh(x / c) of scores and of logits; 0: none */
    const int32_t *suppressed; /* [n_suppressed] tokens that the model is never to say: their logits
                                  are -infinity */
    uint32_t n_suppressed;
    float clamp; /* queries, keys and values lie between -clamp and clamp; 0: anywhere */
} tg_hparams;

typedef enum tg_mixer { /* what carries information from position to position in a layer */
                        TG_ATTENTION_MIXER,
                        TG_CONV_MIXER,     /* a short convolution */
                        TG_DELTA_NET_MIXER /* a gated delta net */
} tg_mixer;

/* The union of what the layers of the architectures have; what one has not has no rows, or no
 * length. */
typedef struct tg_layer {
#define TG_LAYER_VECTOR(field, name, rows, length)      tg_vector field;
#define TG_LAYER_MATRIX(field, name, rows, cols, stack) tg_matrix field;
#include "../model/layer_tensors.def"
#undef TG_LAYER_VECTOR
#undef TG_LAYER_MATRIX
    tg_mixer mixer;
    uint32_t n_head_kv, head_dim; /* of attention */
    uint32_t kv_source;           /* the layer whose keys and values it attends to: */
    bool kv_shared;               /* not its own */
    uint32_t n_ff;                /* width of the feed-forward */
    uint32_t window;              /* positions that a token sees, itself among them; 0: all */
    uint8_t rotation;             /* of rotations, or TG_NO_ROPE */
    bool gate_up_fused;           /* gate and up are the two halves of ffn_up */
    size_t state_at;              /* where its part of a recurrent state begins, if it has one */
} tg_layer;

/* What each token of a batch sees. Without `visible` token i sees the whole prefix and the batch up
 * to itself. */
typedef struct tg_batch {
    uint32_t n;               /* tokens, at most TG_BATCH */
    const int32_t *tokens;    /* [n] */
    const int32_t *positions; /* [n] for the rotation */
    uint32_t base;            /* cached positions before the batch; token i lies in slot base + i */
    const uint32_t *visible; /* NULL, or [n][ceil(n / 32)] bits: which of the batch's tokens token i
                                sees besides the prefix */
    const tg_kv_table *table;
    const float *state; /* the recurrent state after `base` positions; NULL: there is none yet */
    float *state_after; /* where the one after the last token goes, which must be another; NULL:
                           nowhere */
} tg_batch;

typedef enum tg_profile_step {
#define TG_STEP(name, what) TG_STEP_##name,
#include "profile.def"
#undef TG_STEP
    TG_STEP_COUNT
} tg_profile_step;

#define TG_QUERIES 24 /* queries of one key-value head that meet a page of keys together */

/* What one thread needs for attention. */
typedef struct tg_attention_scratch {
    float *queries, *out; /* [TG_QUERIES][head_dim]: scaled queries; weighted values, not yet
                             divided by their sums */
    tg_act_q8 *act;       /* the queries as codes, for keys that are kept as codes:
                             [TG_QUERIES][ceil(head_dim / 32)] */
    float *scores;        /* [TG_QUERIES][TG_PAGE] */
    uint8_t *gathered;    /* one head's block of a page, for keys picked one by one */
} tg_attention_scratch;

/* What a gated delta net needs: [TG_BATCH] rows each. */
typedef struct tg_delta_net_scratch {
    float *in, *mixed;   /* [tgi_delta_net_channels]: queries, keys and values before and after the
                            convolution over time */
    float *gate, *out;   /* [delta_heads * delta_dim] */
    float *alpha, *beta; /* [delta_heads] how much of its state a head forgets, and how much of a
                            value it takes */
    float *states; /* [n_threads][delta_dim][delta_dim], not a row for each token: a head's state on
                      the way */
} tg_delta_net_scratch;

typedef struct tg_scratch {
    const tg_kernels *kernels;
    const tg_hparams *hparams;
    tg_kv *kv;
    tg_pool *pool;
    double (*clock)(void); /* NULL, or milliseconds since some moment: then times adds up what each
                              step takes */
    double times[TG_STEP_COUNT];
    const tg_batch *batch;
    tg_matmul_fn *keys; /* for the cache's types */
    tg_values_fn *values;
    /* scratch, [TG_BATCH] rows each; row lengths are rounded up to TG_TILE_ROWS where a product
     * writes them */
    float *x;                      /* [n_embd] the residual stream */
    float *norm;                   /* [n_embd] */
    float *q, *k, *v;              /* [n_head * head_dim], [n_head_kv * head_dim] twice */
    float *heads;                  /* [n_head * head_dim] attention's output */
    float *gate, *up;              /* [the widest feed-forward, or n_embd] */
    float *out;                    /* [n_embd] what a product adds to x */
    tg_act_q8 *act;                /* [longest row / 32] the quantized input of a product */
    float *rotation[TG_ROTATIONS]; /* [dim / 2][2] cosine and sine of every pair of the batch; NULL:
                                      no layer has it */
    double *frequencies[TG_ROTATIONS]; /* [dim / 2], not a row for each token */
    float *router, *chosen;  /* [n_expert]: what a token thinks of each expert; what those it takes
                                are weighted by */
    float *mixed, *gathered; /* [n_embd]: the sum over experts; the input of one of them */
    float *q_gate;           /* [n_head][2][head_dim]: queries, each with its gate */
    float *per_layer_rows; /* [n_threads][n_layer * n_per_layer], not a row for each token: rows of
                              the table */
    float *per_layer; /* not rows but [n_layer][TG_BATCH][n_per_layer]: what tokens give to each
                         layer */
    tg_delta_net_scratch delta;
    tg_attention_scratch *attention; /* [n_threads] */
    size_t act_blocks;               /* blocks in a row of act */
    const float *quantized;          /* the rows that act holds, or NULL */
} tg_scratch;

/* Counts or places the scratch memory; kernels, hparams, kv and pool must be set. */
void tgi_forward_layout(tg_scratch *forward, tg_arena *arena);
/* Once the weights are there: what batches need besides them. factors: [dim / 2] of the rotations
 * that have them, or NULL. (rope.c) */
void tgi_rope_layout(tg_scratch *forward, tg_arena *arena);
void tgi_rope_prepare(tg_scratch *forward, const float *factors);
/* Takes up a batch: embeds its tokens into x and computes its rotations. position_embd: the matrix
 * of learned positions. */
void tgi_embed(tg_scratch *forward, const tg_batch *batch, const tg_matrix *embedding,
               const tg_matrix *position_embd);
/* The cosines and sines of token t. */
void tgi_rope_angles(const tg_scratch *forward, size_t t);

/* One matrix to multiply by, where the result goes (y_stride in floats), and what is added to it
 * (length 0: nothing). */
typedef struct tg_matmul_op {
    const tg_matrix *matrix;
    float *y;
    size_t y_stride;
    tg_vector bias;
} tg_matmul_op;

/* y[t][0..rows) = matrix . x[t][0..cols) + bias for t < n, for several matrices of the same input
 * at once. x_stride in floats. For quantized weights x is quantized once and kept for further
 * products of the same x: a step that changes floats it has quantized says so by
 * tgi_activations_changed. */
void tgi_matmul(tg_scratch *forward, const float *x, size_t x_stride, uint32_t n,
                const tg_matmul_op *products, size_t n_products);
void tgi_activations_changed(tg_scratch *forward);

/* to[t] = norm of from[t], n_embd wide; they may be the same. A norm without weight or bias (length
 * 0) goes without. */
void tgi_norm(tg_scratch *forward, const float *from, const tg_vector *weight,
              const tg_vector *bias, float *to);
/* q = the first halves of pairs, and heads = heads * sigmoid of the second halves. */
void tgi_split_q_gate(tg_scratch *forward, const tg_layer *layer);
void tgi_gate_heads(tg_scratch *forward, const tg_layer *layer);
/* Norms q, and k unless it is borrowed: each head by itself when the weight is as long as a head,
 * else all of them together. */
void tgi_norm_qk(tg_scratch *forward, const tg_layer *layer);
/* Norms each head's value, without weights. */
void tgi_norm_v(tg_scratch *forward, const tg_layer *layer);
/* q, k and v to between -clamp and clamp */
void tgi_clamp_qkv(tg_scratch *forward, const tg_layer *layer);
/* Rotates pairs of each head of q, and of k unless it is borrowed, by the batch's rotations (Su et
 * al. 2021). (rope.c) */
void tgi_rope(tg_scratch *forward, const tg_layer *layer);
/* Writes k and v of the batch into the cache unless they are borrowed, then heads = softmax(q .
 * keys * scale) . values over what each token sees, the last positions of it where the layer has a
 * window. (attention.c) */
void tgi_attention(tg_scratch *forward, const tg_layer *layer);
void tgi_attention_layout(tg_scratch *forward, tg_arena *arena);
/* gate = unit(gate) * up, or unit(gate) when up is NULL, for the first n rows of `width` floats */
void tgi_ffn_activation(tg_scratch *forward, uint32_t n, size_t width, float *gate,
                        const float *up);
/* out = the experts' feed-forwards of norm, weighted as the router says. (experts.c) */
void tgi_experts(tg_scratch *forward, const tg_layer *layer);
/* gate = out * convolution over time of (gate * up), whose products are kept in the cache's layer.
 * taps: (n_embd, n_conv), the last for the token itself. (convolution.c) */
void tgi_conv(tg_scratch *forward, uint32_t layer, const tg_vector *taps);
/* delta.out = the gated delta rule over delta.in, weighted by delta.gate, from and to the batch's
 * recurrent states. (delta_net.c) */
void tgi_delta_net(tg_scratch *forward, const tg_layer *layer);
void tgi_delta_net_layout(tg_scratch *forward, tg_arena *arena);
/* Values that the net's convolution runs over: queries, keys, values. */
uint32_t tgi_delta_net_channels(const tg_hparams *hparams);
/* Floats of one layer's part of a recurrent state: what the convolution looks back on, and the
 * heads' states. */
uint64_t tgi_delta_net_state_size(const tg_hparams *hparams);
/* What tokens give to each layer, from tables and from their embeddings in x. (per_layer.c) */
void tgi_per_layer_prepare(tg_scratch *forward, const tg_matrix *table, const tg_matrix *projection,
                           const tg_vector *norm);
/* gate = gelu(gate) * what the batch's tokens give to layer `index` */
void tgi_per_layer_gate(tg_scratch *forward, uint32_t index);
/* x *= scale */
void tgi_scale_residual(tg_scratch *forward, float scale);
/* x += out * residual_scale */
void tgi_add_residual(tg_scratch *forward);
/* logits of n rows, scaled and capped as the architecture says */
void tgi_scale_logits(tg_scratch *forward, float *logits, uint32_t n);

/* Whether token t of a batch sees token i of it. */
static inline bool tgi_batch_sees(const tg_batch *batch, uint32_t t, uint32_t i)
{
    return batch->visible
               ? batch->visible[(size_t)t * ((batch->n + 31) / 32) + i / 32] >> i % 32 & 1
               : i <= t;
}

/* The place in the sequence of token t of a batch: how many positions it sees before itself. */
uint32_t tgi_batch_n_visible(const tg_batch *batch, uint32_t t);

/* Runs task over n items by the pool's threads; whether they were all done is the pool's to say at
 * the end of the batch. */
static inline void tgi_run(const tg_scratch *forward, size_t n, size_t grain, tg_task *task,
                           void *context)
{
    (void)tgi_pool_run(forward->pool, n, grain, task, context);
}

/* The time at which a step begins, and the end of it. */
static inline double tgi_profile_begin(const tg_scratch *forward)
{
    return forward->clock ? forward->clock() : 0;
}

static inline void tgi_profile_end(tg_scratch *forward, tg_profile_step step, double begun)
{
    if (forward->clock)
        forward->times[step] += forward->clock() - begun;
}

/* floats in a row that a product of this many rows writes */
static inline size_t tgi_padded(size_t rows)
{
    return (rows + TG_TILE_ROWS - 1) / TG_TILE_ROWS * TG_TILE_ROWS;
}

#endif
