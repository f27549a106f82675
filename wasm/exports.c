/* The functions that the WebAssembly file exports: numbers and addresses in, numbers out. The rows
 * of boundary.def declare them, with the structs that TypeScript reads or writes; most of them only
 * call the function of tokenglass.h with the same name. Addresses of models and sessions are
 * handles: the caller frees what it made. */
#include "../src/session/model.h" /* tokenglass.h, and the header of a snapshot */

#include <stddef.h>
#include <string.h>

/* Milliseconds since some fixed moment. */
__attribute__((import_module("tokenglass"), import_name("now"))) double tgw_now(void);

/* clang-format off */
/* The structs of the rows, laid out by the compiler: tgw_candidate and so on. */
#define TGW_STRUCT(record) typedef struct tgw_##record {
#define TGW_FIELD(record, type, name) type name;
#define TGW_RESULT(record) typedef struct tgw_##record {
#define TGW_VALUE(record, type, name) type name;
#define TGW_END(record) } tgw_##record;
#include "boundary.def"

/* They have the layout of the C headers' structs, and the constants have the headers' values. */
#define TGW_CONSTANT(name, value) _Static_assert(name == (value), #name);
#define TGW_STRUCT(record) _Static_assert(sizeof(tgw_##record) == sizeof(tg_##record), #record);
#define TGW_FIELD(record, type, name)                                                              \
    _Static_assert(offsetof(tgw_##record, name) == offsetof(tg_##record, name) &&                  \
                       sizeof((tgw_##record *)0)->name == sizeof((tg_##record *)0)->name &&        \
                       _Generic(((tg_##record *)0)->name, type: 1, default: 0),                    \
                   #record "." #name);
#include "boundary.def"

#define TGW_FUNCTION(returns, name, ...)                                                           \
    __attribute__((export_name(#name), used)) returns tgw_##name(__VA_ARGS__);
#include "boundary.def"
/* clang-format on */

/* ---- model ---- */

tg_model *tgw_model_new(double file_size, uint32_t n_ctx, uint32_t n_kv, uint32_t cache_type_k,
                        uint32_t cache_type_v, bool vocab_only, uint32_t n_threads, bool profile)
{
    const tg_model_options options = {
        .file_size = file_size > 0 && file_size < 0x1p63 ? (uint64_t)file_size : 0,
        .n_ctx = n_ctx,
        .n_kv = n_kv,
        .cache_type_k = (tg_cache_type)cache_type_k,
        .cache_type_v = (tg_cache_type)cache_type_v,
        .vocab_only = vocab_only,
        .n_threads = n_threads,
        .clock = profile ? tgw_now : NULL};
    return tg_model_new(&options);
}

void tgw_model_free(tg_model *model)
{
    tg_model_free(model);
}

/* A thread calls this on its own stack and in its own instance of the module. */
void tgw_model_thread_main(tg_model *model, uint32_t thread)
{
    tg_model_thread_main(model, thread);
}

void tgw_model_thread_died(tg_model *model)
{
    tg_model_thread_died(model);
}

const tg_error *tgw_model_error(const tg_model *model)
{
    return tg_model_error(model);
}

tg_status tgw_model_feed(tg_model *model, const uint8_t *bytes, size_t n, size_t *out)
{
    return tg_model_feed(model, bytes, n, out);
}

uint32_t tgw_model_get_state(const tg_model *model)
{
    return tg_model_get_state(model);
}

tg_status tgw_model_get_plan(tg_model *model, tg_model_plan *out)
{
    return tg_model_get_plan(model, out);
}

tg_status tgw_model_allocate(tg_model *model)
{
    return tg_model_allocate(model);
}

tg_status tgw_model_finish(tg_model *model)
{
    return tg_model_finish(model);
}

tg_status tgw_model_get_info(tg_model *model, tg_model_info *out)
{
    return tg_model_get_info(model, out);
}

tg_status tgw_model_get_quant(tg_model *model, uint32_t index, tgw_quant *out)
{
    const char *name;
    return tg_model_get_quant(model, index, &name, &out->n_tensors, &out->n_params);
}

bool tgw_model_get_key(const tg_model *model, uint32_t index, tgw_key *out)
{
    out->name = tg_model_get_key(model, index, out->value, sizeof out->value);
    return out->name != NULL;
}

bool tgw_model_get_key_text(const tg_model *model, uint32_t index, tgw_key_text *out)
{
    out->text = tg_model_get_key_text(model, index);
    return out->text != NULL;
}

bool tgw_model_get_tensor(const tg_model *model, uint32_t index, tgw_tensor *out)
{
    tg_tensor_info info;
    if (!tg_model_get_tensor(model, index, &info))
        return false;
    *out = (tgw_tensor){
        .name = info.name,
        .type = info.type,
        .n_dims = info.n_dims,
        .dim0 = info.dims[0],
        .dim1 = info.dims[1],
        .dim2 = info.dims[2],
        .dim3 = info.dims[3],
        .offset = info.offset,
        .size = info.size,
    };
    return true;
}

bool tgw_model_get_warning(const tg_model *model, uint32_t index, tgw_warning *out)
{
    out->text = tg_model_get_warning(model, index);
    return out->text != NULL;
}

int32_t tgw_model_bos(const tg_model *model)
{
    return tg_model_bos(model);
}

int32_t tgw_model_eos(const tg_model *model)
{
    return tg_model_eos(model);
}

double tgw_model_n_decoded(const tg_model *model)
{
    return (double)tg_model_n_decoded(model);
}

bool tgw_model_get_profile(const tg_model *model, uint32_t index, tgw_profile_step *out)
{
    out->name = tg_model_get_profile(model, index, &out->ms);
    return out->name != NULL;
}

/* ---- tokens ---- */

tg_status tgw_model_tokenize(tg_model *model, const uint8_t *text, size_t length, uint32_t flags,
                             int32_t *ids, uint32_t *ends, size_t capacity, size_t *out)
{
    return tg_model_tokenize(model, (const char *)text, length, flags, ids, ends, capacity, out);
}

tg_status tgw_model_detokenize(tg_model *model, const int32_t *ids, size_t n, uint8_t *text,
                               size_t capacity, size_t *out)
{
    return tg_model_detokenize(model, ids, n, (char *)text, capacity, out);
}

tg_status tgw_model_sequence_breakers(tg_model *model, const uint8_t *text, size_t length,
                                      int32_t *ids, size_t capacity, size_t *out)
{
    return tg_model_sequence_breakers(model, (const char *)text, length, ids, capacity, out);
}

tg_status tgw_model_token(tg_model *model, int32_t id, tgw_token_info *out)
{
    uint32_t type = 0;
    tg_status status = tg_model_token_bytes(model, id, (const char **)&out->bytes, &out->n_bytes);
    if (!status)
        status = tg_model_token_flags(model, id, &type, &out->eog);
    if (status)
        return status;
    out->text = out->bytes;
    out->n_text = out->n_bytes;
    if (out->n_bytes > 0 || type == TG_TOKEN_BYTE)
        return TG_OK;
    return tg_model_token_piece(model, id, (const char **)&out->text, &out->n_text);
}

tg_status tgw_model_token_texts(tg_model *model, size_t n, uint8_t *text, size_t capacity,
                                uint32_t *ends, size_t *out)
{
    size_t end = 0;
    for (size_t id = 0; id < n; id++) {
        tgw_token_info token;
        const tg_status status = tgw_model_token(model, (int32_t)id, &token);
        if (status)
            return status;
        if (text && end + token.n_text <= capacity)
            memcpy(text + end, token.text, token.n_text);
        end += token.n_text;
        ends[id] = (uint32_t)end;
    }
    *out = end;
    return TG_OK;
}

/* ---- sessions ---- */

tg_status tgw_session_new(tg_model *model, tg_session **out)
{
    return tg_session_new(model, out);
}

void tgw_session_free(tg_session *session)
{
    tg_session_free(session);
}

tg_status tgw_session_fork(const tg_session *session, tg_session **out)
{
    return tg_session_fork(session, out);
}

void tgw_session_release_cache(tg_session *session)
{
    tg_session_release_cache(session);
}

void tgw_session_tokens(const tg_session *session, tgw_tokens *out)
{
    out->ids = tg_session_tokens(session, &out->n);
}

tg_status tgw_session_sync(tg_session *session, const int32_t *tokens, size_t n)
{
    return tg_session_sync(session, tokens, n);
}

tg_status tgw_session_rewind(tg_session *session, size_t n)
{
    return tg_session_rewind(session, n);
}

tg_status tgw_session_append(tg_session *session, int32_t token)
{
    return tg_session_append(session, token);
}

tg_status tgw_session_accept(tg_session *session, const tg_trace *trace)
{
    return tg_session_accept(session, trace);
}

tg_status tgw_session_shift(tg_session *session, size_t n_keep, size_t n_discard)
{
    return tg_session_shift(session, n_keep, n_discard);
}

uint32_t tgw_session_n_discarded(const tg_session *session)
{
    return tg_session_n_discarded(session);
}

size_t tgw_session_pending(const tg_session *session)
{
    return tg_session_pending(session);
}

tg_status tgw_sessions_eval(tg_session *const *sessions, size_t n, size_t max_tokens,
                            uint32_t max_layers, bool *out)
{
    const tg_status status = tg_sessions_eval(sessions, n, max_tokens, max_layers);
    *out = sessions[0]->model->pending_batch.batch.n_sequences > 0;
    return status;
}

tg_status tgw_session_draft(tg_session *session, const int32_t *tokens, const int32_t *parents,
                            size_t n)
{
    return tg_session_draft(session, tokens, parents, n);
}

tg_status tgw_session_draft_ngram(tg_session *session, uint32_t max_nodes, const float *costs,
                                  size_t *out)
{
    return tg_session_draft_ngram(session, max_nodes, costs, out);
}

tg_status tgw_session_draft_recycling(tg_session *session, uint32_t tree, uint32_t max_nodes,
                                      const float *costs, size_t *out)
{
    return tg_session_draft_recycling(session, tree, max_nodes, costs, out);
}

tg_status tgw_session_draft_forced(tg_session *session, tg_grammar_state *state, uint32_t max_nodes,
                                   size_t *out)
{
    return tg_session_draft_forced(session, state, max_nodes, out);
}

void tgw_session_draft_use(const tg_session *session, tgw_draft_use *out)
{
    tg_session_draft_use(session, &out->proposed, &out->accepted);
}

tg_status tgw_session_logits(tg_session *session, const float **out)
{
    return tg_session_logits(session, out);
}

/* ---- sampling and scoring ---- */

tg_status tgw_session_sample(tg_session *session, const double *options, const tg_list *lists,
                             const uint8_t *order, uint32_t n_order, uint32_t seed_low,
                             uint32_t seed_high, uint32_t sample_index, uint32_t top_n,
                             double *after, tgw_choice *out)
{
    tg_sample_request request;
    const tg_trace *trace;
    const float *logits;
    size_t n_tokens;
    tg_sample_defaults(&request);
    for (int i = 0; i < TG_OPTION_COUNT; i++)
        request.options[i] = options[i];
    for (int i = 0; i < TG_LIST_COUNT; i++)
        request.lists[i] = lists[i];
    for (uint32_t i = 0; i < n_order && i < TG_STAGE_COUNT; i++)
        request.order[i] = order[i];
    request.n_order = n_order;
    request.seed = (uint64_t)seed_high << 32 | seed_low;
    request.sample_index = sample_index;
    request.top_n = top_n;
    request.after = after;
    tg_status status = tg_session_sample(session, &request, &trace);
    if (!status)
        status = tg_session_logits(session, &logits);
    if (status)
        return status;
    const tg_sampler *sampler = tg_session_sampler(session);
    tg_session_tokens(session, &n_tokens);
    *out = (tgw_choice){.token = trace->token,
                        .logprob = trace->logprob,
                        .rank = trace->rank,
                        .u = trace->u,
                        .low = trace->low,
                        .high = trace->high,
                        .other = trace->other,
                        .entropy = trace->entropy,
                        .mu = trace->mu,
                        .position = (double)n_tokens + tg_session_n_discarded(session),
                        .trace = trace,
                        .candidates = trace->candidates,
                        .n_candidates = trace->n_candidates,
                        .stages = trace->stages,
                        .n_stages = trace->n_stages,
                        .removed_by = tg_sampler_removed_by(sampler),
                        .p = tg_sampler_p(sampler),
                        .p_final = tg_sampler_p_final(sampler),
                        .logits = logits};
    return TG_OK;
}

tg_status tgw_session_score(tg_session *session, const int32_t *tokens, size_t n, uint32_t top_n,
                            tg_score *scores, tg_top *tops)
{
    return tg_session_score(session, tokens, n, top_n, scores, tops);
}

tg_status tgw_session_hidden_states(tg_session *session, const int32_t *tokens, size_t n,
                                    float *states)
{
    return tg_session_hidden_states(session, tokens, n, states);
}

tg_status tgw_model_output_rows(tg_model *model, const int32_t *tokens, size_t n, float *rows)
{
    return tg_model_output_rows(model, tokens, n, rows);
}

/* ---- inside the model ---- */

bool tgw_model_get_layer(const tg_model *model, uint32_t index, tgw_layer *out)
{
    tg_layer_info info;
    if (!tg_model_get_layer(model, index, &info))
        return false;
    *out = (tgw_layer){info.mixer, info.n_head_kv, info.head_dim, info.window};
    return true;
}

tg_status tgw_session_set_edits(tg_session *session, const tg_edit *edits, size_t n)
{
    return tg_session_set_edits(session, edits, n);
}

bool tgw_session_get_edit_report(const tg_session *session, size_t index, tgw_edit_report *out)
{
    tg_edit_report report;
    if (!tg_session_get_edit_report(session, index, &report))
        return false;
    const double *c = report.counts;
    *out = (tgw_edit_report){report.kind, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]};
    return true;
}

tg_status tgw_session_next_batch(tg_session *session, uint32_t max_tokens, tgw_next_batch *out)
{
    return tg_session_next_batch(session, max_tokens, &out->first, &out->n);
}

tg_status tgw_session_observe(tg_session *session, const tg_observation *observation,
                              uint32_t max_tokens, uint32_t *out)
{
    return tg_session_observe(session, observation, max_tokens, out);
}

/* ---- grammars ---- */

tg_status tgw_grammar_new(tg_model *model, const uint8_t *text, size_t length, tg_grammar **out)
{
    return tg_grammar_new(model, (const char *)text, length, out);
}

void tgw_grammar_free(tg_grammar *grammar)
{
    tg_grammar_free(grammar);
}

size_t tgw_grammar_memory(const tg_grammar *grammar)
{
    return tg_grammar_memory(grammar);
}

void tgw_grammar_ends(const tg_grammar *grammar, tgw_tokens *out)
{
    out->ids = tg_grammar_ends(grammar, &out->n);
}

tg_status tgw_grammar_begin(tg_grammar *grammar, bool at_start, tg_grammar_state **out)
{
    return tg_grammar_begin(grammar, at_start, out);
}

void tgw_grammar_state_free(tg_grammar_state *state)
{
    tg_grammar_state_free(state);
}

tg_status tgw_grammar_state_mask(tg_grammar_state *state, tgw_grammar_mask *out)
{
    return tg_grammar_state_mask(state, &out->bits, &out->n);
}

tg_status tgw_grammar_state_accept(tg_grammar_state *state, int32_t token)
{
    return tg_grammar_state_accept(state, token);
}

tg_status tgw_grammar_state_forced(tg_grammar_state *state, uint8_t *bytes, size_t capacity,
                                   size_t *out)
{
    return tg_grammar_state_forced(state, bytes, capacity, out);
}

tg_status tgw_grammar_state_accept_bytes(tg_grammar_state *state, const uint8_t *bytes, size_t n)
{
    return tg_grammar_state_accept_bytes(state, (const char *)bytes, n);
}

bool tgw_grammar_state_is_complete(const tg_grammar_state *state)
{
    return tg_grammar_state_is_complete(state);
}

bool tgw_grammar_state_has_ended(const tg_grammar_state *state)
{
    return tg_grammar_state_has_ended(state);
}

/* ---- snapshots ---- */

void tgw_session_save_snapshot_begin(tg_session *session, uint32_t user_data_low,
                                     uint32_t user_data_high)
{
    tg_session_save_snapshot_begin(session, (uint64_t)user_data_high << 32 | user_data_low);
}

bool tgw_session_snapshot_chunk(tg_session *session, uint32_t index, tgw_chunk *out)
{
    return tg_session_snapshot_chunk(session, index, &out->bytes, &out->n);
}

tg_status tgw_session_load_snapshot_begin(tg_model *model, const void *header, size_t n,
                                          tg_session **out)
{
    return tg_session_load_snapshot_begin(model, header, n, out);
}

tg_status tgw_session_load_snapshot_commit(tg_session *session)
{
    return tg_session_load_snapshot_commit(session);
}
