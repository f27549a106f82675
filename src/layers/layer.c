/* One layer of any architecture, in the steps of forward.h. In: the batch that the forward pass has
 * begun, a layer's tensors. Out: its sum into the residual stream. What a layer does follows from
 * what it has; hparams say the rest. Owns nothing. */
#include "../model/arch.h"

#include <string.h>

/* q, k and v of the batch from rows of n_embd floats, cached and attended to; out = what attention
 * adds. */
static void attention(tg_scratch *f, const tg_layer *w, const float *from)
{
    const tg_hparams *hp = f->hparams;
    const uint32_t n = f->batch->n, n_q = hp->n_head * w->head_dim,
                   n_kv = w->n_head_kv * w->head_dim;
    const size_t embd = tgi_padded(hp->n_embd), q = tgi_padded(n_q), kv = tgi_padded(n_kv);
    if (w->attn_qkv.rows) {
        const tg_matrix parts[] = {tgi_matrix_part(&w->attn_qkv, 0, n_q),
                                   tgi_matrix_part(&w->attn_qkv, n_q, n_kv),
                                   tgi_matrix_part(&w->attn_qkv, n_q + n_kv, n_kv)};
        const tg_vector *bias = &w->attn_qkv_b;
        tgi_matmul(f, from, embd, n,
                   (tg_matmul_op[]){{&parts[0], f->q, q, tgi_vector_part(bias, 0, n_q)},
                                    {&parts[1], f->k, kv, tgi_vector_part(bias, n_q, n_kv)},
                                    {&parts[2], f->v, kv, tgi_vector_part(bias, n_q + n_kv, n_kv)}},
                   3);
    } else {
        tg_matmul_op products[3] = {{&w->attn_q, hp->gated_heads ? f->q_gate : f->q,
                                     hp->gated_heads ? tgi_padded(2 * n_q) : q, w->attn_q_b}};
        size_t n_products = 1;
        if (!w->kv_shared)
            products[n_products++] = (tg_matmul_op){&w->attn_k, f->k, kv, w->attn_k_b};
        if (w->attn_v.rows)
            products[n_products++] = (tg_matmul_op){&w->attn_v, f->v, kv, w->attn_v_b};
        tgi_matmul(f, from, embd, n, products, n_products);
        if (!w->kv_shared && !w->attn_v.rows)
            memcpy(f->v, f->k, n * kv * sizeof *f->v);
    }
    if (hp->gated_heads)
        tgi_split_q_gate(f, w);
    if (hp->clamp > 0)
        tgi_clamp_qkv(f, w);
    if (w->attn_q_norm.length)
        tgi_norm_qk(f, w);
    if (hp->v_norm && !w->kv_shared)
        tgi_norm_v(f, w);
    if (w->rotation != TG_NO_ROPE)
        tgi_rope(f, w);
    tgi_attention(f, w);
    if (hp->gated_heads)
        tgi_gate_heads(f, w);
    tgi_matmul(f, f->heads, q, n, &(tg_matmul_op){&w->attn_output, f->out, embd, w->attn_output_b},
               1);
}

/* out = a short convolution of the batch and what came before it. */
static void convolution(tg_scratch *f, const tg_layer *w, uint32_t index, const float *from)
{
    const uint32_t n = f->batch->n, n_embd = f->hparams->n_embd;
    const size_t embd = tgi_padded(n_embd);
    const tg_matrix parts[] = {tgi_matrix_part(&w->conv_in, 0, n_embd),
                               tgi_matrix_part(&w->conv_in, n_embd, n_embd),
                               tgi_matrix_part(&w->conv_in, 2 * n_embd, n_embd)};
    tgi_matmul(f, from, embd, n,
               (tg_matmul_op[]){{.matrix = &parts[0], f->gate, embd},
                                {.matrix = &parts[1], f->out, embd},
                                {.matrix = &parts[2], f->up, embd}},
               3);
    tgi_conv(f, index, &w->conv);
    tgi_matmul(f, f->gate, embd, n, &(tg_matmul_op){.matrix = &w->conv_out, f->out, embd}, 1);
}

/* out = what a gated delta net finds for the batch. */
static void delta_net(tg_scratch *f, const tg_layer *w, const float *from)
{
    const tg_hparams *hp = f->hparams;
    const uint32_t n = f->batch->n;
    const size_t embd = tgi_padded(hp->n_embd),
                 inner = tgi_padded((size_t)hp->delta_heads * hp->delta_dim);
    const size_t channels = tgi_padded(tgi_delta_net_channels(hp)),
                 heads = tgi_padded(hp->delta_heads);
    tgi_matmul(f, from, embd, n,
               (tg_matmul_op[]){{.matrix = &w->delta_in, f->delta.in, channels},
                                {.matrix = &w->delta_gate, f->delta.gate, inner},
                                {.matrix = &w->delta_alpha, f->delta.alpha, heads},
                                {.matrix = &w->delta_beta, f->delta.beta, heads}},
               4);
    tgi_delta_net(f, w);
    tgi_matmul(f, f->delta.out, inner, n, &(tg_matmul_op){.matrix = &w->delta_out, f->out, embd},
               1);
}

/* out = what the feed-forward makes of rows of n_embd floats. */
static void feed_forward(tg_scratch *f, const tg_layer *w, const float *from)
{
    const tg_hparams *hp = f->hparams;
    const uint32_t n = f->batch->n;
    const size_t embd = tgi_padded(hp->n_embd), ff = tgi_padded(w->n_ff);
    if (w->ffn_router.rows) {
        tgi_experts(f, w);
        return;
    }
    if (w->gate_up_fused) {
        const tg_matrix gate = tgi_matrix_part(&w->ffn_up, 0, w->n_ff),
                        up = tgi_matrix_part(&w->ffn_up, w->n_ff, w->n_ff);
        tgi_matmul(
            f, from, embd, n,
            (tg_matmul_op[]){{&gate, f->gate, ff, tgi_vector_part(&w->ffn_up_b, 0, w->n_ff)},
                             {&up, f->up, ff, tgi_vector_part(&w->ffn_up_b, w->n_ff, w->n_ff)}},
            2);
    } else if (w->ffn_gate.rows)
        tgi_matmul(f, from, embd, n,
                   (tg_matmul_op[]){{&w->ffn_gate, f->gate, ff, w->ffn_gate_b},
                                    {&w->ffn_up, f->up, ff, w->ffn_up_b}},
                   2);
    else
        tgi_matmul(f, from, embd, n, &(tg_matmul_op){&w->ffn_up, f->gate, ff, w->ffn_up_b}, 1);
    tgi_ffn_activation(f, n, w->n_ff, f->gate, w->gate_up_fused || w->ffn_gate.rows ? f->up : NULL);
    tgi_matmul(f, f->gate, ff, n, &(tg_matmul_op){&w->ffn_down, f->out, embd, w->ffn_down_b}, 1);
}

/* The rows that a part of the layer reads: x through the norm in front of it, or x itself where
 * there is none. */
static const float *before(tg_scratch *f, bool normed, const tg_vector *weight,
                           const tg_vector *bias)
{
    if (!normed)
        return f->x;
    tgi_norm(f, f->x, weight, bias, f->norm);
    return f->norm;
}

/* out = what the batch's tokens give to this layer themselves, as x lets it through. */
static void per_layer(tg_scratch *f, const tg_layer *w, uint32_t index)
{
    const uint32_t n = f->batch->n;
    const size_t embd = tgi_padded(f->hparams->n_embd), given = tgi_padded(f->hparams->n_per_layer);
    tgi_matmul(f, f->x, embd, n, &(tg_matmul_op){.matrix = &w->per_layer_gate, f->gate, given}, 1);
    tgi_per_layer_gate(f, index);
    tgi_matmul(f, f->gate, given, n, &(tg_matmul_op){.matrix = &w->per_layer_out, f->out, embd}, 1);
    tgi_norm(f, f->out, &w->per_layer_norm, NULL, f->out);
}

void tgi_layer(tg_scratch *f, const tg_layer *w, uint32_t index)
{
    const tg_hparams *hp = f->hparams;
    const float *from = before(f, hp->pre_norms, &w->attn_norm, &w->attn_norm_b);
    switch (w->mixer) {
    case TG_ATTENTION_MIXER:
        attention(f, w, from);
        break;
    case TG_CONV_MIXER:
        convolution(f, w, index, from);
        break;
    case TG_DELTA_NET_MIXER:
        delta_net(f, w, from);
        break;
    }
    if (w->attn_post_norm.length)
        tgi_norm(f, f->out, &w->attn_post_norm, NULL, f->out);
    if (hp->parallel == TG_SEQUENTIAL)
        tgi_add_residual(f);
    if (hp->parallel != TG_PARALLEL_ONE)
        from = before(f, hp->pre_norms, &w->ffn_norm, &w->ffn_norm_b);
    if (hp->parallel != TG_SEQUENTIAL) /* x is not needed as it was any more */
        tgi_add_residual(f);
    feed_forward(f, w, from);
    if (w->ffn_post_norm.length)
        tgi_norm(f, f->out, &w->ffn_post_norm, NULL, f->out);
    tgi_add_residual(f);
    if (w->per_layer_gate.rows) {
        per_layer(f, w, index);
        tgi_add_residual(f);
    }
    if (w->scale.length)
        tgi_scale_residual(f, w->scale.values[0]);
}
