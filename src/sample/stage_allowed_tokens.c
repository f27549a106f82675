/* allowed_tokens: only listed tokens survive. An empty list: off. */
#include <stdio.h>

#include "candidates.h"

void tgi_apply_allowed_tokens(tg_candidates *candidates, const tg_sample_request *request,
                              tg_stage_trace *trace)
{
    const tg_list *list = &request->lists[TG_LIST_allowed_tokens];
    const uint32_t n = candidates->n;
    if (!list->n)
        return;
    for (uint32_t i = 0; i < list->n; i++)
        candidates->marks[list->tokens[i]] = 1;
    tgi_candidates_remove_marked(candidates, false);
    for (uint32_t i = 0; i < list->n; i++)
        candidates->marks[list->tokens[i]] = 0;
    snprintf(trace->reason, sizeof trace->reason,
             "allowed_tokens: kept %u of %u: those in the list of %u", (unsigned)candidates->n,
             (unsigned)n, (unsigned)list->n);
}
