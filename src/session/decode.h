/* Conducts a batch from tokens to logits: the embedding, the layers, the last norm, the output
 * matrix. The decoder's memory lies in the model's arena. */
#ifndef TG_DECODE_H
#define TG_DECODE_H

#include "../layers/layers.h"
#include "../model/arch.h"

#define TG_LOGIT_ROWS 8 /* rows whose logits are computed together */

typedef struct tg_decoder {
    const tg_model_weights *weights;
    tg_scratch scratch;
    float *hidden;                /* [TG_LOGIT_ROWS][padded n_embd] the rows behind the logits */
    float *logits;                /* [TG_LOGIT_ROWS][padded n_vocab] */
    uint32_t n_batch;             /* rows of the last batch */
    uint32_t layer;               /* the layer to run next */
    uint32_t rows[TG_LOGIT_ROWS]; /* [n_rows] the rows of the batch whose logits are in logits */
    uint32_t n_rows;
    uint64_t n_decoded; /* rows that went through all layers so far */
    /* Called at each boundary of a batch with plans: boundary l is the input of layer l. */
    void (*at_boundary)(void *context, uint32_t boundary);
    void *context;
} tg_decoder;

/* Plans the memory (arena->base NULL: counts it). weights, and the fields of scratch that
 * tgi_scratch_layout needs, must be set. */
void tgi_decoder_layout(tg_decoder *decoder, tg_arena *arena);

/* Once the weights are loaded. n_ctx: positions of a session. Long-rope models have factors for
 * short and for long contexts. */
void tgi_decoder_prepare(tg_decoder *decoder, uint32_t n_ctx);

/* Starts a batch. Its slots in the cache must be writable (tgi_cache_reserve). batch must stay
 * where it is until the last layer has run. */
void tgi_decode_begin(tg_decoder *decoder, const tg_batch *batch);
/* Runs the next max_layers layers at most; returns whether the batch is done. When the pool of
 * threads has failed (tgi_pool_failed), the results are not valid. */
bool tgi_decode_layers(tg_decoder *decoder, uint32_t max_layers);

/* Computes the logits that n rows, at most TG_LOGIT_ROWS, would have if the last layer's output
 * were their residual as it is now; for at_boundary. prepared: the norm of the rows is there from
 * the call before at the same boundary. Row after row, tgi_padded(n_vocab) floats each; NULL: the
 * pool of threads has failed. */
const float *tgi_decode_lens(tg_decoder *decoder, const uint32_t *rows, uint32_t n, bool prepared);

/* The logits of one row of the last batch: [n_vocab], valid until the next call. Rows in ascending
 * order are computed once. NULL: the pool of threads has failed. */
const float *tgi_decode_logits(tg_decoder *decoder, uint32_t row);
/* Copies the logits of n rows of the last batch to outs[i] [n_vocab] each. Returns false when the
 * pool of threads has failed. */
bool tgi_decode_copy_logits(tg_decoder *decoder, const uint32_t *rows, uint32_t n,
                            float *const *outs);
/* The hidden state from which a row's logits are computed, the normed output of the last layer:
 * [n_embd], valid until the next batch. */
const float *tgi_decode_hidden_states(const tg_decoder *decoder, uint32_t row);

#endif
