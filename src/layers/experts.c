/* A mixture of experts (Shazeer et al. 2017). The router chooses n_expert_used feed-forward
 * networks for each token. The experts run one after the other, each for the tokens that use it. A
 * token's sum is added up in the order of the experts' numbers, so that it does not depend on the
 * rest of the batch. */
#include "layers.h"
#include "../kernels/exp.h"

#include <math.h>
#include <string.h>

/* A chosen expert with a probability near 0 gets this weight: 0 means not chosen. */
#define MIN_WEIGHT 1e-30f

/* Items are tokens: softmax of the router's scores, and the n_expert_used largest become weights.
 * Of equal ones the first is chosen. */
static void choose(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_scratch *s = context;
    const tg_hparams *hp = s->hparams;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        float *p = s->router_probs + t * tgi_padded(hp->n_expert);
        float *weights = s->expert_weights + t * hp->n_expert;
        float max = p[0], sum = 0, weight_sum = 0;
        for (uint32_t e = 0; e < hp->n_expert; e++) {
            max = p[e] > max ? p[e] : max;
            weights[e] = 0;
        }
        for (uint32_t e = 0; e < hp->n_expert; e++)
            sum += p[e] = tgi_exp(p[e] - max);
        for (uint32_t k = 0; k < hp->n_expert_used; k++) {
            uint32_t best = 0;
            for (uint32_t e = 1; e < hp->n_expert; e++)
                best = p[e] > p[best] ? e : best;
            /* NaN stays NaN and reaches the token's logits */
            weights[best] =
                p[best] / sum > MIN_WEIGHT || isnan(p[best]) ? p[best] / sum : MIN_WEIGHT;
            weight_sum += weights[best];
            p[best] = -1;
        }
        for (uint32_t e = 0; e < hp->n_expert && hp->norm_expert_weights; e++)
            weights[e] /= weight_sum;
    }
}

/* out = down . (activation(gate . x) * (up . x)) for n rows of x */
static void feed_forward(tg_scratch *s, const float *x, uint32_t n, uint32_t width,
                         const tg_matrix *gate, const tg_matrix *up, const tg_matrix *down)
{
    const size_t embd = tgi_padded(s->hparams->n_embd), ff = tgi_padded(width);
    tgi_matmul(s, x, embd, n,
               (tg_matmul_op[]){{.matrix = gate, .y = s->gate, .y_stride = ff},
                                {.matrix = up, .y = s->up, .y_stride = ff}},
               2);
    tgi_ffn_activation(s, n, width, s->gate, s->up);
    tgi_matmul(s, s->gate, ff, n, &(tg_matmul_op){.matrix = down, .y = s->out, .y_stride = embd},
               1);
}

/* Adds one expert's output to the sums of the tokens that use it. */
static void run_expert(tg_scratch *s, const tg_layer *w, uint32_t e)
{
    const tg_hparams *hp = s->hparams;
    const size_t embd = tgi_padded(hp->n_embd);
    const uint32_t n = s->batch->n, n_ff = hp->n_ff_expert;
    uint32_t rows[TG_BATCH], n_rows = 0; /* the tokens that use it */
    for (uint32_t t = 0; t < n; t++)
        if (s->expert_weights[(size_t)t * hp->n_expert + e] != 0)
            rows[n_rows++] = t;
    if (!n_rows)
        return;
    const bool all = n_rows == n;
    for (uint32_t i = 0; i < n_rows && !all; i++)
        memcpy(s->expert_in + i * embd, s->norm + rows[i] * embd, embd * sizeof(float));
    tgi_activations_changed(s);
    const tg_matrix gate = tgi_matrix_part(&w->ffn_gate_exps, e * n_ff, n_ff);
    const tg_matrix up = tgi_matrix_part(&w->ffn_up_exps, e * n_ff, n_ff);
    const tg_matrix down = tgi_matrix_part(&w->ffn_down_exps, e * hp->n_embd, hp->n_embd);
    feed_forward(s, all ? s->norm : s->expert_in, n_rows, n_ff, &gate, &up, &down);
    for (uint32_t i = 0; i < n_rows; i++) {
        const float weight = s->expert_weights[(size_t)rows[i] * hp->n_expert + e];
        for (uint32_t k = 0; k < hp->n_embd; k++)
            s->experts_sum[rows[i] * embd + k] += s->out[i * embd + k] * weight;
    }
}

void tgi_experts(tg_scratch *s, const tg_layer *w)
{
    const tg_hparams *hp = s->hparams;
    const size_t embd = tgi_padded(hp->n_embd);
    const uint32_t n = s->batch->n;
    tgi_matmul(s, s->norm, embd, n,
               &(tg_matmul_op){.matrix = &w->ffn_router,
                               .y = s->router_probs,
                               .y_stride = tgi_padded(hp->n_expert)},
               1);
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, n, 8, choose, s);
    tgi_profile_end(&s->profile, TG_STEP_activation, start);
    memset(s->experts_sum, 0, n * embd * sizeof *s->experts_sum);
    for (uint32_t e = 0; e < hp->n_expert; e++)
        run_expert(s, w, e);
    if (w->ffn_gate_shexp.rows) { /* the expert that every token uses */
        tgi_activations_changed(s);
        feed_forward(s, s->norm, n, hp->n_ff_shexp, &w->ffn_gate_shexp, &w->ffn_up_shexp,
                     &w->ffn_down_shexp);
        for (size_t i = 0; i < n * embd; i++)
            s->experts_sum[i] += s->out[i];
    }
    memcpy(s->out, s->experts_sum, n * embd * sizeof *s->out);
}
