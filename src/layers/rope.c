/* Rotary position embedding (Su et al. 2021) with its scalings: linear, YaRN (Peng et al. 2023),
 * and factors for each pair (llama 3, long-rope). In: hyper-parameters, the positions of a batch.
 * Out: cosines and sines, and q and k turned by them. */
#include "forward.h"

#include <math.h>

void tgi_rope_layout(tg_scratch *f, tg_arena *arena)
{
    const tg_hparams *hp = f->hparams;
    for (int r = 0; r < TG_ROTATIONS; r++) {
        const uint32_t dim = hp->rotations[r].base > 0 ? hp->rotations[r].dim : 0;
        f->rotation[r] = tgi_arena_alloc(arena, (uint64_t)TG_BATCH * dim, sizeof(float));
        f->frequencies[r] = tgi_arena_alloc(arena, dim / 2, sizeof *f->frequencies[r]);
    }
}

/* The pair, as a fraction, that makes so many rotations in the positions of the original training.
 */
static double pair_of(const tg_hparams *hp, const tg_rotation *r, double rotations)
{
    return r->dim * log(hp->n_ctx_orig / (rotations * 2 * 3.14159265358979323846)) /
           (2 * log(r->base));
}

void tgi_rope_prepare(tg_scratch *f, const float *factors)
{
    const tg_hparams *hp = f->hparams;
    for (int k = 0; k < TG_ROTATIONS; k++) {
        const tg_rotation *r = &hp->rotations[k];
        const double low = fmax(floor(pair_of(hp, r, r->fast)), 0);
        const double high = fmin(ceil(pair_of(hp, r, r->slow)), (double)r->dim - 1);
        for (uint32_t i = 0; r->base > 0 && i < r->dim / 2; i++) {
            double mixture = 0; /* how much of the unscaled angle */
            if (r->yarn)
                mixture = 1 - fmin(fmax((i - low) / fmax(high - low, 0.001), 0), 1);
            f->frequencies[k][i] = pow(r->base, -2.0 * i / r->dim);
            if (r->scale != 1) /* else the same bits */
                f->frequencies[k][i] *= r->scale * (1 - mixture) + mixture;
            if (r->factors && factors)
                f->frequencies[k][i] /= factors[i];
        }
    }
}

void tgi_rope_angles(const tg_scratch *f, size_t t)
{
    for (int r = 0; r < TG_ROTATIONS; r++) {
        const uint32_t pairs =
            f->hparams->rotations[r].base > 0 ? f->hparams->rotations[r].dim / 2 : 0;
        for (uint32_t i = 0; i < pairs; i++) {
            /* in double: an angle of thousands of turns keeps its fraction */
            const double angle = f->batch->positions[t] * f->frequencies[r][i],
                         magnitude = f->hparams->rotations[r].magnitude;
            f->rotation[r][(t * pairs + i) * 2] = (float)(cos(angle) * magnitude);
            f->rotation[r][(t * pairs + i) * 2 + 1] = (float)(sin(angle) * magnitude);
        }
    }
}

static void rotate(const tg_scratch *f, float *row, uint32_t n_heads, const tg_layer *w,
                   const float *rotation)
{
    const uint32_t pairs = f->hparams->rotations[w->rotation].dim / 2;
    const bool normal = f->hparams->rope == TG_ROPE_NORMAL;
    const uint32_t step = normal ? 2 : 1, apart = normal ? 1 : pairs;
    for (uint32_t h = 0; h < n_heads; h++, row += w->head_dim)
        for (uint32_t i = 0; i < pairs; i++) {
            const float c = rotation[2 * i], s = rotation[2 * i + 1], a = row[step * i],
                        b = row[step * i + apart];
            row[step * i] = a * c - b * s;
            row[step * i + apart] = a * s + b * c;
        }
}

typedef struct turned {
    tg_scratch *f;
    const tg_layer *w;
} turned;

static void rope(void *context, size_t first, size_t last, uint32_t thread)
{
    const turned *r = context;
    const tg_layer *w = r->w;
    const tg_hparams *hp = r->f->hparams;
    (void)thread;
    for (size_t t = first; t < last; t++) {
        const float *rotation =
            r->f->rotation[w->rotation] + t * (hp->rotations[w->rotation].dim / 2) * 2;
        rotate(r->f, r->f->q + t * tgi_padded((size_t)hp->n_head * w->head_dim), hp->n_head, w,
               rotation);
        if (!w->kv_shared)
            rotate(r->f, r->f->k + t * tgi_padded((size_t)w->n_head_kv * w->head_dim), w->n_head_kv,
                   w, rotation);
    }
}

void tgi_rope(tg_scratch *f, const tg_layer *w)
{
    const double begun = tgi_profile_begin(f);
    tgi_run(f, f->batch->n, 8, rope, &(turned){f, w});
    tgi_profile_end(f, TG_STEP_rope, begun);
}
