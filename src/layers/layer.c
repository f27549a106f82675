/* One layer of any architecture, over a batch of n tokens. This is the whole forward pass between
 * the embedding and the logits; layers.h names the steps.
 *
 * Which tensors a layer has decides which steps it takes; hparams decide the rest. Comments give
 * shapes: embd = n_embd, ff = n_ff. Rows in memory are padded (tgi_padded). */
#include "layers.h"
#include "plan.h"

#include <string.h>

/* Computes queries, keys and values: q, k, v = W_q in, W_k in, W_v in (+ biases). */
static void project_qkv(tg_scratch *s, const tg_layer *w, const float *in)
{
    const tg_hparams *hp = s->hparams;
    const uint32_t n = s->batch->n;
    const uint32_t n_q = hp->n_head * w->head_dim, n_kv = w->n_head_kv * w->head_dim;
    const size_t embd = tgi_padded(hp->n_embd), q = tgi_padded(n_q), kv = tgi_padded(n_kv);
    if (w->attn_qkv.rows) {
        /* the three matrices lie in one tensor, (n_q + 2 n_kv, embd) */
        const tg_matrix parts[] = {tgi_matrix_part(&w->attn_qkv, 0, n_q),
                                   tgi_matrix_part(&w->attn_qkv, n_q, n_kv),
                                   tgi_matrix_part(&w->attn_qkv, n_q + n_kv, n_kv)};
        const tg_vector *bias = &w->attn_qkv_b;
        tgi_matmul(s, in, embd, n,
                   (tg_matmul_op[]){{&parts[0], s->q, q, tgi_vector_part(bias, 0, n_q)},
                                    {&parts[1], s->k, kv, tgi_vector_part(bias, n_q, n_kv)},
                                    {&parts[2], s->v, kv, tgi_vector_part(bias, n_q + n_kv, n_kv)}},
                   3);
        return;
    }
    tg_matmul_op ops[3] = {{&w->attn_q, s->q, q, w->attn_q_b}};
    size_t n_ops = 1;
    if (hp->q_gate) {
        ops[0].y = s->q_gate; /* each query is followed by its gate: (2 n_q, embd) */
        ops[0].y_stride = tgi_padded(2 * n_q);
    }
    if (!w->kv_shared)
        ops[n_ops++] = (tg_matmul_op){&w->attn_k, s->k, kv, w->attn_k_b};
    if (w->attn_v.rows)
        ops[n_ops++] = (tg_matmul_op){&w->attn_v, s->v, kv, w->attn_v_b};
    tgi_matmul(s, in, embd, n, ops, n_ops);
    if (!w->kv_shared && !w->attn_v.rows) /* keys serve as values (Gemma 4) */
        memcpy(s->v, s->k, n * kv * sizeof *s->v);
}

/* out [n][embd] = attention of in [n][embd] */
static void attention(tg_scratch *s, const tg_layer *w, uint32_t index, const float *in)
{
    const tg_hparams *hp = s->hparams;
    const size_t embd = tgi_padded(hp->n_embd), q = tgi_padded((size_t)hp->n_head * w->head_dim);
    /* q [n][n_head][head_dim], k and v [n][n_head_kv][head_dim] */
    project_qkv(s, w, in);
    if (hp->q_gate)
        tgi_split_q_gate(s, w);
    if (hp->qkv_clamp > 0)
        tgi_clamp_qkv(s, w);
    if (w->attn_q_norm.length)
        tgi_norm_qk(s, w);
    if (hp->v_norm && !w->kv_shared)
        tgi_norm_v(s, w);
    if (s->batch->plans)
        tgi_rows_queries(s, w, index);
    if (w->rope != TG_NO_ROPE)
        tgi_rope(s, w);
    if (s->batch->plans)
        tgi_rows_choose(s, w, index);
    /* attn_out [n][n_head][head_dim] = softmax(q . keys * scale) . values */
    tgi_attention(s, w);
    if (s->batch->plans)
        tgi_rows(s, w, index);
    if (hp->q_gate)
        tgi_gate_heads(s, w);
    if (s->batch->plans)
        tgi_plan_heads(s, w, index);
    /* out [n][embd] = W_o attn_out */
    tgi_matmul(s, s->attn_out, q, s->batch->n,
               &(tg_matmul_op){&w->attn_output, s->out, embd, w->attn_output_b}, 1);
}

/* out [n][embd] = a short convolution over time of in [n][embd], gated before and after */
static void convolution(tg_scratch *s, const tg_layer *w, uint32_t index, const float *in)
{
    const uint32_t n = s->batch->n, n_embd = s->hparams->n_embd;
    const size_t embd = tgi_padded(n_embd);
    /* conv_in is (3 embd, embd): gate, out and up [n][embd] each */
    const tg_matrix parts[] = {tgi_matrix_part(&w->conv_in, 0, n_embd),
                               tgi_matrix_part(&w->conv_in, n_embd, n_embd),
                               tgi_matrix_part(&w->conv_in, 2 * n_embd, n_embd)};
    tgi_matmul(s, in, embd, n,
               (tg_matmul_op[]){{.matrix = &parts[0], .y = s->gate, .y_stride = embd},
                                {.matrix = &parts[1], .y = s->out, .y_stride = embd},
                                {.matrix = &parts[2], .y = s->up, .y_stride = embd}},
               3);
    /* gate [n][embd] = out * conv(gate * up) */
    tgi_conv(s, index, &w->conv);
    /* out [n][embd] = W_out gate */
    tgi_matmul(s, s->gate, embd, n,
               &(tg_matmul_op){.matrix = &w->conv_out, .y = s->out, .y_stride = embd}, 1);
}

/* out [n][embd] = a gated delta net of in [n][embd]. heads = delta_n_head, inner = heads *
 * delta_head_dim. */
static void delta_net(tg_scratch *s, const tg_layer *w, const float *in)
{
    const tg_hparams *hp = s->hparams;
    const uint32_t n = s->batch->n;
    const size_t embd = tgi_padded(hp->n_embd), heads = tgi_padded(hp->delta_n_head);
    const size_t inner = tgi_padded((size_t)hp->delta_n_head * hp->delta_head_dim),
                 channels = tgi_padded(tgi_delta_net_channels(hp));
    /* qkv [n][channels], gate [n][inner], alpha and beta [n][heads] */
    tgi_matmul(s, in, embd, n,
               (tg_matmul_op[]){{.matrix = &w->delta_in, .y = s->delta.qkv, .y_stride = channels},
                                {.matrix = &w->delta_gate, .y = s->delta.gate, .y_stride = inner},
                                {.matrix = &w->delta_alpha, .y = s->delta.alpha, .y_stride = heads},
                                {.matrix = &w->delta_beta, .y = s->delta.beta, .y_stride = heads}},
               4);
    /* delta.out [n][inner] */
    tgi_delta_net(s, w);
    /* out [n][embd] = W_out delta.out */
    tgi_matmul(s, s->delta.out, inner, n,
               &(tg_matmul_op){.matrix = &w->delta_out, .y = s->out, .y_stride = embd}, 1);
}

/* out [n][embd] = the feed-forward network of in [n][embd] */
static void feed_forward(tg_scratch *s, const tg_layer *w, const float *in)
{
    const tg_hparams *hp = s->hparams;
    const uint32_t n = s->batch->n, n_ff = w->n_ff;
    const size_t embd = tgi_padded(hp->n_embd), ff = tgi_padded(n_ff);
    const bool gated = w->gate_up_fused || w->ffn_gate.rows;
    if (w->ffn_router.rows) { /* a mixture of experts; in is norm */
        tgi_experts(s, w);
        return;
    }
    /* gate [n][ff] = W_gate in, up [n][ff] = W_up in; without a gate, gate = W_up in */
    if (w->gate_up_fused) {
        const tg_matrix gate = tgi_matrix_part(&w->ffn_up, 0, n_ff),
                        up = tgi_matrix_part(&w->ffn_up, n_ff, n_ff);
        const tg_vector *bias = &w->ffn_up_b;
        tgi_matmul(s, in, embd, n,
                   (tg_matmul_op[]){{&gate, s->gate, ff, tgi_vector_part(bias, 0, n_ff)},
                                    {&up, s->up, ff, tgi_vector_part(bias, n_ff, n_ff)}},
                   2);
    } else if (gated)
        tgi_matmul(s, in, embd, n,
                   (tg_matmul_op[]){{&w->ffn_gate, s->gate, ff, w->ffn_gate_b},
                                    {&w->ffn_up, s->up, ff, w->ffn_up_b}},
                   2);
    else
        tgi_matmul(s, in, embd, n, &(tg_matmul_op){&w->ffn_up, s->gate, ff, w->ffn_up_b}, 1);
    /* gate [n][ff] = activation(gate) * up */
    tgi_ffn_activation(s, n, n_ff, s->gate, gated ? s->up : NULL);
    /* out [n][embd] = W_down gate */
    tgi_matmul(s, s->gate, ff, n, &(tg_matmul_op){&w->ffn_down, s->out, embd, w->ffn_down_b}, 1);
}

/* out [n][embd] = the tokens' embeddings for this layer, gated by x and projected. per =
 * n_embd_per_layer. */
static void per_layer_embeddings(tg_scratch *s, const tg_layer *w, uint32_t index)
{
    const uint32_t n = s->batch->n;
    const size_t embd = tgi_padded(s->hparams->n_embd),
                 per = tgi_padded(s->hparams->n_embd_per_layer);
    /* gate [n][per] = W_gate x */
    tgi_matmul(s, s->x, embd, n,
               &(tg_matmul_op){.matrix = &w->per_layer_gate, .y = s->gate, .y_stride = per}, 1);
    /* gate [n][per] = activation(gate) * embeddings */
    tgi_per_layer_gate(s, index);
    /* out [n][embd] = norm(W_out gate) */
    tgi_matmul(s, s->gate, per, n,
               &(tg_matmul_op){.matrix = &w->per_layer_out, .y = s->out, .y_stride = embd}, 1);
    tgi_norm(s, s->out, &w->per_layer_norm, NULL, s->out);
}

/* The input of a part of the layer: norm(x), or x where the architecture has no norm there. */
static const float *pre_norm(tg_scratch *s, const tg_vector *weight, const tg_vector *bias)
{
    if (!s->hparams->pre_norms)
        return s->x;
    tgi_norm(s, s->x, weight, bias, s->norm);
    return s->norm;
}

void tgi_layer(tg_scratch *s, const tg_layer *w, uint32_t index)
{
    const tg_hparams *hp = s->hparams;

    /* in [n][embd] = norm(x) */
    const float *in = pre_norm(s, &w->attn_norm, &w->attn_norm_b);

    /* out [n][embd] = attention(in), or what this layer has in its place */
    switch (w->mixer) {
    case TG_ATTENTION_MIXER:
        attention(s, w, index, in);
        break;
    case TG_CONV_MIXER:
        convolution(s, w, index, in);
        break;
    case TG_DELTA_NET_MIXER:
        delta_net(s, w, in);
        break;
    }
    if (w->attn_post_norm.length)
        tgi_norm(s, s->out, &w->attn_post_norm, NULL, s->out);

    /* x += out; in = norm(x). A parallel feed-forward network reads x as it was before. */
    if (hp->parallel == TG_SEQUENTIAL)
        tgi_add_residual(s);
    if (hp->parallel != TG_PARALLEL_ONE)
        in = pre_norm(s, &w->ffn_norm, &w->ffn_norm_b);
    if (hp->parallel != TG_SEQUENTIAL)
        tgi_add_residual(s);

    /* out [n][embd] = feed_forward(in); x += out */
    feed_forward(s, w, in);
    if (w->ffn_post_norm.length)
        tgi_norm(s, s->out, &w->ffn_post_norm, NULL, s->out);
    if (s->batch->plans)
        tgi_plan_feed_forward(s, index);
    tgi_add_residual(s);

    /* x += the tokens' embeddings for this layer (Gemma 3n, Gemma 4) */
    if (w->per_layer_gate.rows) {
        per_layer_embeddings(s, w, index);
        tgi_add_residual(s);
    }
    if (w->scale.length)
        tgi_scale_residual(s, w->scale.values[0]);
}
