/* In: a batch. Out: keys and values in the cache, logits in the decoder's scratch memory, which
 * lies in the model's arena. */
#include "decode.h"

void tgi_decoder_layout(tg_decoder *d, tg_arena *arena)
{
    tgi_forward_layout(&d->forward, arena);
    d->logits = tgi_arena_alloc(arena, TG_LOGIT_ROWS * tgi_padded(d->forward.hparams->n_vocab),
                                sizeof(float));
    d->decoded = 0;
    d->first_row = d->n_rows = 0;
}

void tgi_decoder_prepare(tg_decoder *d, uint32_t n_ctx)
{
    const tg_arch_weights *w = d->weights;
    const tg_vector *factors = w->rope_freqs.length                     ? &w->rope_freqs
                               : n_ctx > d->forward.hparams->n_ctx_orig ? &w->rope_long
                                                                        : &w->rope_short;
    tgi_rope_prepare(&d->forward, factors->length ? factors->values : NULL);
}

void tgi_decode_begin(tg_decoder *d, const tg_batch *batch)
{
    tgi_embed(&d->forward, batch, &d->weights->token_embd, &d->weights->position_embd);
    if (d->weights->per_layer.rows)
        tgi_per_layer_prepare(&d->forward, &d->weights->per_layer, &d->weights->per_layer_proj,
                              &d->weights->per_layer_norm);
    d->n_batch = batch->n;
    d->layer = 0;
    d->n_rows = 0;
}

bool tgi_decode_layers(tg_decoder *d, uint32_t most)
{
    tg_scratch *f = &d->forward;
    for (; most && d->layer < f->hparams->n_layer; d->layer++, most--)
        tgi_layer(f, &d->weights->layers[d->layer], d->layer);
    if (d->layer < f->hparams->n_layer)
        return false;
    tgi_norm(f, f->x, &d->weights->output_norm, &d->weights->output_norm_b, f->norm);
    d->decoded += d->n_batch;
    return true;
}

const float *tgi_decode_logits(tg_decoder *d, uint32_t row)
{
    tg_scratch *f = &d->forward;
    const size_t embd = tgi_padded(f->hparams->n_embd), vocab = tgi_padded(f->hparams->n_vocab);
    if (row < d->first_row || row >= d->first_row + d->n_rows) {
        const tg_matrix *output = d->weights->tied ? &d->weights->token_embd : &d->weights->output;
        d->first_row = row;
        d->n_rows = d->n_batch - row < TG_LOGIT_ROWS ? d->n_batch - row : TG_LOGIT_ROWS;
        tgi_activations_changed(f); /* act may hold other rows of the same floats */
        const double begun = tgi_profile_begin(f), before = f->times[TG_STEP_product];
        tgi_matmul(f, f->norm + row * embd, embd, d->n_rows,
                   &(tg_matmul_op){output, d->logits, vocab, d->weights->output_b}, 1);
        tgi_scale_logits(f, d->logits, d->n_rows);
        f->times[TG_STEP_product] = before; /* it counts as a step of its own */
        tgi_profile_end(f, TG_STEP_logits, begun);
        if (tgi_pool_failed(f->pool)) {
            d->n_rows = 0;
            return NULL;
        }
    }
    return d->logits + (row - d->first_row) * vocab;
}

const float *tgi_decode_hidden_states(const tg_decoder *d, uint32_t row)
{
    return d->forward.norm + row * tgi_padded(d->forward.hparams->n_embd);
}
