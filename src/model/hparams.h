/* The hyper-parameters of a model: numbers and switches that the file's keys and the architecture's
 * description give (hparams.c), and that the layers read. */
#ifndef TG_HPARAMS_H
#define TG_HPARAMS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tg_norm_kind {
    TG_NORM_RMS,  /* x / root mean square (Zhang and Sennrich 2019) */
    TG_NORM_LAYER /* (x - mean) / deviation (Ba, Kiros and Hinton 2016) */
} tg_norm_kind;

/* Which two elements of a head are rotated together. */
typedef enum tg_rope_order {
    TG_ROPE_NORMAL, /* neighbours: 2 i and 2 i + 1 */
    TG_ROPE_NEOX    /* i and i + dim / 2 */
} tg_rope_order;

/* The activation function of the feed-forward network. */
typedef enum tg_ffn_activation { TG_FFN_SILU, TG_FFN_GELU } tg_ffn_activation;

/* How attention and feed-forward network follow each other in a layer. */
typedef enum tg_parallel {
    TG_SEQUENTIAL,    /* the feed-forward network reads x with attention's output added */
    TG_PARALLEL_ONE,  /* both read the same normed x */
    TG_PARALLEL_NORMS /* both read the same x, each through its own norm */
} tg_parallel;

/* Rotary position embedding of one kind of layer. Pair i at position p is rotated by the angle
 *
 *     p * freq_base^(-2 i / dim) * freq_scale
 *
 * and multiplied by attn_factor. With YaRN (Peng et al. 2023) a pair that makes more than beta_fast
 * rotations within n_ctx_orig positions keeps its unscaled angle, a pair that makes fewer than
 * beta_slow takes the scaled angle, and a pair between takes a mixture. */
typedef struct tg_rope_params {
    uint32_t dim;    /* elements of a head that are rotated; even */
    float freq_base; /* 0: no layer of this kind is rotated */
    float freq_scale, attn_factor;
    bool yarn;
    float beta_fast, beta_slow;
    bool freq_factors; /* each pair's angle is divided by the file's factor for the pair */
} tg_rope_params;

/* Layers that see all positions use hparams.rope[0], layers with a window hparams.rope[1]. */
#define TG_ROPE_KINDS 2
#define TG_NO_ROPE    255 /* in place of an index: the layer does not rotate */

typedef struct tg_hparams {
    uint32_t n_vocab, n_ctx_train, n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff;
    uint32_t n_layer_nextn;     /* layers after n_layer, for predicting further tokens: not used */
    uint32_t n_ctx_orig;        /* positions of the training without scaled rotations */
    uint32_t head_dim_swa;      /* head_dim of layers with a window */
    uint32_t n_layer_kv_shared; /* the last layers, which read the cache of earlier ones */
    uint32_t n_embd_per_layer;  /* width of a token's embedding for each layer; 0: none */

    /* mixture of experts */
    uint32_t n_expert, n_expert_used; /* 0: no experts */
    uint32_t n_ff_expert;             /* width of one expert */
    uint32_t n_ff_shexp;              /* width of the expert that every token uses; 0: none */
    bool norm_expert_weights;         /* the weights of the chosen experts sum to 1 */

    /* layers without attention */
    uint32_t conv_taps;        /* positions that a convolution over time reads */
    uint32_t delta_n_head;     /* heads of a gated delta net; 0: the model has no such nets */
    uint32_t delta_n_head_k;   /* heads of its queries and keys */
    uint32_t delta_head_dim;   /* width of its keys and values */
    uint32_t attention_period; /* every attention_period-th layer has attention, the others are
                                  gated delta nets; 0: all layers have attention */

    /* attention */
    uint32_t window;        /* positions that a token sees in a layer with a window */
    uint32_t window_period; /* every window_period-th layer has no window */
    uint32_t nope_period;   /* every nope_period-th layer does not rotate; 0: all rotate */
    tg_rope_order rope_order;
    tg_rope_params rope[TG_ROPE_KINDS];
    bool v_norm;             /* an RMS norm without weights over each head's value */
    bool q_gate;             /* attn_q also gives a gate for each element of attention's output */
    float attention_scale;   /* of scores; 0: 1 / sqrt(head_dim) */
    float attention_softcap; /* c * tanh(x / c) of scores; 0: none */
    float qkv_clamp; /* q, k and v are clamped to -qkv_clamp .. qkv_clamp; 0: they are not */

    tg_norm_kind norm;
    float norm_eps;
    bool pre_norms; /* there is a norm before attention and before the feed-forward network */
    tg_ffn_activation activation;
    tg_parallel parallel;
    bool learned_positions; /* a learned vector for each position is added to the embeddings */
    float embedding_scale, residual_scale, logit_scale; /* 1: no scaling */
    float logit_softcap;                                /* c * tanh(x / c) of logits; 0: none */
    /* [n_suppressed_tokens] tokens whose logits become -infinity; a view of the file's header */
    const int32_t *suppressed_tokens;
    uint32_t n_suppressed_tokens;
} tg_hparams;

/* Channels of a gated delta net's convolution: queries, keys and values of all heads. */
static inline uint32_t tgi_delta_net_channels(const tg_hparams *hp)
{
    return (2 * hp->delta_n_head_k + hp->delta_n_head) * hp->delta_head_dim;
}

/* Floats of one layer's part of a recurrent state: the last inputs of the convolution, and one
 * matrix for each head. */
static inline uint64_t tgi_delta_net_state_size(const tg_hparams *hp)
{
    return (uint64_t)(hp->conv_taps - 1) * tgi_delta_net_channels(hp) +
           (uint64_t)hp->delta_n_head * hp->delta_head_dim * hp->delta_head_dim;
}

#endif
