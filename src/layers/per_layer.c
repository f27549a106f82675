/* Embeddings for each layer (Gemma 3n, Gemma 4). Besides its embedding a token gives a short vector
 * to every layer, half from a table and half from a projection of its embedding. The layer mixes
 * the vector into the residual stream through a gate. Items of all tasks are tokens. */
#include "layers.h"

#include <math.h>

typedef struct per_layer_task {
    tg_scratch *s;
    const tg_matrix *table;
    const tg_vector *norm;
    uint32_t layer;
} per_layer_task;

/* The batch's vectors for one layer: [TG_BATCH][padded n_embd_per_layer]. */
static float *layer_embd(const tg_scratch *s, uint32_t layer)
{
    return s->per_layer_embd + (size_t)layer * TG_BATCH * tgi_padded(s->hparams->n_embd_per_layer);
}

/* Splits each token's row of the table among the layers. */
static void look_up(void *context, size_t first, size_t last, uint32_t thread)
{
    const per_layer_task *task = context;
    const tg_scratch *s = task->s;
    const size_t n = s->hparams->n_embd_per_layer, n_layer = s->hparams->n_layer;
    const float scale = sqrtf((float)n);
    float *row = s->per_layer_row + thread * n * n_layer;
    for (size_t t = first; t < last; t++) {
        tgi_matrix_row(task->table, (uint32_t)s->batch->tokens[t], row);
        for (size_t layer = 0; layer < n_layer; layer++)
            for (size_t i = 0; i < n; i++)
                layer_embd(s, (uint32_t)layer)[t * tgi_padded(n) + i] = row[layer * n + i] * scale;
    }
}

/* (row of the table + norm(projection)) / sqrt(2), which keeps the magnitude of each. */
static void combine(void *context, size_t first, size_t last, uint32_t thread)
{
    const per_layer_task *task = context;
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const size_t n = hp->n_embd_per_layer;
    const float scale = 1 / sqrtf((float)hp->n_embd), half = sqrtf(0.5f);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *embd = layer_embd(s, task->layer) + t * tgi_padded(n),
              *projected = s->gate + t * tgi_padded(n);
        for (size_t i = 0; i < n; i++)
            projected[i] *= scale;
        s->kernels->rmsnorm_f32(projected, task->norm->values, hp->norm_eps, n, projected);
        for (size_t i = 0; i < n; i++)
            embd[i] = (embd[i] + projected[i]) * half;
    }
}

void tgi_per_layer_prepare(tg_scratch *s, const tg_matrix *table, const tg_matrix *projection,
                           const tg_vector *norm)
{
    const tg_hparams *hp = s->hparams;
    const uint32_t n = hp->n_embd_per_layer;
    per_layer_task task = {.s = s, .table = table, .norm = norm};
    double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 4, look_up, &task);
    tgi_profile_end(&s->profile, TG_STEP_embed, start);
    for (; task.layer < hp->n_layer; task.layer++) {
        const tg_matrix part = tgi_matrix_part(projection, task.layer * n, n);
        tgi_matmul(s, s->x, tgi_padded(hp->n_embd), s->batch->n,
                   &(tg_matmul_op){.matrix = &part, .y = s->gate, .y_stride = tgi_padded(n)}, 1);
        start = tgi_profile_begin(&s->profile);
        tgi_run(s, s->batch->n, 4, combine, &task);
        tgi_profile_end(&s->profile, TG_STEP_embed, start);
    }
}

void tgi_per_layer_gate(tg_scratch *s, uint32_t index)
{
    tgi_ffn_activation(s, s->batch->n, s->hparams->n_embd_per_layer, s->gate, layer_embd(s, index));
}
