/* The flat boundary between the engine and JavaScript: numbers and pointers in, numbers out. In:
 * what web/engine/engine.ts passes. Out: results in memory that the caller gives, as doubles or as
 * the records whose layout is asserted here. Pointers to models and sessions are handles; whoever
 * made one frees it. */
#include "../src/tokenglass.h"

#include <stddef.h>

/* Milliseconds since some moment. */
__attribute__((import_module("tokenglass"), import_name("now"))) double tgw_now(void);

#define TGW_EXPORT(name) __attribute__((export_name(#name), used))

/* Records that JavaScript reads by these offsets (web/layout.ts). */
_Static_assert(sizeof(tg_candidate) == 32 && offsetof(tg_candidate, token) == 0 &&
                   offsetof(tg_candidate, logit) == 4 && offsetof(tg_candidate, p) == 8 &&
                   offsetof(tg_candidate, p_final) == 16 &&
                   offsetof(tg_candidate, removed_by) == 24,
               "candidate record");
_Static_assert(sizeof(tg_score) == 20 && offsetof(tg_score, logprob) == 4 &&
                   offsetof(tg_score, rank) == 8 && offsetof(tg_score, entropy) == 12 &&
                   offsetof(tg_score, top_mass) == 16,
               "score record");
_Static_assert(sizeof(tg_top) == 8 && offsetof(tg_top, logprob) == 4, "alternative record");

TGW_EXPORT(model_new)
tg_model *tgw_model_new(double file_size, uint32_t n_ctx, uint32_t n_kv, uint32_t type_k,
                        uint32_t type_v, uint32_t vocab_only, uint32_t n_threads, uint32_t timed)
{
    const tg_model_options options = {.file_size = (uint64_t)file_size,
                                      .n_ctx = n_ctx,
                                      .n_kv = n_kv,
                                      .cache_type_k = (tg_cache_type)type_k,
                                      .cache_type_v = (tg_cache_type)type_v,
                                      .vocab_only = vocab_only != 0,
                                      .n_threads = n_threads,
                                      .clock = timed ? tgw_now : NULL};
    return tg_model_new(&options);
}

/* The life of thread number `thread`, on its own stack and in its own instance: ends when the
 * thread is terminated. */
TGW_EXPORT(model_join)
void tgw_model_join(tg_model *model, uint32_t thread)
{
    tg_model_thread_main(model, thread);
}

TGW_EXPORT(model_thread_died)
void tgw_model_thread_died(tg_model *model)
{
    tg_model_thread_died(model);
}

/* out: milliseconds that a step of the forward pass has taken so far; the name's address, 0 past
 * the last step */
TGW_EXPORT(model_time)
const char *tgw_model_time(const tg_model *model, uint32_t index, double *out)
{
    return tg_model_get_profile(model, index, out);
}

TGW_EXPORT(model_free)
void tgw_model_free(tg_model *model)
{
    tg_model_free(model);
}

/* out: bytes consumed */
TGW_EXPORT(model_feed)
int tgw_model_feed(tg_model *model, const uint8_t *bytes, size_t n, double *out)
{
    size_t consumed;
    const tg_status status = tg_model_feed(model, bytes, n, &consumed);
    *out = (double)consumed;
    return (int)status;
}

TGW_EXPORT(model_state)
int tgw_model_state(const tg_model *model)
{
    return (int)tg_model_get_state(model);
}

/* out: file, header, weights, kv, scratch in bytes */
TGW_EXPORT(model_plan)
int tgw_model_plan(tg_model *model, double *out)
{
    tg_model_plan plan = {0};
    const tg_status status = tg_model_get_plan(model, &plan);
    out[0] = (double)plan.file;
    out[1] = (double)plan.header;
    out[2] = (double)plan.weights;
    out[3] = (double)plan.kv;
    out[4] = (double)plan.scratch;
    return (int)status;
}

TGW_EXPORT(model_allocate)
int tgw_model_allocate(tg_model *model)
{
    return (int)tg_model_allocate(model);
}

TGW_EXPORT(model_finish)
int tgw_model_finish(tg_model *model)
{
    return (int)tg_model_finish(model);
}

/* numbers: n_vocab, n_ctx_train, n_ctx, n_kv, n_layer, n_embd, n_head, n_head_kv, n_ff, n_params,
 * type_k, type_v, tied, bos, eos; strings: architecture, name, kernel variant, its dot product,
 * chat template or 0, each NUL-terminated; fingerprint: 32 bytes */
TGW_EXPORT(model_info)
int tgw_model_info(tg_model *model, double *numbers, const char **strings, uint8_t *fingerprint)
{
    tg_model_info info = {0};
    const tg_status status = tg_model_get_info(model, &info);
    const double values[] = {
        info.n_vocab,     info.n_ctx_train,      info.n_ctx,         info.n_kv,
        info.n_layer,     info.n_embd,           info.n_head,        info.n_head_kv,
        info.n_ff,        (double)info.n_params, info.cache_type_k,  info.cache_type_v,
        info.tied_output, tg_model_bos(model),   tg_model_eos(model)};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        numbers[i] = values[i];
    for (size_t i = 0; i < sizeof info.fingerprint; i++)
        fingerprint[i] = info.fingerprint[i];
    strings[0] = info.architecture;
    strings[1] = info.name;
    strings[2] = info.kernel_variant;
    strings[3] = info.kernel_dot;
    strings[4] = info.chat_template;
    return (int)status;
}

/* out: tensors and parameters of the index-th weight type of quant.def */
TGW_EXPORT(model_quant)
int tgw_model_quant(tg_model *model, uint32_t index, double *out)
{
    const char *name;
    uint32_t tensors = 0;
    uint64_t params = 0;
    const tg_status status = tg_model_get_quant(model, index, &name, &tensors, &params);
    out[0] = tensors;
    out[1] = (double)params;
    return (int)status;
}

TGW_EXPORT(model_decoded)
double tgw_model_decoded(const tg_model *model)
{
    return (double)tg_model_n_decoded(model);
}

TGW_EXPORT(error_message)
const char *tgw_error_message(const tg_model *model)
{
    return tg_model_error(model)->message;
}

/* -1 when the error belongs to no byte */
TGW_EXPORT(error_offset)
double tgw_error_offset(const tg_model *model)
{
    return (double)tg_model_error(model)->offset;
}

/* out: the count needed */
TGW_EXPORT(tokenize)
int tgw_tokenize(tg_model *model, const char *text, size_t length, uint32_t flags, int32_t *ids,
                 uint32_t *ends, size_t capacity, double *out)
{
    size_t n = 0;
    const tg_status status = tg_model_tokenize(model, text, length, flags, ids, ends, capacity, &n);
    *out = (double)n;
    return (int)status;
}

/* out: the bytes needed */
TGW_EXPORT(detokenize)
int tgw_detokenize(tg_model *model, const int32_t *ids, size_t n_ids, char *text, size_t capacity,
                   double *out)
{
    size_t n = 0;
    const tg_status status = tg_model_detokenize(model, ids, n_ids, text, capacity, &n);
    *out = (double)n;
    return (int)status;
}

/* out: the count needed */
TGW_EXPORT(breakers)
int tgw_breakers(tg_model *model, const char *text, size_t length, int32_t *ids, size_t capacity,
                 double *out)
{
    size_t n = 0;
    const tg_status status = tg_model_sequence_breakers(model, text, length, ids, capacity, &n);
    *out = (double)n;
    return (int)status;
}

/* out: address and length of the bytes it adds to a text, address and length of its spelling, its
 * kind, 1 if it ends a generation
 */
TGW_EXPORT(token)
int tgw_token(tg_model *model, int32_t id, double *out)
{
    const char *bytes = NULL, *entry = NULL;
    size_t n_bytes = 0, n_entry = 0;
    uint32_t kind = 0;
    bool eog = false;
    tg_status status = tg_model_token_bytes(model, id, &bytes, &n_bytes);
    if (!status)
        status = tg_model_token_piece(model, id, &entry, &n_entry);
    if (!status)
        status = tg_model_token_flags(model, id, &kind, &eog);
    out[0] = (double)(uintptr_t)bytes;
    out[1] = (double)n_bytes;
    out[2] = (double)(uintptr_t)entry;
    out[3] = (double)n_entry;
    out[4] = kind;
    out[5] = eog;
    return (int)status;
}

/* out: the session's handle */
TGW_EXPORT(session_new)
int tgw_session_new(tg_model *model, double *out)
{
    tg_session *session = NULL;
    const tg_status status = tg_session_new(model, &session);
    *out = (double)(uintptr_t)session;
    return (int)status;
}

TGW_EXPORT(session_free)
void tgw_session_free(tg_session *session)
{
    tg_session_free(session);
}

/* out: the fork's handle */
TGW_EXPORT(session_fork)
int tgw_session_fork(const tg_session *session, double *out)
{
    tg_session *fork = NULL;
    const tg_status status = tg_session_fork(session, &fork);
    *out = (double)(uintptr_t)fork;
    return (int)status;
}

TGW_EXPORT(session_release)
void tgw_session_release(tg_session *session)
{
    tg_session_release_cache(session);
}

/* The address of the session's tokens; out: how many. */
TGW_EXPORT(session_tokens)
const int32_t *tgw_session_tokens(const tg_session *session, double *out)
{
    size_t n;
    const int32_t *tokens = tg_session_tokens(session, &n);
    *out = (double)n;
    return tokens;
}

TGW_EXPORT(session_sync)
int tgw_session_sync(tg_session *session, const int32_t *tokens, size_t n)
{
    return (int)tg_session_sync(session, tokens, n);
}

TGW_EXPORT(session_rewind)
int tgw_session_rewind(tg_session *session, size_t n)
{
    return (int)tg_session_rewind(session, n);
}

TGW_EXPORT(session_append)
int tgw_session_append(tg_session *session, int32_t token)
{
    return (int)tg_session_append(session, token);
}

TGW_EXPORT(session_pending)
size_t tgw_session_pending(const tg_session *session)
{
    return tg_session_pending(session);
}

/* out: 1 when a batch of the session is in pending_batch */
TGW_EXPORT(session_eval)
int tgw_session_eval(tg_session *session, size_t max_tokens, uint32_t max_layers, double *out)
{
    const tg_status status = tg_session_eval(session, max_tokens, max_layers);
    *out = tg_session_has_pending_batch(session);
    return (int)status;
}

/* out: the address of n_vocab floats */
TGW_EXPORT(session_logits)
int tgw_session_logits(tg_session *session, double *out)
{
    const float *logits;
    const tg_status status = tg_session_logits(session, &logits);
    *out = (double)(uintptr_t)logits;
    return (int)status;
}

/* As force of the drawn token: the trace's address is what session_sample gave. */
TGW_EXPORT(session_take)
int tgw_session_take(tg_session *session, const tg_trace *trace)
{
    return (int)tg_session_accept(session, trace);
}

TGW_EXPORT(session_shift)
int tgw_session_shift(tg_session *session, size_t n_keep, size_t n_discard)
{
    return (int)tg_session_shift(session, n_keep, n_discard);
}

TGW_EXPORT(session_dropped)
uint32_t tgw_session_dropped(const tg_session *session)
{
    return tg_session_n_discarded(session);
}

TGW_EXPORT(session_seal)
void tgw_session_seal(tg_session *session, uint32_t note_low, uint32_t note_high)
{
    tg_session_save_snapshot_begin(session, (uint64_t)note_high << 32 | note_low);
}

/* out: the part's address and length; returns 0 past the last part */
TGW_EXPORT(session_part)
int tgw_session_part(tg_session *session, uint32_t index, double *out)
{
    void *bytes = NULL;
    size_t n = 0;
    const bool found = tg_session_snapshot_chunk(session, index, &bytes, &n);
    out[0] = (double)(uintptr_t)bytes;
    out[1] = (double)n;
    return found;
}

/* header: the first part, as far as it is there; n: bytes of all parts; out: the session's handle
 */
TGW_EXPORT(session_open)
int tgw_session_open(tg_model *model, const void *header, size_t n, double *out)
{
    tg_session *session = NULL;
    const tg_status status = tg_session_load_snapshot_begin(model, header, n, &session);
    *out = (double)(uintptr_t)session;
    return (int)status;
}

TGW_EXPORT(session_opened)
int tgw_session_opened(tg_session *session)
{
    return (int)tg_session_load_snapshot_commit(session);
}

typedef struct tgw_list { /* a list of stages.def */
    const int32_t *tokens;
    const float *values;
    uint32_t n;
} tgw_list;

/* options: a double for each option of stages.def; lists: a record for each of its lists; order:
 * stage numbers. out: token, logprob, u, low, high, other, entropy, p_final, mu, number and address
 * of the candidates, number of stages, address of the trace (for stage_trace and session_take),
 * position; addresses of fates, raw and final probabilities by token, and of the logits
 */
TGW_EXPORT(session_sample)
int tgw_session_sample(tg_session *session, const double *options, const tgw_list *lists,
                       const uint8_t *order, uint32_t n_order, uint32_t seed_low,
                       uint32_t seed_high, uint32_t stream, uint32_t top_n, double *out)
{
    tg_sample_request request;
    const tg_trace *trace;
    const tg_sampler *sampler;
    const float *logits;
    size_t position;
    tg_sample_defaults(&request);
    for (int i = 0; i < TG_OPTION_COUNT; i++)
        request.options[i] = options[i];
    for (int i = 0; i < TG_LIST_COUNT; i++)
        request.lists[i] = (tg_list){lists[i].tokens, lists[i].values, lists[i].n};
    for (uint32_t i = 0; i < n_order && i < TG_STAGE_COUNT; i++)
        request.order[i] = order[i];
    request.n_order = n_order;
    request.seed = (uint64_t)seed_high << 32 | seed_low;
    request.sample_index = stream;
    request.top_n = top_n;
    const tg_status status = tg_session_sample(session, &request, &trace);
    if (status || tg_session_logits(session, &logits))
        return (int)status;
    sampler = tg_session_sampler(session);
    tg_session_tokens(session, &position);
    out[0] = trace->token;
    out[1] = trace->logprob;
    out[2] = trace->u;
    out[3] = trace->low;
    out[4] = trace->high;
    out[5] = trace->other;
    out[6] = trace->entropy;
    out[7] = trace->p_final;
    out[8] = trace->mu;
    out[9] = trace->n_candidates;
    out[10] = (double)(uintptr_t)trace->candidates;
    out[11] = trace->n_stages;
    out[12] = (double)(uintptr_t)trace;
    out[13] = (double)(position + tg_session_n_discarded(session));
    out[14] = (double)(uintptr_t)tg_sampler_removed_by(sampler);
    out[15] = (double)(uintptr_t)tg_sampler_p(sampler);
    out[16] = (double)(uintptr_t)tg_sampler_p_final(sampler);
    out[17] = (double)(uintptr_t)logits;
    return 0;
}

/* The address of the reason; out: stage number, kept, removed, mass before, mass after, threshold,
 * coin */
TGW_EXPORT(stage_trace)
const char *tgw_stage_trace(const tg_trace *trace, uint32_t index, double *out)
{
    const tg_stage_trace *stage = &trace->stages[index];
    out[0] = stage->stage;
    out[1] = stage->kept;
    out[2] = stage->removed;
    out[3] = stage->mass_before;
    out[4] = stage->mass_after;
    out[5] = stage->threshold;
    out[6] = stage->coin;
    return stage->reason;
}

TGW_EXPORT(session_score)
int tgw_session_score(tg_session *session, const int32_t *tokens, size_t n, uint32_t top_n,
                      tg_score *scores, tg_top *tops)
{
    return (int)tg_session_score(session, tokens, n, top_n, scores, tops);
}

/* states: n x n_embd floats */
TGW_EXPORT(session_hidden)
int tgw_session_hidden(tg_session *session, const int32_t *tokens, size_t n, float *states)
{
    return (int)tg_session_hidden_states(session, tokens, n, states);
}
