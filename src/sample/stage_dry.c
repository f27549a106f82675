/* dry, "don't repeat yourself" (p-e-w 2024): lowers the logit of a token that would continue a
 * repetition by dry_multiplier * dry_base^(length - dry_allowed_length). length: of the longest
 * earlier sequence of tokens that the end of the context repeats and that this token followed.
 * Sequence breakers end repetitions: only the tokens after the last breaker in the context count,
 * and a token that is a breaker by itself is never penalized. */
#include <math.h>
#include <stdio.h>

#include "candidates.h"

/* log(FLT_MAX): the penalty stays in the range of a float, as in llama.cpp */
#define MAX_EXPONENT_LOG 88.7228391

/* How many tokens follow the last breaker in a window of n tokens that ends before `end`; n when it
 * contains no breaker. breakers: length and tokens of each. marks: set for their first tokens. */
static uint32_t after_breaker(const tg_list *breakers, const uint32_t *marks, const int32_t *end,
                              uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        /* the longest breaker that begins i tokens before the last one and ends in the window */
        uint32_t longest = 0;
        if (!marks[end[-1 - (int64_t)i]])
            continue;
        for (uint32_t at = 0; at < breakers->n; at += 1 + (uint32_t)breakers->tokens[at]) {
            const uint32_t length = (uint32_t)breakers->tokens[at];
            const int32_t *breaker = &breakers->tokens[at + 1], *from = end - 1 - i;
            if (length <= longest || length > i + 1)
                continue;
            uint32_t same = 0;
            while (same < length && from[same] == breaker[same])
                same++;
            if (same == length)
                longest = length;
        }
        if (longest)
            return i + 1 - longest;
    }
    return n;
}

/* lengths[k], 1 <= k < n: how many tokens up to the one k positions before the last equal the
 * tokens up to the last. The Z-algorithm (Gusfield 1997) on the reversed window; linear time. */
static void measure_runs(const int32_t *end, uint32_t n, uint32_t *lengths)
{
    uint32_t left = 0, right = 0; /* the run that reaches farthest: positions left to right - 1 */
    for (uint32_t k = 1; k < n; k++) {
        uint32_t same = k < right ? lengths[k - left] : 0;
        if (k < right && same > right - k)
            same = right - k;
        if (k + same >= right) {
            while (k + same < n && end[-1 - (int64_t)same] == end[-1 - (int64_t)(k + same)])
                same++;
            left = k;
            right = k + same;
        }
        lengths[k] = same;
    }
}

void tgi_apply_dry(tg_candidates *candidates, const tg_sample_request *request,
                   tg_stage_trace *trace)
{
    const double multiplier = request->options[TG_OPTION_dry_multiplier],
                 base = request->options[TG_OPTION_dry_base];
    const double allowed = request->options[TG_OPTION_dry_allowed_length];
    const double last_n = request->options[TG_OPTION_dry_penalty_last_n];
    const tg_list *breakers = &request->lists[TG_LIST_dry_sequence_breakers];
    if (multiplier == 0 || base < 1 || last_n == 0)
        return;
    const uint32_t n =
        last_n < 0 || last_n > request->n_context ? request->n_context : (uint32_t)last_n;
    const int32_t *end = request->context + request->n_context;
    for (uint32_t at = 0; at < breakers->n; at += 1 + (uint32_t)breakers->tokens[at])
        candidates->marks[breakers->tokens[at + 1]] = 1;
    const uint32_t max_length = n ? after_breaker(breakers, candidates->marks, end, n) : 0;
    for (uint32_t at = 0; at < breakers->n; at += 1 + (uint32_t)breakers->tokens[at])
        candidates->marks[breakers->tokens[at + 1]] = 0;
    uint32_t longest = 0, changed = 0;
    if (n > allowed && max_length >= allowed) {
        measure_runs(end, n, candidates->lengths);
        for (uint32_t k = 1; k < n; k++) {
            const uint32_t length =
                candidates->lengths[k] < max_length ? candidates->lengths[k] : max_length;
            /* the mark of the token that followed the run: the run's length + 1 */
            uint32_t *mark = &candidates->marks[end[-(int64_t)k]];
            if (length >= allowed && *mark < length + 1)
                *mark = length + 1;
        }
        for (uint32_t at = 0; at < breakers->n; at += 1 + (uint32_t)breakers->tokens[at])
            if (breakers->tokens[at] == 1)
                candidates->marks[breakers->tokens[at + 1]] = 0;
        const double cap = base > 1.000001 ? floor(MAX_EXPONENT_LOG / log(base)) : 0;
        for (uint32_t i = 0; i < candidates->n; i++) {
            tg_entry *entry = &candidates->entries[i];
            const uint32_t mark = candidates->marks[entry->token];
            if (!mark)
                continue;
            const double over = mark - 1 - allowed;
            entry->logit -= multiplier * pow(base, cap > 0 && over > cap ? cap : over);
            longest = mark - 1 > longest ? mark - 1 : longest;
            changed++;
        }
        for (uint32_t k = 1; k < n; k++)
            candidates->marks[end[-(int64_t)k]] = 0;
    }
    if (changed)
        candidates->sorted = 0;
    trace->threshold = allowed;
    snprintf(trace->reason, sizeof trace->reason,
             "dry: lowered %u logits that would continue a repetition, the longest of %u tokens",
             (unsigned)changed, (unsigned)longest);
}
