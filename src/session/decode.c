/* The forward pass: embedding, layers (layers/layer.c), last norm, output matrix. */
#include "decode.h"

#include <string.h>

void tgi_decoder_layout(tg_decoder *d, tg_arena *arena)
{
    tgi_scratch_layout(&d->scratch, arena);
    d->hidden = tgi_plan_rows(arena, TG_LOGIT_ROWS, d->scratch.hparams->n_embd);
    d->logits = tgi_plan_rows(arena, TG_LOGIT_ROWS, d->scratch.hparams->n_vocab);
    d->n_decoded = 0;
    d->n_rows = 0;
}

void tgi_decoder_prepare(tg_decoder *d, uint32_t n_ctx)
{
    const tg_model_weights *w = d->weights;
    const tg_vector *factors = &w->rope_freqs;
    if (!factors->length)
        factors = n_ctx > d->scratch.hparams->n_ctx_orig ? &w->rope_long : &w->rope_short;
    tgi_rope_prepare(&d->scratch, factors->length ? factors->values : NULL);
}

void tgi_decode_begin(tg_decoder *d, const tg_batch *batch)
{
    const tg_model_weights *w = d->weights;
    /* x [n][n_embd] */
    tgi_embed(&d->scratch, batch, &w->token_embd, &w->position_embd);
    if (w->per_layer_token_embd.rows)
        tgi_per_layer_prepare(&d->scratch, &w->per_layer_token_embd, &w->per_layer_model_proj,
                              &w->per_layer_proj_norm);
    d->n_batch = batch->n;
    d->layer = 0;
    d->n_rows = 0;
}

bool tgi_decode_layers(tg_decoder *d, uint32_t max_layers)
{
    tg_scratch *s = &d->scratch;
    const uint32_t n_layer = s->hparams->n_layer;
    for (; max_layers && d->layer < n_layer; d->layer++, max_layers--) {
        if (s->batch->plans)
            d->at_boundary(d->context, d->layer);
        tgi_layer(s, &d->weights->layers[d->layer], d->layer);
    }
    if (d->layer < n_layer)
        return false;
    if (s->batch->plans)
        d->at_boundary(d->context, n_layer);
    /* norm [n][n_embd]: the hidden states */
    tgi_norm(s, s->x, &d->weights->output_norm, &d->weights->output_norm_b, s->norm);
    d->n_decoded += d->n_batch;
    return true;
}

/* logits [n][n_vocab] = W_output hidden, for n rows of the batch; n_rows is 0 when the pool of
 * threads has failed. */
static void compute_logits(tg_decoder *d, const uint32_t *rows, uint32_t n)
{
    tg_scratch *s = &d->scratch;
    const tg_model_weights *w = d->weights;
    const size_t embd = tgi_padded(s->hparams->n_embd), vocab = tgi_padded(s->hparams->n_vocab);
    const double start = tgi_profile_begin(&s->profile), matmul_ms = s->profile.ms[TG_STEP_matmul];
    /* one row is where it should be already */
    const float *x = n == 1 ? s->norm + rows[0] * embd : d->hidden;
    for (uint32_t i = 0; i < n; i++) {
        if (n > 1)
            memcpy(d->hidden + i * embd, s->norm + rows[i] * embd, embd * sizeof *d->hidden);
        d->rows[i] = rows[i];
    }
    d->n_rows = n;
    tgi_activations_changed(s); /* act may hold other rows of the same floats */
    tgi_matmul(s, x, embd, n, &(tg_matmul_op){tgi_output_matrix(w), d->logits, vocab, w->output_b},
               1);
    tgi_scale_logits(s, d->logits, n);
    s->profile.ms[TG_STEP_matmul] = matmul_ms; /* the time counts as TG_STEP_logits alone */
    tgi_profile_end(&s->profile, TG_STEP_logits, start);
    if (tgi_pool_failed(s->pool))
        d->n_rows = 0;
}

const float *tgi_decode_lens(tg_decoder *d, const uint32_t *rows, uint32_t n, bool prepared)
{
    tg_scratch *s = &d->scratch;
    if (!prepared) /* norm is free between layers */
        tgi_norm(s, s->x, &d->weights->output_norm, &d->weights->output_norm_b, s->norm);
    compute_logits(d, rows, n);
    const bool ok = d->n_rows > 0;
    d->n_rows = 0; /* they are not the rows' logits */
    tgi_activations_changed(s);
    return ok ? d->logits : NULL;
}

/* The logits of a row that compute_logits computed last; NULL: it is not among them. */
static const float *find_logits(const tg_decoder *d, uint32_t row)
{
    for (uint32_t i = 0; i < d->n_rows; i++)
        if (d->rows[i] == row)
            return d->logits + i * tgi_padded(d->scratch.hparams->n_vocab);
    return NULL;
}

const float *tgi_decode_logits(tg_decoder *d, uint32_t row)
{
    const float *found = find_logits(d, row);
    if (found)
        return found;
    uint32_t rows[TG_LOGIT_ROWS], n = 0;
    while (n < TG_LOGIT_ROWS && row + n < d->n_batch) {
        rows[n] = row + n;
        n++;
    }
    compute_logits(d, rows, n);
    return find_logits(d, row);
}

bool tgi_decode_copy_logits(tg_decoder *d, const uint32_t *rows, uint32_t n, float *const *outs)
{
    const uint32_t n_vocab = d->scratch.hparams->n_vocab;
    for (uint32_t done = 0; done < n; done += TG_LOGIT_ROWS) {
        const uint32_t n_now = n - done < TG_LOGIT_ROWS ? n - done : TG_LOGIT_ROWS;
        compute_logits(d, rows + done, n_now);
        for (uint32_t i = 0; i < d->n_rows; i++)
            memcpy(outs[done + i], d->logits + i * tgi_padded(n_vocab), n_vocab * sizeof **outs);
        if (!d->n_rows)
            return false;
    }
    return true;
}

const float *tgi_decode_hidden_states(const tg_decoder *d, uint32_t row)
{
    return d->scratch.norm + row * tgi_padded(d->scratch.hparams->n_embd);
}
