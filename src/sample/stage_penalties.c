/* penalties: makes tokens less probable that are among the last penalty_last_n tokens of the
 * context. A logit is divided by penalty_repeat, or multiplied if it is not above 0 (Keskar et al.
 * 2019). Then penalty_freq is subtracted for each occurrence, and penalty_present once (OpenAI's
 * two penalties). penalty_last_n = -1: the whole context; 0: off. */
#include <stdio.h>

#include "candidates.h"

void tgi_apply_penalties(tg_candidates *candidates, const tg_sample_request *request,
                         tg_stage_trace *trace)
{
    const double last_n = request->options[TG_OPTION_penalty_last_n],
                 repeat = request->options[TG_OPTION_penalty_repeat];
    const double freq = request->options[TG_OPTION_penalty_freq],
                 present = request->options[TG_OPTION_penalty_present];
    if (last_n == 0 || (repeat == 1 && freq == 0 && present == 0))
        return;
    const uint32_t n =
        last_n < 0 || last_n > request->n_context ? request->n_context : (uint32_t)last_n;
    const int32_t *window = request->context + (request->n_context - n);
    uint32_t changed = 0;
    for (uint32_t i = 0; i < n; i++)
        candidates->marks[window[i]]++;
    if (n)
        for (uint32_t i = 0; i < candidates->n; i++) {
            tg_entry *entry = &candidates->entries[i];
            const uint32_t count = candidates->marks[entry->token];
            if (!count)
                continue;
            entry->logit = entry->logit <= 0 ? entry->logit * repeat : entry->logit / repeat;
            entry->logit -= count * freq + present;
            changed++;
        }
    for (uint32_t i = 0; i < n; i++)
        candidates->marks[window[i]] = 0;
    if (changed)
        candidates->sorted = 0;
    snprintf(trace->reason, sizeof trace->reason,
             "penalties: changed %u logits: tokens among the last %u", (unsigned)changed,
             (unsigned)n);
}
