/* Plans the memory for activations, from the hyper-parameters. */
#include "layers.h"

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void tgi_scratch_layout(tg_scratch *s, tg_arena *arena)
{
    const tg_hparams *hp = s->hparams;
    const size_t embd = tgi_padded(hp->n_embd), q = tgi_padded((size_t)hp->n_head * hp->head_dim);
    const size_t kv = tgi_padded((size_t)hp->n_head_kv * hp->head_dim);
    const uint32_t max_ff = max(max(max(hp->n_ff, hp->n_embd), hp->n_embd_per_layer),
                                max(hp->n_ff_expert, hp->n_ff_shexp));
    const size_t ff = tgi_padded(max_ff);
    s->x = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    s->norm = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    s->q = tgi_arena_alloc(arena, TG_BATCH * q, sizeof(float));
    s->k = tgi_arena_alloc(arena, TG_BATCH * kv, sizeof(float));
    s->v = tgi_arena_alloc(arena, TG_BATCH * kv, sizeof(float));
    s->attn_out = tgi_arena_alloc(arena, TG_BATCH * q, sizeof(float));
    s->gate = tgi_arena_alloc(arena, TG_BATCH * ff, sizeof(float));
    s->up = tgi_arena_alloc(arena, TG_BATCH * ff, sizeof(float));
    s->out = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    s->act_blocks =
        (max(max_ff, max(hp->n_head * hp->head_dim, hp->delta_n_head * hp->delta_head_dim)) + 31) /
        32;
    s->act = tgi_arena_alloc(arena, TG_BATCH * s->act_blocks, sizeof *s->act);
    if (hp->n_expert) {
        s->router_probs =
            tgi_arena_alloc(arena, TG_BATCH * tgi_padded(hp->n_expert), sizeof(float));
        s->expert_weights =
            tgi_arena_alloc(arena, TG_BATCH * (uint64_t)hp->n_expert, sizeof(float));
        s->experts_sum = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
        s->expert_in = tgi_arena_alloc(arena, TG_BATCH * embd, sizeof(float));
    }
    if (hp->n_embd_per_layer) {
        const uint64_t all = (uint64_t)hp->n_layer * tgi_padded(hp->n_embd_per_layer);
        s->per_layer_embd = tgi_arena_alloc(arena, all * TG_BATCH, sizeof(float));
        s->per_layer_row = tgi_arena_alloc(arena, all * tgi_pool_n_threads(s->pool), sizeof(float));
    }
    if (hp->q_gate)
        s->q_gate = tgi_arena_alloc(
            arena, TG_BATCH * tgi_padded(2 * (size_t)hp->n_head * hp->head_dim), sizeof(float));
    if (hp->delta_n_head)
        tgi_delta_net_layout(s, arena);
    tgi_rope_layout(s, arena);
    tgi_attention_layout(s, arena);
}
