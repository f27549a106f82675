/* grammar: only tokens that can continue the text by a grammar survive. The caller evaluates the
 * grammar and gives one bit for each token, from the lowest bit of the first word on. An empty
 * list: off. */
#include <stdio.h>

#include "candidates.h"

void tgi_apply_grammar(tg_candidates *candidates, const tg_sample_request *request,
                       tg_stage_trace *trace)
{
    const tg_list *list = &request->lists[TG_LIST_grammar];
    const uint32_t n = candidates->n;
    if (!list->n)
        return;
    for (uint32_t i = 0; i < candidates->vocab; i++)
        candidates->marks[i] = (uint32_t)list->tokens[i / 32] >> i % 32 & 1;
    tgi_candidates_remove_marked(candidates, false);
    for (uint32_t i = 0; i < candidates->vocab; i++)
        candidates->marks[i] = 0;
    snprintf(trace->reason, sizeof trace->reason,
             "grammar: kept %u of %u: those that can continue the text", (unsigned)candidates->n,
             (unsigned)n);
}
