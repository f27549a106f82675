/* What the two ways to compute attention share: the streamed softmax (attention.c) and whole rows
 * (attention_rows.c). Scores are in powers of 2, as the softmax takes them. */
#ifndef TG_ATTENTION_H
#define TG_ATTENTION_H

#include "../kernels/exp.h"
#include "layers.h"

#include <math.h>

/* What a query is multiplied by before its product with the keys. */
static inline float tgi_attention_scale(const tg_hparams *hp, size_t head_dim)
{
    return hp->attention_scale > 0 ? TG_LOG2E * hp->attention_scale
                                   : TG_LOG2E / sqrtf((float)head_dim);
}

/* The first position that the query at a position sees. window: 0: all positions. */
static inline uint32_t tgi_first_key(uint32_t window, uint32_t position)
{
    return window && position + 1 > window ? position + 1 - window : 0;
}

/* Quantizes the first n queries in mem, if the cache's type wants that. */
static inline void tgi_quantize_queries(const tg_scratch *s, const tg_attention_scratch *mem,
                                        size_t n, size_t head_dim)
{
    if (tg_quants[tg_kv_type_table[s->kv->type_k].quant].activation == TG_ACT_Q8)
        s->kernels->quantize_q8(mem->queries, n * head_dim, mem->act);
}

/* mem->scores[i..end)[TG_PAGE] = the capped scores of queries i to end - 1 of mem with all keys of
 * a block. softcap: in powers of 2; 0: none. */
static inline void tgi_score_block(const tg_scratch *s, const tg_attention_scratch *mem,
                                   size_t head_dim, float softcap, uint32_t i, uint32_t end,
                                   const uint8_t *block)
{
    float *scores = mem->scores;
    const tg_quant_row *quant = &tg_quants[tg_kv_type_table[s->kv->type_k].quant];
    const bool is_q8 = quant->activation == TG_ACT_Q8;
    const size_t stride = is_q8 ? head_dim / 32 * sizeof(tg_act_q8) : head_dim * sizeof(float);
    const uint8_t *x = is_q8 ? (const uint8_t *)mem->act : (const uint8_t *)mem->queries;
    s->matmul_keys(block, head_dim / quant->block, 0, TG_PAGE / TG_TILE_ROWS, x + i * stride,
                   stride, end - i, scores + i * TG_PAGE, TG_PAGE);
    if (softcap > 0)
        for (uint32_t k = i * TG_PAGE; k < end * TG_PAGE; k++)
            scores[k] = softcap * tgi_tanh(scores[k] / softcap);
}

#endif
