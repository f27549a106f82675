/* grammar: only tokens with which the text can go on by a grammar survive. Who knows the grammar
 * gives one bit a token, from the lowest bit of the first word; an empty list is off. In: the
 * working set. Out: the same set, cut. Owns nothing. */
#include <stdio.h>

#include "candidates.h"

void tgi_apply_grammar(tg_candidates *candidates, const tg_sample_request *request,
                       tg_stage_trace *trace)
{
    const tg_list *list = &request->lists[TG_LIST_grammar];
    const uint32_t n = candidates->n;
    if (!list->n) {
        snprintf(trace->reason, sizeof trace->reason, "grammar: off");
        return;
    }
    for (uint32_t i = 0; i < candidates->vocab; i++)
        candidates->marks[i] = (uint32_t)list->tokens[i / 32] >> i % 32 & 1;
    tgi_candidates_remove_marked(candidates, false);
    for (uint32_t i = 0; i < candidates->vocab; i++)
        candidates->marks[i] = 0;
    snprintf(trace->reason, sizeof trace->reason,
             "grammar: kept %u of %u: those with which the text can go on by it",
             (unsigned)candidates->n, (unsigned)n);
}
