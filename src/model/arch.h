/* What an architecture is: a description of its layers, and which of the common keys and tensors it
 * has. One reader of keys (hparams.c), one list of tensors (tensors.c) and one layer in the steps
 * of forward.h (layer.c) carry all descriptions out. In: the file's keys. Out: hyper-parameters and
 * declared tensors, in structs that the model owns. */
#ifndef TG_ARCH_H
#define TG_ARCH_H

#include "../layers/forward.h"
#include "../gguf/gguf.h"
#include "../base/status.h"
#include "weights.h"

typedef struct tg_arch_weights {
    tg_matrix token_embd;                 /* (n_vocab, n_embd) */
    tg_matrix position_embd;              /* (n_ctx_train, n_embd) where positions are learned */
    tg_vector output_norm, output_norm_b; /* (n_embd) */
    tg_matrix per_layer;      /* (n_vocab, n_layer * n_per_layer) what tokens give to each layer */
    tg_matrix per_layer_proj; /* (n_layer * n_per_layer, n_embd) the same, from their embeddings */
    tg_vector per_layer_norm; /* (n_per_layer) */
    tg_matrix output;         /* (n_vocab, n_embd); unused when tied */
    tg_vector output_b;       /* (n_vocab) */
    tg_vector rope_freqs, rope_long, rope_short; /* (half of what is rotated) factors of the
                                                    rotations: for all, long and short contexts */
    bool tied;                                   /* the output matrix is the embedding */
    tg_layer *layers;                            /* [n_layer] */
} tg_arch_weights;

/* One bit for each tensor of layer.def. */
typedef enum tg_layer_tensor {
#define TG_LAYER_VECTOR(field, name, rows, length)      TG_LAYER_##field,
#define TG_LAYER_MATRIX(field, name, rows, cols, stack) TG_LAYER_##field,
#include "layer_tensors.def"
#undef TG_LAYER_VECTOR
#undef TG_LAYER_MATRIX
    TG_LAYER_TENSORS
} tg_layer_tensor;
_Static_assert(TG_LAYER_TENSORS <= 64, "a set of tensors is a 64-bit number");
#define TG_HAS(field) (UINT64_C(1) << TG_LAYER_##field)

/* Sets that many architectures share. Where a file has attn_qkv, it stands for attn_q, attn_k and
 * attn_v, biases likewise. */
#define TG_NORMS       (TG_HAS(attn_norm) | TG_HAS(ffn_norm))
#define TG_NORM_BIASES (TG_HAS(attn_norm_b) | TG_HAS(ffn_norm_b))
#define TG_POST_NORMS  (TG_HAS(attn_post_norm) | TG_HAS(ffn_post_norm))
#define TG_HEAD_NORMS  (TG_HAS(attn_q_norm) | TG_HAS(attn_k_norm))
#define TG_QKV         (TG_HAS(attn_q) | TG_HAS(attn_k) | TG_HAS(attn_v))
#define TG_QKV_BIASES  (TG_HAS(attn_q_b) | TG_HAS(attn_k_b) | TG_HAS(attn_v_b))
#define TG_ATTENTION   (TG_QKV | TG_HAS(attn_output))
#define TG_PLAIN_FFN   (TG_HAS(ffn_up) | TG_HAS(ffn_down))
#define TG_GATED_FFN   (TG_PLAIN_FFN | TG_HAS(ffn_gate))
#define TG_FFN_BIASES  (TG_HAS(ffn_up_b) | TG_HAS(ffn_down_b))
#define TG_EXPERTS                                                                                 \
    (TG_HAS(ffn_router) | TG_HAS(ffn_gate_exps) | TG_HAS(ffn_up_exps) | TG_HAS(ffn_down_exps))
#define TG_SHARED (TG_HAS(ffn_gate_shexp) | TG_HAS(ffn_up_shexp) | TG_HAS(ffn_down_shexp))
#define TG_DELTA_NET                                                                               \
    (TG_HAS(delta_in) | TG_HAS(delta_gate) | TG_HAS(delta_conv) | TG_HAS(delta_alpha) |            \
     TG_HAS(delta_beta) | TG_HAS(delta_dt) | TG_HAS(delta_a) | TG_HAS(delta_norm) |                \
     TG_HAS(delta_out))
#define TG_PER_LAYER   (TG_HAS(per_layer_gate) | TG_HAS(per_layer_out) | TG_HAS(per_layer_norm))
#define TG_CONVOLUTION (TG_HAS(conv_in) | TG_HAS(conv) | TG_HAS(conv_out))

/* Groups of keys that an architecture may have; one that it has not is refused by name unless it
 * says nothing. */
typedef enum tg_arch_keys {
    TG_KEYS_EXPERTS = 1, /* expert_count and what belongs to it: in place of the feed-forward where
                            the file counts experts */
    TG_KEYS_SCALES = 2,  /* embedding_scale, residual_scale, attention.scale, logit_scale */
    TG_KEYS_CAPS = 4,    /* attn_logit_softcapping, final_logit_softcapping */
    TG_KEYS_WINDOW = 8,  /* attention.sliding_window and its pattern */
    TG_KEYS_CLAMP = 16,  /* attention.clamp_kqv */
    TG_KEYS_CONV = 32,   /* shortconv.l_cache: layers without key-value heads convolve */
    TG_KEYS_DELTA = 64,  /* ssm.*, full_attention_interval: most layers are gated delta nets */
    TG_KEYS_VARIED = 128 /* what differs between layers: widths by lists or with a window, whose
                            cache they use; and embeddings for each layer */
} tg_arch_keys;

typedef enum tg_output {
    TG_OUTPUT_MAYBE, /* the embedding serves where there is no output matrix */
    TG_OUTPUT_OWN,   /* there is one */
    TG_OUTPUT_BIASED /* with a bias */
} tg_output;

typedef struct tg_arch {
    const char *name;
    uint64_t needs, may; /* sets of tensors of a layer */
    unsigned keys;       /* tg_arch_keys */
    tg_norm_kind norm;
    bool norm_plain; /* without weights, as for the output */
    tg_rope_order rope;
    bool unrotated; /* no rotations: */
    bool positions; /* learned positions instead */
    tg_ffn_activation unit;
    tg_parallel parallel;
    tg_output output;
    const char *output_norm; /* its name in the file; NULL: output_norm */
    const char *ffn_norm;    /* likewise, of a layer; NULL: ffn_norm */
    bool v_norm;       /* a norm without weights; and attn_k serves as attn_v where there is none */
    bool gated_heads;  /* attn_q gives for each head a query and a gate */
    bool qk_norm_full; /* norms of q and k go over all heads together */
    bool gate_up_fused; /* ffn_up has gate and up, one after the other */
    bool experts_sum_to_one;
    uint32_t nope_period;
    uint32_t window, window_period; /* where the file does not say */
    float attention_cap, logit_cap; /* likewise */
    /* What else the keys mean, once the common ones have been read; NULL: nothing. */
    tg_status (*read)(const tg_gguf *gguf, tg_hparams *hparams, tg_error *error);
} tg_arch;

/* By general.architecture; TG_MODEL_ARCH_UNSUPPORTED lists what there is. */
tg_status tgi_arch_find(const tg_gguf *gguf, const tg_arch **out, tg_error *error);
/* Fills hparams from keys that begin with "<name>."; n_vocab is set already. (hparams.c) */
tg_status tgi_arch_read_hparams(const tg_arch *arch, const tg_gguf *gguf, tg_hparams *hparams,
                                tg_error *error);
/* Declares every tensor and says of each layer what it is; weights->layers has hparams->n_layer
 * entries. (tensors.c) */
tg_status tgi_arch_want_tensors(const tg_arch *arch, tg_weights *list, const tg_gguf *gguf,
                                const tg_hparams *hparams, tg_arch_weights *weights,
                                tg_error *error);
/* x += attention, x += feed-forward, for the batch the forward pass has begun. (layer.c) */
void tgi_layer(tg_scratch *forward, const tg_layer *layer, uint32_t index);

#define TG_KEY 96 /* bytes for the name of a key with its architecture */
/* "<arch>.<key>" */
void tgi_arch_key(const tg_gguf *gguf, const char *key, char out[TG_KEY]);
/* What key "<arch>.<key>" says of a layer if it is a list of numbers, else `fallback`. */
uint32_t tgi_arch_layer_value(const tg_gguf *gguf, const char *key, uint32_t layer,
                              uint32_t fallback);
/* Whether a layer has a window. */
bool tgi_arch_windowed(const tg_gguf *gguf, const tg_hparams *hparams, uint32_t layer);

/* For tg_arch.read: rope.scaling.finetuned false means that nothing rotates. */
tg_status tgi_arch_read_finetuned(const tg_gguf *gguf, tg_hparams *hparams, tg_error *error);

#define TG_ARCH(name) extern const tg_arch tg_arch_##name;
#include "arch.def"
#undef TG_ARCH

#endif
