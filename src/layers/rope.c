/* Rotary position embedding (Su et al. 2021) with its scalings: linear, YaRN (Peng et al. 2023),
 * and factors for each pair (llama 3, long-rope). */
#include "layers.h"

#include <math.h>

/* Pairs of a head that are rotated; 0: no layer of this kind rotates. */
static uint32_t n_pairs(const tg_rope_params *rope)
{
    return rope->freq_base > 0 ? rope->dim / 2 : 0;
}

void tgi_rope_layout(tg_scratch *s, tg_arena *arena)
{
    for (int kind = 0; kind < TG_ROPE_KINDS; kind++) {
        const uint32_t pairs = n_pairs(&s->hparams->rope[kind]);
        s->rope_cos_sin[kind] =
            tgi_arena_alloc(arena, (uint64_t)TG_BATCH * pairs * 2, sizeof(float));
        s->rope_freqs[kind] = tgi_arena_alloc(arena, pairs, sizeof *s->rope_freqs[kind]);
    }
}

/* The pair, as a fraction, that makes this many rotations within n_ctx_orig positions. */
static double pair_of(const tg_hparams *hp, const tg_rope_params *rope, double rotations)
{
    return rope->dim * log(hp->n_ctx_orig / (rotations * 2 * 3.14159265358979323846)) /
           (2 * log(rope->freq_base));
}

void tgi_rope_prepare(tg_scratch *s, const float *factors)
{
    const tg_hparams *hp = s->hparams;
    for (int kind = 0; kind < TG_ROPE_KINDS; kind++) {
        const tg_rope_params *rope = &hp->rope[kind];
        double *freqs = s->rope_freqs[kind];
        const double low = fmax(floor(pair_of(hp, rope, rope->beta_fast)), 0);
        const double high = fmin(ceil(pair_of(hp, rope, rope->beta_slow)), (double)rope->dim - 1);
        for (uint32_t i = 0; i < n_pairs(rope); i++) {
            double unscaled = 0; /* the share of the unscaled angle */
            if (rope->yarn)
                unscaled = 1 - fmin(fmax((i - low) / fmax(high - low, 0.001), 0), 1);
            freqs[i] = pow(rope->freq_base, -2.0 * i / rope->dim);
            if (rope->freq_scale != 1) /* else the frequency keeps its bits */
                freqs[i] *= rope->freq_scale * (1 - unscaled) + unscaled;
            if (rope->freq_factors && factors)
                freqs[i] /= factors[i];
        }
    }
}

void tgi_rope_angles(const tg_scratch *s, size_t t)
{
    for (int kind = 0; kind < TG_ROPE_KINDS; kind++) {
        const tg_rope_params *rope = &s->hparams->rope[kind];
        const uint32_t pairs = n_pairs(rope);
        for (uint32_t i = 0; i < pairs; i++) {
            /* double: an angle of thousands of rotations keeps its fraction */
            const double angle = s->batch->positions[t] * s->rope_freqs[kind][i],
                         factor = rope->attn_factor;
            s->rope_cos_sin[kind][(t * pairs + i) * 2] = (float)(cos(angle) * factor);
            s->rope_cos_sin[kind][(t * pairs + i) * 2 + 1] = (float)(sin(angle) * factor);
        }
    }
}

/* Rotates n_heads heads of one token; row: [n_heads][head_dim], cos_sin: [dim / 2][2]. */
static void rotate(const tg_scratch *s, float *row, uint32_t n_heads, const tg_layer *w,
                   const float *cos_sin)
{
    const uint32_t pairs = s->hparams->rope[w->rope].dim / 2;
    const bool normal = s->hparams->rope_order == TG_ROPE_NORMAL;
    const uint32_t step = normal ? 2 : 1, apart = normal ? 1 : pairs;
    for (uint32_t h = 0; h < n_heads; h++, row += w->head_dim)
        for (uint32_t i = 0; i < pairs; i++) {
            const float cosine = cos_sin[2 * i], sine = cos_sin[2 * i + 1];
            const float a = row[step * i], b = row[step * i + apart];
            row[step * i] = a * cosine - b * sine;
            row[step * i + apart] = a * sine + b * cosine;
        }
}

/* Items are tokens. */
static void rope(void *context, size_t first, size_t last, uint32_t thread)
{
    const tg_layer_task *task = context;
    const tg_scratch *s = task->s;
    const tg_layer *w = task->w;
    const uint32_t n_head = s->hparams->n_head;
    const size_t q = tgi_padded((size_t)n_head * w->head_dim),
                 kv = tgi_padded((size_t)w->n_head_kv * w->head_dim);
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const float *cos_sin =
            s->rope_cos_sin[w->rope] + t * (s->hparams->rope[w->rope].dim / 2) * 2;
        rotate(s, s->q + t * q, n_head, w, cos_sin);
        if (!w->kv_shared)
            rotate(s, s->k + t * kv, w->n_head_kv, w, cos_sin);
    }
}

void tgi_rope(tg_scratch *s, const tg_layer *w)
{
    const double start = tgi_profile_begin(&s->profile);
    tgi_run(s, s->batch->n, 8, rope, &(tg_layer_task){s, w});
    tgi_profile_end(&s->profile, TG_STEP_rope, start);
}
