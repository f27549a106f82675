/* Plans the memory for activations, from the hyper-parameters. */
#include "layers.h"

static uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void tgi_scratch_layout(tg_scratch *s, tg_arena *arena)
{
    const tg_hparams *hp = s->hparams;
    const size_t embd = hp->n_embd, q = (size_t)hp->n_head * hp->head_dim,
                 kv = (size_t)hp->n_head_kv * hp->head_dim;
    const uint32_t max_ff = max(max(max(hp->n_ff, hp->n_embd), hp->n_embd_per_layer),
                                max(hp->n_ff_expert, hp->n_ff_shexp));
    s->x = tgi_plan_rows(arena, TG_BATCH, embd);
    s->norm = tgi_plan_rows(arena, TG_BATCH, embd);
    s->q = tgi_plan_rows(arena, TG_BATCH, q);
    s->k = tgi_plan_rows(arena, TG_BATCH, kv);
    s->v = tgi_plan_rows(arena, TG_BATCH, kv);
    s->attn_out = tgi_plan_rows(arena, TG_BATCH, q);
    s->gate = tgi_plan_rows(arena, TG_BATCH, max_ff);
    s->up = tgi_plan_rows(arena, TG_BATCH, max_ff);
    s->out = tgi_plan_rows(arena, TG_BATCH, embd);
    s->act_blocks =
        (max(max_ff, max(hp->n_head * hp->head_dim, hp->delta_n_head * hp->delta_head_dim)) + 31) /
        32;
    s->act = tgi_arena_alloc(arena, TG_BATCH * (uint64_t)s->act_blocks, sizeof *s->act);
    if (hp->n_expert) {
        s->router_probs = tgi_plan_rows(arena, TG_BATCH, hp->n_expert);
        s->expert_weights =
            tgi_arena_alloc(arena, TG_BATCH * (uint64_t)hp->n_expert, sizeof(float));
        s->experts_sum = tgi_plan_rows(arena, TG_BATCH, embd);
        s->expert_in = tgi_plan_rows(arena, TG_BATCH, embd);
    }
    if (hp->n_embd_per_layer) {
        const uint64_t all = (uint64_t)hp->n_layer * tgi_padded(hp->n_embd_per_layer);
        s->per_layer_embd = tgi_arena_alloc(arena, all * TG_BATCH, sizeof(float));
        s->per_layer_row = tgi_arena_alloc(arena, all * tgi_pool_n_threads(s->pool), sizeof(float));
    }
    if (hp->q_gate)
        s->q_gate = tgi_plan_rows(arena, TG_BATCH, 2 * q);
    if (hp->delta_n_head)
        tgi_delta_net_layout(s, arena);
    tgi_rope_layout(s, arena);
    tgi_attention_layout(s, arena);
}
