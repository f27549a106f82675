/* The llama architecture (Touvron et al. 2023; with grouped-query attention, Ainslie et al. 2023): Llama 1 and 2, TinyLlama,
 * SmolLM, Mistral. In: a GGUF header, then activations. Out: hyper-parameters, tensors, one layer's sum into the residual stream.
 * Owns nothing. */
#include "arch.h"

#include <stdio.h>
#include <string.h>

/* Upper bounds far above any small model, so that no product of them leaves 64 bits. */
#define MAX_LAYERS    1024
#define MAX_WIDTH     (1u << 17)
#define MAX_HEADS     1024
#define MAX_HEAD_DIM  1024
#define MAX_FF        (1u << 20)
#define MAX_CTX_TRAIN (1u << 30)

static tg_status bad(tg_error *error, const char *key, unsigned long long value, const char *why)
{
    return tg_fail(error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "%s is %llu: %s", key, value, why);
}

/* Options of the architecture that would change the numbers and are not supported: refused by name. */
static tg_status refuse_options(const tg_gguf *gguf, tg_error *error)
{
    bool found;
    uint32_t count = 0;
    tg_str scaling;
    tg_status status = tg_gguf_get_u32(gguf, "llama.expert_count", 0, UINT32_MAX, &count, &found, error);
    if (status)
        return status;
    if (count)
        return tg_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                       "llama.expert_count is %u: mixtures of experts are not supported", (unsigned)count);
    status = tg_gguf_get_string(gguf, "llama.rope.scaling.type", &scaling, &found, error);
    if (status)
        return status;
    if (found && strcmp(scaling.data, "none"))
        return tg_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                       "llama.rope.scaling.type is \"%.32s\": only unscaled rotations are supported", scaling.data);
    float factor = 1;
    status = tg_gguf_get_f32(gguf, "llama.rope.scale_linear", &factor, &found, error);
    if (!status && factor != 1)
        return tg_fail(error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                       "llama.rope.scale_linear is %g: only unscaled rotations are supported", factor);
    return status;
}

static tg_status read_hparams(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    tg_status status = refuse_options(gguf, error);
    bool found;
    uint32_t n_vocab = hp->n_vocab, head_dim_v;
#define GET(key, min, max, out, found)                                                                                           \
    if (!status)                                                                                                                 \
    status = tg_gguf_get_u32(gguf, "llama." key, (min), (max), (out), (found), error)
    GET("context_length", 1, MAX_CTX_TRAIN, &hp->n_ctx_train, NULL);
    GET("block_count", 1, MAX_LAYERS, &hp->n_layer, NULL);
    GET("embedding_length", 1, MAX_WIDTH, &hp->n_embd, NULL);
    GET("feed_forward_length", 1, MAX_FF, &hp->n_ff, NULL);
    GET("attention.head_count", 1, MAX_HEADS, &hp->n_head, NULL);
    if (status)
        return status;
    hp->n_head_kv = hp->n_head;
    hp->head_dim = hp->n_embd / hp->n_head;
    GET("attention.head_count_kv", 1, MAX_HEADS, &hp->n_head_kv, &found);
    GET("attention.key_length", 1, MAX_HEAD_DIM, &hp->head_dim, &found);
    head_dim_v = hp->head_dim;
    GET("attention.value_length", 1, MAX_HEAD_DIM, &head_dim_v, &found);
    hp->rope_dim = hp->head_dim;
    GET("rope.dimension_count", 1, MAX_HEAD_DIM, &hp->rope_dim, &found);
    GET("vocab_size", 1, UINT32_MAX, &n_vocab, &found);
#undef GET
    hp->rope_base = 10000.0f;
    if (!status)
        status = tg_gguf_get_f32(gguf, "llama.rope.freq_base", &hp->rope_base, &found, error);
    if (!status)
        status = tg_gguf_get_f32(gguf, "llama.attention.layer_norm_rms_epsilon", &hp->rms_eps, NULL, error);
    if (status)
        return status;
    if (!hp->head_dim || hp->head_dim > MAX_HEAD_DIM)
        return bad(error, "llama.attention.head_count", hp->n_head, "heads of no or absurd width");
    if (hp->n_head % hp->n_head_kv)
        return bad(error, "llama.attention.head_count_kv", hp->n_head_kv, "does not divide llama.attention.head_count");
    if (head_dim_v != hp->head_dim)
        return bad(error, "llama.attention.value_length", head_dim_v, "values of another width than keys are not supported");
    if (hp->rope_dim > hp->head_dim || hp->rope_dim % 2)
        return bad(error, "llama.rope.dimension_count", hp->rope_dim, "is odd or wider than a head");
    if (n_vocab != hp->n_vocab)
        return bad(error, "llama.vocab_size", n_vocab, "differs from the number of tokens in tokenizer.ggml.tokens");
    if (!(hp->rope_base > 0) || !(hp->rope_base < 1e30f))
        return tg_fail(error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "llama.rope.freq_base is %g", (double)hp->rope_base);
    if (!(hp->rms_eps >= 0) || !(hp->rms_eps < 1))
        return tg_fail(error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "llama.attention.layer_norm_rms_epsilon is %g",
                       (double)hp->rms_eps);
    return TG_OK;
}

static tg_status want_tensors(tg_weights *list, const tg_gguf *gguf, const tg_hparams *hp, tg_arch_weights *weights,
                              tg_error *error)
{
    const uint32_t q = hp->n_head * hp->head_dim, kv = hp->n_head_kv * hp->head_dim;
    tg_status status = tg_weights_want_matrix(list, "token_embd.weight", hp->n_vocab, hp->n_embd, &weights->token_embd, error);
    if (!status)
        status = tg_weights_want_vector(list, "output_norm.weight", hp->n_embd, &weights->output_norm, error);
    weights->tied = !tg_gguf_find_tensor(gguf, "output.weight");
    if (!status && !weights->tied)
        status = tg_weights_want_matrix(list, "output.weight", hp->n_vocab, hp->n_embd, &weights->output, error);
    for (uint32_t i = 0; i < hp->n_layer && !status; i++) {
        tg_layer *layer = &weights->layers[i];
        char name[64];
#define VECTOR(field, length)                                                                                                    \
    if (!status) {                                                                                                               \
        snprintf(name, sizeof name, "blk.%u." #field ".weight", (unsigned)i);                                                    \
        status = tg_weights_want_vector(list, name, (length), &layer->field, error);                                             \
    }
#define MATRIX(field, rows, cols)                                                                                                \
    if (!status) {                                                                                                               \
        snprintf(name, sizeof name, "blk.%u." #field ".weight", (unsigned)i);                                                    \
        status = tg_weights_want_matrix(list, name, (rows), (cols), &layer->field, error);                                       \
    }
        VECTOR(attn_norm, hp->n_embd)
        MATRIX(attn_q, q, hp->n_embd)
        MATRIX(attn_k, kv, hp->n_embd)
        MATRIX(attn_v, kv, hp->n_embd)
        MATRIX(attn_output, hp->n_embd, q)
        VECTOR(ffn_norm, hp->n_embd)
        MATRIX(ffn_gate, hp->n_ff, hp->n_embd)
        MATRIX(ffn_up, hp->n_ff, hp->n_embd)
        MATRIX(ffn_down, hp->n_embd, hp->n_ff)
#undef VECTOR
#undef MATRIX
    }
    return status;
}

static void layer(tg_forward *f, const tg_layer *w, uint32_t index)
{
    const tg_hparams *hp = f->hparams;
    const uint32_t n = f->batch->n;
    const size_t embd = tg_padded(hp->n_embd), ff = tg_padded(hp->n_ff);
    const size_t q = tg_padded((size_t)hp->n_head * hp->head_dim), kv = tg_padded((size_t)hp->n_head_kv * hp->head_dim);

    tg_forward_rmsnorm(f, &w->attn_norm);
    tg_forward_products(f, f->norm, embd, n,
                        (tg_product[]){{&w->attn_q, f->q, q}, {&w->attn_k, f->k, kv}, {&w->attn_v, f->v, kv}}, 3);
    tg_forward_rope_normal(f);
    tg_forward_attend(f, index);
    tg_forward_products(f, f->heads, q, n, &(tg_product){&w->attn_output, f->out, embd}, 1);
    tg_forward_add(f);

    tg_forward_rmsnorm(f, &w->ffn_norm);
    tg_forward_products(f, f->norm, embd, n, (tg_product[]){{&w->ffn_gate, f->gate, ff}, {&w->ffn_up, f->up, ff}}, 2);
    tg_forward_swiglu(f);
    tg_forward_products(f, f->gate, ff, n, &(tg_product){&w->ffn_down, f->out, embd}, 1);
    tg_forward_add(f);
}

const tg_arch tg_arch_llama = {"llama", read_hparams, want_tensors, layer};
