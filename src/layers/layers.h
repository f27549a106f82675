/* The steps of a forward pass over the batch in the scratch memory, and the layer made of them
 * (layer.c). n is the batch's number of tokens; x, norm, q and so on are the activations of
 * scratch.h. */
#ifndef TG_LAYERS_H
#define TG_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "../model/layer.h"
#include "scratch.h"

/* The context of a task that needs a layer's weights and nothing else. */
typedef struct tg_layer_task {
    tg_scratch *s;
    const tg_layer *w;
} tg_layer_task;

/* ---- layer.c ---- */
/* Runs layer `index`: x += attention(x), then x += feed_forward(x). */
void tgi_layer(tg_scratch *scratch, const tg_layer *layer, uint32_t index);

/* ---- embed.c ---- */
/* Starts a batch: x[t] = the embedding of token t, plus the vector of its position where positions
 * are learned; and the angles of its rotations. batch must stay where it is until the last layer
 * has run. */
void tgi_embed(tg_scratch *scratch, const tg_batch *batch, const tg_matrix *token_embd,
               const tg_matrix *position_embd);

/* ---- matmul.c ---- */
/* One matrix to multiply by. */
typedef struct tg_matmul_op {
    const tg_matrix *matrix;
    float *y;        /* [n][y_stride] where the product goes */
    size_t y_stride; /* floats */
    tg_vector bias;  /* [rows] added to the product; length 0: nothing */
} tg_matmul_op;

/* y[t][0..rows) = matrix . x[t][0..cols) + bias for t < n, for several matrices with the same
 * input. x_stride: floats. For quantized weights the input is quantized once and kept for further
 * products with the same x, until tgi_activations_changed. */
void tgi_matmul(tg_scratch *scratch, const float *x, size_t x_stride, uint32_t n,
                const tg_matmul_op *ops, size_t n_ops);

/* ---- norm.c ---- */
/* out[t] = norm(in[t]), rows of n_embd floats; in and out may be the same. A weight or bias of
 * length 0 is left out; bias may be NULL. */
void tgi_norm(tg_scratch *scratch, const float *in, const tg_vector *weight, const tg_vector *bias,
              float *out);
/* Norms q, and k unless the layer reads another layer's cache: each head by itself when the weight
 * is as long as a head, else all heads together. */
void tgi_norm_qk(tg_scratch *scratch, const tg_layer *layer);
/* Norms each head of v, without weights. */
void tgi_norm_v(tg_scratch *scratch, const tg_layer *layer);

/* ---- heads.c ---- */
/* q = the queries in q_gate. */
void tgi_split_q_gate(tg_scratch *scratch, const tg_layer *layer);
/* attn_out *= sigmoid(the gates in q_gate) */
void tgi_gate_heads(tg_scratch *scratch, const tg_layer *layer);
/* Clamps q, k and v to -qkv_clamp .. qkv_clamp. */
void tgi_clamp_qkv(tg_scratch *scratch, const tg_layer *layer);

/* ---- rope.c ---- */
void tgi_rope_layout(tg_scratch *scratch, tg_arena *arena);
/* Computes the frequencies, once the weights are loaded. factors: [dim / 2], or NULL. */
void tgi_rope_prepare(tg_scratch *scratch, const float *factors);
/* Computes the cosines and sines of token t of the batch. */
void tgi_rope_angles(const tg_scratch *scratch, size_t t);
/* Rotates each head of q, and of k unless the layer reads another layer's cache (Su et al. 2021).
 */
void tgi_rope(tg_scratch *scratch, const tg_layer *layer);

/* ---- attention.c ---- */
void tgi_attention_layout(tg_scratch *scratch, tg_arena *arena);
/* Writes k and v into the cache, unless the layer reads another layer's, then
 * attn_out = softmax(q . keys * scale) . values over the positions that each token sees. */
void tgi_attention(tg_scratch *scratch, const tg_layer *layer);

/* ---- conv.c ---- */
/* A short convolution over time: gate = out * conv(gate * up). gate * up goes into the cache of
 * layer `index`. taps: (n_embd, conv_taps), the last column for the token itself. */
void tgi_conv(tg_scratch *scratch, uint32_t index, const tg_vector *taps);

/* ---- delta_net.c ---- */
void tgi_delta_net_layout(tg_scratch *scratch, tg_arena *arena);
/* delta.out = the gated delta rule over delta.qkv with delta.alpha and beta, gated by delta.gate;
 * reads each sequence's recurrent state and writes the one after its rows. */
void tgi_delta_net(tg_scratch *scratch, const tg_layer *layer);

/* ---- per_layer.c ---- */
/* Computes the tokens' embeddings for each layer from their rows of `table` and from x. */
void tgi_per_layer_prepare(tg_scratch *scratch, const tg_matrix *table, const tg_matrix *projection,
                           const tg_vector *norm);
/* gate = activation(gate) * the tokens' embeddings for layer `index` */
void tgi_per_layer_gate(tg_scratch *scratch, uint32_t index);

/* ---- activation.c ---- */
/* gate = activation(gate) * up for the first n rows of `width` floats; up NULL: times 1 */
void tgi_ffn_activation(tg_scratch *scratch, uint32_t n, size_t width, float *gate,
                        const float *up);

/* ---- experts.c ---- */
/* out = the sum of the chosen experts' feed-forward networks of norm, weighted by the router. */
void tgi_experts(tg_scratch *scratch, const tg_layer *layer);

/* ---- residual.c ---- */
/* x += out * residual_scale */
void tgi_add_residual(tg_scratch *scratch);
/* x *= scale */
void tgi_scale_residual(tg_scratch *scratch, float scale);

/* ---- logits.c ---- */
/* Scales and caps n rows of logits, and sets those of suppressed tokens to -infinity. */
void tgi_scale_logits(tg_scratch *scratch, float *logits, uint32_t n);

#endif
