/* One layer of a model: its weights and the properties in which it may differ from other layers. */
#ifndef TG_LAYER_H
#define TG_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor.h"

/* What carries information from position to position. */
typedef enum tg_mixer {
    TG_ATTENTION_MIXER,
    TG_CONV_MIXER,     /* a short convolution over time (LFM2) */
    TG_DELTA_NET_MIXER /* a gated delta net (Qwen 3.5) */
} tg_mixer;

/* The tensors are the union over all architectures (layer_tensors.def): one that a layer does not
 * have has 0 rows or length 0. */
typedef struct tg_layer {
#define TG_LAYER_VECTOR(field, name, rows, length)      tg_vector field;
#define TG_LAYER_MATRIX(field, name, rows, cols, stack) tg_matrix field;
#include "layer_tensors.def"
#undef TG_LAYER_VECTOR
#undef TG_LAYER_MATRIX
    tg_mixer mixer;
    uint32_t n_head_kv, head_dim; /* of attention */
    uint32_t kv_source;           /* the layer whose cached keys and values attention reads */
    bool kv_shared;               /* kv_source is another layer: this one has no keys and values */
    uint32_t n_ff;                /* width of the feed-forward network */
    uint32_t window;              /* positions that a token sees, itself included; 0: all */
    uint8_t rope;                 /* index into hparams.rope, or TG_NO_ROPE */
    bool gate_up_fused;           /* ffn_up holds gate and up, one after the other */
    size_t recurrent_offset;      /* floats before this layer's part of a recurrent state */
} tg_layer;

#endif
