/* Leaves nodes of a draft out. */
#include "draft.h"

void tgi_draft_keep(tg_draft *draft, const bool kept[TG_MAX_DRAFT])
{
    int8_t index[TG_MAX_DRAFT]; /* of each kept node among the kept ones */
    uint32_t n = 0;
    for (uint32_t i = 0; i < draft->n; i++) {
        if (!kept[i])
            continue;
        const int8_t parent = draft->parents[i];
        index[i] = (int8_t)n;
        draft->tokens[n] = draft->tokens[i];
        draft->probabilities[n] = draft->probabilities[i];
        draft->parents[n++] = parent < 0 ? -1 : index[parent];
    }
    draft->n = n;
}

/* The likeliest node that is not taken; of equal ones the first, so that parents come first. */
static uint32_t likeliest(const tg_draft *draft, const bool *taken)
{
    uint32_t best = draft->n;
    for (uint32_t i = 0; i < draft->n; i++)
        if (!taken[i] && (best == draft->n || draft->probabilities[i] > draft->probabilities[best]))
            best = i;
    return best;
}

void tgi_draft_cut(tg_draft *draft, const float *costs)
{
    uint32_t order[TG_MAX_DRAFT], n_kept = 0;
    bool taken[TG_MAX_DRAFT] = {false}, kept[TG_MAX_DRAFT] = {false};
    float value = 0, best = 0;
    for (uint32_t i = 0; i < draft->n; i++) {
        order[i] = likeliest(draft, taken);
        taken[order[i]] = true;
        value += draft->probabilities[order[i]];
        if (value - (costs[i + 1] - costs[0]) > best) {
            best = value - (costs[i + 1] - costs[0]);
            n_kept = i + 1;
        }
    }
    for (uint32_t i = 0; i < n_kept; i++)
        kept[order[i]] = true;
    tgi_draft_keep(draft, kept);
}
