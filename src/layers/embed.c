/* From tokens to the residual stream. */
#include "layers.h"

typedef struct embed_task {
    tg_scratch *s;
    const tg_matrix *token_embd, *position_embd;
} embed_task;

static void embed(void *context, size_t first, size_t last, uint32_t thread)
{
    const embed_task *task = context;
    const tg_scratch *s = task->s;
    const tg_hparams *hp = s->hparams;
    const size_t embd = tgi_padded(hp->n_embd);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *x = s->x + t * embd;
        tgi_matrix_row(task->token_embd, (uint32_t)s->batch->tokens[t], x);
        if (hp->embedding_scale != 1)
            for (uint32_t i = 0; i < hp->n_embd; i++)
                x[i] *= hp->embedding_scale;
        if (hp->learned_positions) {
            float *position = s->norm + t * embd; /* norm is free until the first layer */
            tgi_matrix_row(task->position_embd, (uint32_t)s->batch->positions[t], position);
            for (uint32_t i = 0; i < hp->n_embd; i++)
                x[i] += position[i];
        }
        tgi_rope_angles(s, t);
    }
}

void tgi_embed(tg_scratch *s, const tg_batch *batch, const tg_matrix *token_embd,
               const tg_matrix *position_embd)
{
    const double start = tgi_profile_begin(&s->profile);
    s->batch = batch;
    tgi_activations_changed(s);
    tgi_run(s, batch->n, 4, embed, &(embed_task){s, token_embd, position_embd});
    tgi_profile_end(&s->profile, TG_STEP_embed, start);
}
