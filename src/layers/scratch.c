/* Plans the memory for activations, from the hyper-parameters. */
#include "layers.h"

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* TG_BATCH rows of floats that a matrix product of this width writes. */
static float *batch_rows(tg_arena *arena, size_t width)
{
    return tgi_arena_alloc(arena, TG_BATCH * (uint64_t)tgi_padded(width), sizeof(float));
}

void tgi_scratch_layout(tg_scratch *s, tg_arena *arena)
{
    const tg_hparams *hp = s->hparams;
    const size_t embd = hp->n_embd, q = (size_t)hp->n_head * hp->head_dim,
                 kv = (size_t)hp->n_head_kv * hp->head_dim;
    const uint32_t max_ff = max(max(max(hp->n_ff, hp->n_embd), hp->n_embd_per_layer),
                                max(hp->n_ff_expert, hp->n_ff_shexp));
    s->x = batch_rows(arena, embd);
    s->norm = batch_rows(arena, embd);
    s->q = batch_rows(arena, q);
    s->k = batch_rows(arena, kv);
    s->v = batch_rows(arena, kv);
    s->attn_out = batch_rows(arena, q);
    s->gate = batch_rows(arena, max_ff);
    s->up = batch_rows(arena, max_ff);
    s->out = batch_rows(arena, embd);
    s->act_blocks =
        (max(max_ff, max(hp->n_head * hp->head_dim, hp->delta_n_head * hp->delta_head_dim)) + 31) /
        32;
    s->act = tgi_arena_alloc(arena, TG_BATCH * (uint64_t)s->act_blocks, sizeof *s->act);
    if (hp->n_expert) {
        s->router_probs = batch_rows(arena, hp->n_expert);
        s->expert_weights =
            tgi_arena_alloc(arena, TG_BATCH * (uint64_t)hp->n_expert, sizeof(float));
        s->experts_sum = batch_rows(arena, embd);
        s->expert_in = batch_rows(arena, embd);
    }
    if (hp->n_embd_per_layer) {
        const uint64_t all = (uint64_t)hp->n_layer * tgi_padded(hp->n_embd_per_layer);
        s->per_layer_embd = tgi_arena_alloc(arena, all * TG_BATCH, sizeof(float));
        s->per_layer_row = tgi_arena_alloc(arena, all * tgi_pool_n_threads(s->pool), sizeof(float));
    }
    if (hp->q_gate)
        s->q_gate = batch_rows(arena, 2 * q);
    if (hp->delta_n_head)
        tgi_delta_net_layout(s, arena);
    tgi_rope_layout(s, arena);
    tgi_attention_layout(s, arena);
}
