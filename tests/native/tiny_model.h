/* Writes a small GGUF file of the llama architecture with random weights in memory, for the native
 * tests. */
#ifndef TG_TINY_MODEL_H
#define TG_TINY_MODEL_H

#include "../../src/quant/quant.h"
#include "quant_reference.h"
#include "random.h"
#include "tiny_gguf.h"

typedef struct tiny_shape {
    uint32_t dim, layers, heads, kv_heads, ffn, vocab, context;
    tg_quant type; /* of the matrices */
    int tied;
} tiny_shape;

static const tiny_shape tiny_default = {64, 2, 4, 2, 96, 301, 160, TG_QUANT_Q8_0, 1};

/* <unk> <s> </s>, the 256 bytes, then single letters and pairs of letters */
static void tiny_vocabulary(tiny_bytes *b, uint32_t vocab)
{
    char text[16];
    tiny_key_string(b, "tokenizer.ggml.model", "llama");
    tiny_key_array(b, "tokenizer.ggml.tokens", 8, vocab);
    for (uint32_t i = 0; i < vocab; i++) {
        const uint32_t n = i - 259;
        if (i < 3)
            snprintf(text, sizeof text, "%s", i == 0 ? "<unk>" : i == 1 ? "<s>" : "</s>");
        else if (i < 259)
            snprintf(text, sizeof text, "<0x%02X>", (unsigned)(i - 3));
        else if (n < 26)
            snprintf(text, sizeof text, "%c", (char)('a' + n));
        else
            snprintf(text, sizeof text, "%c%c", (char)('a' + (n - 26) / 26 % 26),
                     (char)('a' + n % 26));
        tiny_string(b, text);
    }
    tiny_key_array(b, "tokenizer.ggml.scores", 6, vocab);
    for (uint32_t i = 0; i < vocab; i++) {
        const float score = -(float)i;
        tiny_put(b, &score, 4);
    }
    tiny_key_array(b, "tokenizer.ggml.token_type", 5, vocab);
    for (uint32_t i = 0; i < vocab; i++)
        tiny_u32(b, i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
    tiny_key_u32(b, "tokenizer.ggml.bos_token_id", 1);
    tiny_key_u32(b, "tokenizer.ggml.eos_token_id", 2);
}

/* n random weights with a standard deviation of `size`, as blocks of the type */
static void tiny_weights(tiny_bytes *b, const tg_quant_row *row, size_t n, float size,
                         test_random *r)
{
    const tg_quant type = (tg_quant)(row - tg_quants);
    for (size_t block = 0; block < n / row->block; block++) {
        uint8_t bytes[256];
        float values[256], squares = 0, scale = random_gauss(r) * size;
        for (size_t i = 0; i < row->bytes; i++)
            bytes[i] = (uint8_t)random_u32(r);
        if (row->block > 1) {
            set_scale(type, bytes, 1);
            row->dequantize(bytes, 1, values);
            for (size_t i = 0; i < row->block; i++)
                squares += values[i] * values[i] / (float)row->block;
            scale = size / sqrtf(squares);
        }
        set_scale(type, bytes, scale);
        tiny_put(b, bytes, row->bytes);
    }
}

/* The bytes of the file, which the caller frees; *size: how many. */
static uint8_t *tiny_model(tiny_shape shape, uint64_t seed, size_t *size)
{
    const uint32_t kv = shape.dim / shape.heads * shape.kv_heads;
    const struct {
        const char *name;
        uint32_t cols, rows; /* rows 0: a vector */
        int per_layer;
    } tensors[] = {
        {"token_embd.weight", shape.dim, shape.vocab, 0},
        {"output_norm.weight", shape.dim, 0, 0},
        {"attn_norm.weight", shape.dim, 0, 1},
        {"attn_q.weight", shape.dim, shape.dim, 1},
        {"attn_k.weight", shape.dim, kv, 1},
        {"attn_v.weight", shape.dim, kv, 1},
        {"attn_output.weight", shape.dim, shape.dim, 1},
        {"ffn_norm.weight", shape.dim, 0, 1},
        {"ffn_gate.weight", shape.dim, shape.ffn, 1},
        {"ffn_up.weight", shape.dim, shape.ffn, 1},
        {"ffn_down.weight", shape.ffn, shape.dim, 1},
        {"output.weight", shape.dim, shape.vocab, 0},
    };
    const size_t n_rows = sizeof tensors / sizeof tensors[0];
    test_random r = {seed};
    tiny_bytes b = {0}, data = {0};
    uint32_t count = 0;
    for (size_t i = 0; i < n_rows; i++)
        count += tensors[i].per_layer ? shape.layers : i + 1 < n_rows || !shape.tied;
    tiny_head(&b, count, 14);
    tiny_key_string(&b, "general.architecture", "llama");
    tiny_key_u32(&b, "llama.block_count", shape.layers);
    tiny_key_u32(&b, "llama.context_length", shape.context);
    tiny_key_u32(&b, "llama.embedding_length", shape.dim);
    tiny_key_u32(&b, "llama.feed_forward_length", shape.ffn);
    tiny_key_u32(&b, "llama.attention.head_count", shape.heads);
    tiny_key_u32(&b, "llama.attention.head_count_kv", shape.kv_heads);
    tiny_string(&b, "llama.attention.layer_norm_rms_epsilon");
    const float eps = 1e-5f;
    tiny_u32(&b, 6), tiny_put(&b, &eps, 4);
    tiny_vocabulary(&b, shape.vocab); /* six keys */
    for (size_t i = 0; i < n_rows; i++)
        for (uint32_t layer = 0;
             layer < (tensors[i].per_layer ? shape.layers : i + 1 < n_rows || !shape.tied);
             layer++) {
            char name[64];
            snprintf(name, sizeof name, tensors[i].per_layer ? "blk.%2$u.%1$s" : "%1$s",
                     tensors[i].name, (unsigned)layer);
            const tg_quant_row *row = &tg_quants[tensors[i].rows ? shape.type : TG_QUANT_F32];
            tiny_string(&b, name);
            tiny_u32(&b, tensors[i].rows ? 2 : 1);
            tiny_u64(&b, tensors[i].cols);
            if (tensors[i].rows)
                tiny_u64(&b, tensors[i].rows);
            tiny_u32(&b, row->ggml);
            tiny_u64(&b, data.size);
            tiny_weights(&data, row,
                         (size_t)tensors[i].cols * (tensors[i].rows ? tensors[i].rows : 1),
                         tensors[i].rows ? 1 / sqrtf((float)tensors[i].cols) : 1, &r);
            while (data.size % 32)
                tiny_put(&data, "", 1);
        }
    while (b.size % 32)
        tiny_put(&b, "", 1);
    tiny_put(&b, data.data, data.size);
    free(data.data);
    *size = b.size;
    return b.data;
}

#endif
