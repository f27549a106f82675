/* Times of the steps of a forward pass, measured on the calling thread when there is a clock. */
#ifndef TG_PROFILE_H
#define TG_PROFILE_H

#include <stddef.h>

typedef enum tg_profile_step {
#define TG_STEP(name, what) TG_STEP_##name,
#include "profile.def"
#undef TG_STEP
    TG_STEP_COUNT
} tg_profile_step;

typedef struct tg_profile {
    double (*clock)(void); /* NULL, or milliseconds since a fixed moment */
    double ms[TG_STEP_COUNT];
} tg_profile;

/* Starts a step: returns the time, for tgi_profile_end. */
static inline double tgi_profile_begin(const tg_profile *profile)
{
    return profile->clock ? profile->clock() : 0;
}

static inline void tgi_profile_end(tg_profile *profile, tg_profile_step step, double start)
{
    if (profile->clock)
        profile->ms[step] += profile->clock() - start;
}

#endif
