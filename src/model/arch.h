/* What an architecture is: a description of its layers, and which of the common keys and tensors it
 * has. One file in archs/ holds each description. The same code carries out all of them: hparams.c
 * reads the keys, tensors.c declares the tensors, and layers/layer.c runs a layer. */
#ifndef TG_ARCH_H
#define TG_ARCH_H

#include "../base/status.h"
#include "../gguf/gguf.h"
#include "hparams.h"
#include "key_reader.h"
#include "layer.h"
#include "weights.h"

typedef struct tg_model_weights {
    tg_matrix token_embd;                 /* (n_vocab, n_embd) */
    tg_matrix position_embd;              /* (n_ctx_train, n_embd), for learned positions */
    tg_vector output_norm, output_norm_b; /* (n_embd) */
    tg_matrix output;                     /* (n_vocab, n_embd); not used when tied */
    tg_vector output_b;                   /* (n_vocab) */
    bool tied;                            /* token_embd is the output matrix */

    /* embeddings for each layer (layers/per_layer.c) */
    tg_matrix per_layer_token_embd; /* (n_vocab, n_layer * n_embd_per_layer) */
    tg_matrix per_layer_model_proj; /* (n_layer * n_embd_per_layer, n_embd) */
    tg_vector per_layer_proj_norm;  /* (n_embd_per_layer) */

    /* factors of the rotations, (rope dim / 2): for all contexts, for long ones, for short ones */
    tg_vector rope_freqs, rope_long, rope_short;

    tg_layer *layers; /* [n_layer] */
} tg_model_weights;

/* (n_vocab, n_embd): logits are its products with hidden states. */
static inline const tg_matrix *tgi_output_matrix(const tg_model_weights *weights)
{
    return weights->tied ? &weights->token_embd : &weights->output;
}

/* A set of the tensors of layer_tensors.def: one bit for each. */
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

/* Sets that many architectures share. In a file that has attn_qkv, it replaces attn_q, attn_k and
 * attn_v; its bias replaces their biases. */
#define TG_NORMS       (TG_HAS(attn_norm) | TG_HAS(ffn_norm))
#define TG_NORM_BIASES (TG_HAS(attn_norm_b) | TG_HAS(ffn_norm_b))
#define TG_POST_NORMS  (TG_HAS(attn_post_norm) | TG_HAS(ffn_post_norm))
#define TG_HEAD_NORMS  (TG_HAS(attn_q_norm) | TG_HAS(attn_k_norm))
#define TG_QKV         (TG_HAS(attn_q) | TG_HAS(attn_k) | TG_HAS(attn_v))
#define TG_QKV_BIASES  (TG_HAS(attn_q_b) | TG_HAS(attn_k_b) | TG_HAS(attn_v_b))
#define TG_ATTENTION   (TG_QKV | TG_HAS(attn_output))
#define TG_UNGATED_FFN (TG_HAS(ffn_up) | TG_HAS(ffn_down))
#define TG_GATED_FFN   (TG_UNGATED_FFN | TG_HAS(ffn_gate))
#define TG_FFN_BIASES  (TG_HAS(ffn_up_b) | TG_HAS(ffn_down_b))
#define TG_EXPERTS                                                                                 \
    (TG_HAS(ffn_router) | TG_HAS(ffn_gate_exps) | TG_HAS(ffn_up_exps) | TG_HAS(ffn_down_exps))
#define TG_SHARED_EXPERT (TG_HAS(ffn_gate_shexp) | TG_HAS(ffn_up_shexp) | TG_HAS(ffn_down_shexp))
#define TG_DELTA_NET                                                                               \
    (TG_HAS(delta_in) | TG_HAS(delta_gate) | TG_HAS(delta_conv) | TG_HAS(delta_alpha) |            \
     TG_HAS(delta_beta) | TG_HAS(delta_dt) | TG_HAS(delta_a) | TG_HAS(delta_norm) |                \
     TG_HAS(delta_out))
#define TG_PER_LAYER   (TG_HAS(per_layer_gate) | TG_HAS(per_layer_out) | TG_HAS(per_layer_norm))
#define TG_CONVOLUTION (TG_HAS(conv_in) | TG_HAS(conv) | TG_HAS(conv_out))

/* Groups of keys that an architecture may have. A file with a key of another group is refused by
 * the key's name, unless the value means the same as no key. */
typedef enum tg_arch_keys {
    TG_KEYS_EXPERTS = 1, /* expert_count and what belongs to it. Where the file counts experts, they
                            replace the feed-forward network. */
    TG_KEYS_SCALES = 2,  /* embedding_scale, residual_scale, attention.scale, logit_scale */
    TG_KEYS_CAPS = 4,    /* attn_logit_softcapping, final_logit_softcapping */
    TG_KEYS_WINDOW = 8,  /* attention.sliding_window and its pattern */
    TG_KEYS_CLAMP = 16,  /* attention.clamp_kqv */
    TG_KEYS_CONV = 32,   /* shortconv.l_cache. Layers without key-value heads are convolutions. */
    TG_KEYS_DELTA = 64,  /* ssm.*, full_attention_interval. Most layers are gated delta nets. */
    TG_KEYS_LAYERS = 128 /* properties that differ between layers: widths as lists or for layers
                            with a window, shared caches, embeddings for each layer */
} tg_arch_keys;

typedef enum tg_output {
    TG_OUTPUT_TIED_IF_ABSENT, /* without an output matrix, the embedding is the output matrix */
    TG_OUTPUT_REQUIRED,       /* there is an output matrix */
    TG_OUTPUT_WITH_BIAS       /* there is an output matrix with a bias */
} tg_output;

/* A field that a description leaves out is 0: false, none, or the first of its enum. */
typedef struct tg_arch {
    const char *name;            /* general.architecture */
    uint64_t required, optional; /* sets of a layer's tensors */
    unsigned keys;               /* tg_arch_keys */
    tg_norm_kind norm;
    bool norm_without_weights; /* no norm has weights, the output's included */
    const char *output_norm;   /* name of the tensor in the file; NULL: output_norm */
    const char *ffn_norm;      /* the same, in a layer; NULL: ffn_norm.weight */
    tg_ffn_activation activation;
    bool gate_up_fused; /* ffn_up holds gate and up, one after the other */
    bool norm_expert_weights;
    tg_parallel parallel;
    tg_output output;
    tg_rope_order rope_order;
    bool no_rope;           /* no layer rotates */
    bool learned_positions; /* a learned vector for each position */
    uint32_t nope_period;
    uint32_t window, window_period;         /* where the file does not say */
    float attention_softcap, logit_softcap; /* where the file does not say */
    bool v_norm;       /* hparams.v_norm; also, attn_k serves as attn_v where there is none */
    bool q_gate;       /* attn_q gives a query and a gate for each head */
    bool qk_norm_full; /* norms of q and k go over all heads together */
    /* Reads what else the keys mean, after the common ones; NULL: nothing. */
    tg_status (*read)(const tg_gguf *gguf, tg_hparams *hparams, tg_error *error);
} tg_arch;

#define TG_ARCH(name) extern const tg_arch tg_arch_##name;
#include "arch.def"
#undef TG_ARCH

/* Finds the description by general.architecture. TG_MODEL_ARCH_UNSUPPORTED lists the names that are
 * supported. */
tg_status tgi_arch_find(const tg_gguf *gguf, const tg_arch **out, tg_error *error);

/* ---- hparams.c ---- */
/* Fills hparams from the keys "<name>.<key>"; n_vocab must be set. TG_MODEL_KEY_MISSING,
 * TG_MODEL_KEY_BAD or TG_MODEL_OPTION_UNSUPPORTED name the key. */
tg_status tgi_arch_read_hparams(const tg_arch *arch, const tg_gguf *gguf, tg_hparams *hparams,
                                tg_error *error);
/* The value for one layer of a key that is a list of numbers; fallback: the key is not a list. */
uint32_t tgi_arch_layer_value(const tg_gguf *gguf, const char *key, uint32_t layer,
                              uint32_t fallback);
/* Whether a layer has a window. */
bool tgi_arch_has_window(const tg_gguf *gguf, const tg_hparams *hparams, uint32_t layer);
/* Whether a layer is a gated delta net. */
bool tgi_arch_is_recurrent(const tg_gguf *gguf, const tg_hparams *hparams, uint32_t layer);
/* A tg_arch.read: with rope.scaling.finetuned false, no layer rotates. */
tg_status tgi_arch_read_finetuned(const tg_gguf *gguf, tg_hparams *hparams, tg_error *error);

/* ---- tensors.c ---- */
/* Declares every tensor to the loader and sets the properties of each layer. weights->layers:
 * [hparams->n_layer]. */
tg_status tgi_arch_declare_tensors(const tg_arch *arch, tg_weight_loader *loader,
                                   const tg_gguf *gguf, const tg_hparams *hparams,
                                   tg_model_weights *weights, tg_error *error);

#endif
