/* A mixture of experts (Shazeer et al. 2017): each token takes the feed-forwards that the router
 * thinks most of. In: norm of a batch. Out: out. Experts run one after the other, each for the
 * tokens that take it; a token's sum is added up in the order of the experts' numbers, whoever else
 * is in the batch. */
#include "forward.h"
#include "../kernels/exp.h"

#include <math.h>
#include <string.h>

/* chosen[e] of each token: the weight of expert e, 0 for those it does not take. Of equal experts
 * the first is taken. */
static void choose(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_scratch *f = context;
    const tg_hparams *hp = f->hparams;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *p = f->router + t * tgi_padded(hp->n_expert), *chosen = f->chosen + t * hp->n_expert;
        float most = p[0], sum = 0, taken = 0;
        for (uint32_t e = 0; e < hp->n_expert; e++) {
            most = p[e] > most ? p[e] : most;
            chosen[e] = 0;
        }
        for (uint32_t e = 0; e < hp->n_expert; e++)
            sum += p[e] = tgi_exp(p[e] - most);
        for (uint32_t k = 0; k < hp->n_expert_used; k++) {
            uint32_t best = 0;
            for (uint32_t e = 1; e < hp->n_expert; e++)
                best = p[e] > p[best] ? e : best;
            /* one that can hardly count is still a number above 0, which means taken; a broken one
             * breaks the token */
            chosen[best] = p[best] / sum > 1e-30f || isnan(p[best]) ? p[best] / sum : 1e-30f;
            taken += chosen[best];
            p[best] = -1;
        }
        for (uint32_t e = 0; e < hp->n_expert && hp->experts_sum_to_one; e++)
            chosen[e] /= taken;
    }
}

/* y = down . (unit(gate . x) * (up . x)) for n tokens, into out */
static void feed_forward(tg_scratch *f, const float *x, uint32_t n, uint32_t width,
                         const tg_matrix *gate, const tg_matrix *up, const tg_matrix *down)
{
    const size_t embd = tgi_padded(f->hparams->n_embd), ff = tgi_padded(width);
    tgi_matmul(f, x, embd, n,
               (tg_matmul_op[]){{.matrix = gate, f->gate, ff}, {.matrix = up, f->up, ff}}, 2);
    tgi_ffn_activation(f, n, width, f->gate, f->up);
    tgi_matmul(f, f->gate, ff, n, &(tg_matmul_op){.matrix = down, f->out, embd}, 1);
}

void tgi_experts(tg_scratch *f, const tg_layer *w)
{
    const tg_hparams *hp = f->hparams;
    const size_t embd = tgi_padded(hp->n_embd);
    const uint32_t n = f->batch->n;
    tgi_matmul(f, f->norm, embd, n,
               &(tg_matmul_op){.matrix = &w->ffn_router, f->router, tgi_padded(hp->n_expert)}, 1);
    const double begun = tgi_profile_begin(f);
    tgi_run(f, n, 8, choose, f);
    tgi_profile_end(f, TG_STEP_unit, begun);
    memset(f->mixed, 0, n * embd * sizeof *f->mixed);
    for (uint32_t e = 0; e < hp->n_expert; e++) {
        uint32_t rows[TG_BATCH], n_rows = 0;
        for (uint32_t t = 0; t < n; t++)
            if (f->chosen[(size_t)t * hp->n_expert + e] != 0)
                rows[n_rows++] = t;
        if (!n_rows)
            continue;
        const bool all = n_rows == n; /* as always with one token */
        for (uint32_t i = 0; i < n_rows && !all; i++)
            memcpy(f->gathered + i * embd, f->norm + rows[i] * embd, embd * sizeof(float));
        tgi_activations_changed(f);
        const tg_matrix gate =
            tgi_matrix_part(&w->ffn_gate_exps, e * hp->n_ff_expert, hp->n_ff_expert);
        const tg_matrix up = tgi_matrix_part(&w->ffn_up_exps, e * hp->n_ff_expert, hp->n_ff_expert);
        const tg_matrix down = tgi_matrix_part(&w->ffn_down_exps, e * hp->n_embd, hp->n_embd);
        feed_forward(f, all ? f->norm : f->gathered, n_rows, hp->n_ff_expert, &gate, &up, &down);
        for (uint32_t i = 0; i < n_rows; i++) {
            const float weight = f->chosen[(size_t)rows[i] * hp->n_expert + e];
            for (uint32_t k = 0; k < hp->n_embd; k++)
                f->mixed[rows[i] * embd + k] += f->out[i * embd + k] * weight;
        }
    }
    if (w->ffn_gate_shexp.rows) {
        tgi_activations_changed(f);
        feed_forward(f, f->norm, n, hp->n_ff_shared, &w->ffn_gate_shexp, &w->ffn_up_shexp,
                     &w->ffn_down_shexp);
        for (size_t i = 0; i < n * embd; i++)
            f->mixed[i] += f->out[i];
    }
    memcpy(f->out, f->mixed, n * embd * sizeof *f->out);
}
