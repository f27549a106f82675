/* From tokens to logits. In: a batch with what each token sees. Out: the cache extended by it, and
 * logits. The decoder's memory lies in the model's arena. */
#ifndef TG_DECODE_H
#define TG_DECODE_H

#include "../model/arch.h"
#include "../layers/forward.h"

#define TG_LOGIT_ROWS 4 /* positions whose logits are computed together */

typedef struct tg_decoder {
    const tg_arch_weights *weights;
    tg_scratch forward;
    float *logits;              /* [TG_LOGIT_ROWS][padded n_vocab] */
    uint32_t n_batch, layer;    /* tokens in the batch last run; the layer that comes next */
    uint32_t first_row, n_rows; /* of it, that logits holds */
    uint64_t decoded;           /* tokens run so far */
} tg_decoder;

/* Counts or places its memory; weights and forward's kernels, hparams and kv must be set. */
void tgi_decoder_layout(tg_decoder *decoder, tg_arena *arena);

/* Once the weights are there, for sessions of n_ctx positions: long-rope models have factors for
 * short and for long ones. */
void tgi_decoder_prepare(tg_decoder *decoder, uint32_t n_ctx);

/* Takes up a batch, whose slots of the cache are writable (tgi_kv_reserve); it must stay where it
 * is until its last layer has run.
 */
void tgi_decode_begin(tg_decoder *decoder, const tg_batch *batch);
/* Runs its next layers, at most so many; returns whether that was the last. Once the pool of
 * threads has failed (tgi_pool_failed), what comes out is worth nothing. */
bool tgi_decode_layers(tg_decoder *decoder, uint32_t most);

/* Logits of row `row` of the batch last run: a view of n_vocab floats, valid until the next call.
 * Rows are best asked for in order. NULL when the pool of threads has failed. */
const float *tgi_decode_logits(tg_decoder *decoder, uint32_t row);
/* What row's logits are computed from, the normalized output of the last layer: a view of n_embd
 * floats, likewise. */
const float *tgi_decode_hidden_states(const tg_decoder *decoder, uint32_t row);

#endif
