/* banned_tokens: listed tokens are removed. */
#include <stdio.h>

#include "candidates.h"

void tgi_apply_banned_tokens(tg_candidates *candidates, const tg_sample_request *request,
                             tg_stage_trace *trace)
{
    const tg_list *list = &request->lists[TG_LIST_banned_tokens];
    const uint32_t n = candidates->n;
    for (uint32_t i = 0; i < list->n; i++)
        candidates->marks[list->tokens[i]] = 1;
    if (list->n)
        tgi_candidates_remove_marked(candidates, true);
    for (uint32_t i = 0; i < list->n; i++)
        candidates->marks[list->tokens[i]] = 0;
    snprintf(trace->reason, sizeof trace->reason,
             "banned_tokens: removed %u of %u: those in the list of %u",
             (unsigned)(n - candidates->n), (unsigned)n, (unsigned)list->n);
}
