/* Embeddings for each layer (Gemma 3n, Gemma 4): besides its embedding a token gives a short vector
 * to every layer, half from a table and half from its embedding, which the layer mixes into the
 * residual stream through a gate. In: the embedded batch in x. Out: f->per_layer, and gates
 * multiplied by it. */
#include "forward.h"

#include <math.h>

typedef struct given {
    tg_scratch *f;
    const tg_matrix *table;
    const tg_vector *norm;
    uint32_t layer;
} given;

static float *slice(const tg_scratch *f, uint32_t layer)
{
    return f->per_layer + (size_t)layer * TG_BATCH * tgi_padded(f->hparams->n_per_layer);
}

/* Items are tokens: their rows of the table, dealt out to the layers. */
static void look_up(void *context, size_t first, size_t last, uint32_t thread)
{
    const given *g = context;
    const tg_scratch *f = g->f;
    const size_t n = f->hparams->n_per_layer, n_layer = f->hparams->n_layer;
    const float scale = sqrtf((float)n);
    float *row = f->per_layer_rows + thread * n * n_layer;
    for (size_t t = first; t < last; t++) {
        tgi_matrix_row(g->table, (uint32_t)f->batch->tokens[t], row);
        for (size_t layer = 0; layer < n_layer; layer++)
            for (size_t i = 0; i < n; i++)
                slice(f, (uint32_t)layer)[t * tgi_padded(n) + i] = row[layer * n + i] * scale;
    }
}

/* Items are tokens: the mean of both halves, so that it is as large as each. */
static void mix(void *context, size_t first, size_t last, uint32_t thread)
{
    const given *g = context;
    const tg_scratch *f = g->f;
    const tg_hparams *hp = f->hparams;
    const size_t n = hp->n_per_layer;
    const float scale = 1 / sqrtf((float)hp->n_embd), half = sqrtf(0.5f);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *to = slice(f, g->layer) + t * tgi_padded(n),
              *projected = f->gate + t * tgi_padded(n);
        for (size_t i = 0; i < n; i++)
            projected[i] *= scale;
        f->kernels->rmsnorm_f32(projected, g->norm->values, hp->norm_eps, n, projected);
        for (size_t i = 0; i < n; i++)
            to[i] = (to[i] + projected[i]) * half;
    }
}

void tgi_per_layer_prepare(tg_scratch *f, const tg_matrix *table, const tg_matrix *projection,
                           const tg_vector *norm)
{
    const tg_hparams *hp = f->hparams;
    given g = {.f = f, .table = table, .norm = norm};
    double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 4, look_up, &g);
    tgi_profile_end(f, TG_STEP_embed, begun);
    for (; g.layer < hp->n_layer; g.layer++) {
        const tg_matrix part =
            tgi_matrix_part(projection, g.layer * hp->n_per_layer, hp->n_per_layer);
        tgi_matmul(f, f->x, tgi_padded(hp->n_embd), f->batch->n,
                   &(tg_matmul_op){.matrix = &part, f->gate, tgi_padded(hp->n_per_layer)}, 1);
        begun = tgi_profile_begin(f);
        tgi_run(f, f->batch->n, 4, mix, &g);
        tgi_profile_end(f, TG_STEP_embed, begun);
    }
}

void tgi_per_layer_gate(tg_scratch *f, uint32_t index)
{
    tgi_ffn_activation(f, f->batch->n, f->hparams->n_per_layer, f->gate, slice(f, index));
}
