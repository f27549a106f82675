/* logit_bias: adds a number to the logits of listed tokens; -infinity removes them. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

void tgi_apply_logit_bias(tg_candidates *candidates, const tg_sample_request *request,
                          tg_stage_trace *trace)
{
    const tg_list *list = &request->lists[TG_LIST_logit_bias];
    const uint32_t n = candidates->n;
    uint32_t changed = 0, banned = 0;
    for (uint32_t i = 0; i < list->n; i++)
        candidates->marks[list->tokens[i]] = i + 1;
    if (list->n)
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t mark = candidates->marks[candidates->entries[i].token];
            if (mark) {
                candidates->entries[i].logit += (double)list->values[mark - 1];
                changed++;
            }
        }
    /* from here on, a mark means that the token is removed */
    for (uint32_t i = 0; i < list->n; i++) {
        const uint32_t mark = candidates->marks[list->tokens[i]];
        if (mark == i + 1 && list->values[i] != -INFINITY)
            candidates->marks[list->tokens[i]] = 0;
    }
    if (changed) {
        candidates->sorted = 0;
        tgi_candidates_remove_marked(candidates, true);
        banned = n - candidates->n;
    }
    for (uint32_t i = 0; i < list->n; i++)
        candidates->marks[list->tokens[i]] = 0;
    snprintf(trace->reason, sizeof trace->reason,
             "logit_bias: changed %u of %u logits and removed %u tokens",
             (unsigned)(changed - banned), (unsigned)n, (unsigned)banned);
}
