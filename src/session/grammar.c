/* Grammars of a model: what the public header declares, over the grammar engine and the model's
 * vocabulary. */
#include "model.h"

#include <stdlib.h>

#include "../grammar/masks.h"

/* Memory of a grammar's states, the most ways in which a text can be read at once, and the steps
 * of one call (about a second). */
static const tg_automaton_limits default_limits = {
    .memory = (size_t)64 << 20, .stacks = 65536, .steps = 50000000, .prune = 32};

#define MAX_FORCED 512 /* bytes of forced text that one draft looks at */

struct tg_grammar {
    tg_model *model;
    tg_rules *rules;
    tg_automaton *automaton;
    tg_masks *masks;
};

struct tg_grammar_state {
    tg_grammar *grammar;
    tg_root root;
    bool at_start; /* the next token begins the text */
    bool ended;    /* a token that ends a text was accepted */
};

/* ---- the vocabulary ---- */

static bool is_text(const tg_model *model, int32_t id)
{
    const tg_token_type type = tgi_tokenizer_token_type(model->tokenizer, id);
    return !tgi_tokenizer_is_eog(model->tokenizer, id) &&
           (type == TG_TOKEN_NORMAL || type == TG_TOKEN_USER_DEFINED || type == TG_TOKEN_BYTE);
}

/* Whether a token that begins with a space loses it at the beginning of a text. */
static bool is_stripped(const tg_model *model, int32_t id, tg_str text)
{
    size_t n = 0;
    tgi_tokenizer_decode(model->tokenizer, &id, 1, NULL, 0, &n, NULL);
    return n < text.length;
}

/* Fills the arrays of a vocabulary, which have room for all tokens. texts: [n_vocab]. */
static void read_tokens(const tg_model *model, tg_grammar_vocabulary *v, tg_token_text *texts)
{
    const uint32_t count = tgi_tokenizer_count(model->tokenizer);
    for (uint32_t i = 0; i < v->n_vocab && i < count; i++) {
        const int32_t id = (int32_t)i;
        if (tgi_tokenizer_is_eog(model->tokenizer, id))
            v->ends[v->n_ends++] = id;
        if (!is_text(model, id))
            continue;
        const tg_str text = tgi_tokenizer_bytes(model->tokenizer, id);
        texts[i] = (tg_token_text){text.data, text.length};
        if (text.length && text.data[0] == ' ') {
            if (is_stripped(model, id, text))
                v->strips = true;
            else
                v->unstripped[v->n_unstripped++] = id;
        }
    }
    if (!v->strips)
        v->n_unstripped = 0;
}

void tgi_grammar_vocabulary_free(tg_grammar_vocabulary *v)
{
    if (!v)
        return;
    tgi_trie_free(v->trie);
    free(v->ends);
    free(v->unstripped);
    free(v);
}

/* Makes an array as small as what is in it. */
static int32_t *fit(int32_t *array, uint32_t n)
{
    int32_t *smaller = realloc(array, ((size_t)n + 1) * sizeof *array);
    return smaller ? smaller : array;
}

/* The model's vocabulary for grammars, which the first grammar makes. */
static tg_status prepare_vocabulary(tg_model *model)
{
    const uint32_t n = model->hparams.n_vocab;
    if (model->grammar_vocabulary)
        return TG_OK;
    tg_grammar_vocabulary *v = calloc(1, sizeof *v);
    tg_token_text *texts = calloc((size_t)n + 1, sizeof *texts);
    if (v) {
        v->n_vocab = n;
        v->ends = malloc(((size_t)n + 1) * sizeof *v->ends);
        v->unstripped = malloc(((size_t)n + 1) * sizeof *v->unstripped);
    }
    if (v && texts && v->ends && v->unstripped) {
        read_tokens(model, v, texts);
        v->ends = fit(v->ends, v->n_ends);
        v->unstripped = fit(v->unstripped, v->n_unstripped);
        v->trie = tgi_trie_new(texts, n);
    }
    free(texts);
    if (!v || !v->trie) {
        tgi_grammar_vocabulary_free(v);
        return tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for a grammar's tree of %u tokens", (unsigned)n);
    }
    model->grammar_vocabulary = v;
    return TG_OK;
}

/* ---- grammars ---- */

tg_status tg_grammar_new(tg_model *model, const char *text, size_t length, tg_grammar **out)
{
    tgi_error_clear(&model->error);
    *out = NULL;
    if (!model->tokenizer)
        return tgi_fail(&model->error, TG_MODEL_NOT_READY, TG_NO_OFFSET,
                        "the header is not complete");
    tg_status status = prepare_vocabulary(model);
    if (status)
        return status;
    tg_grammar *grammar = calloc(1, sizeof *grammar);
    if (grammar) {
        grammar->model = model;
        status = tgi_rules_new(text, length, TG_MAX_NODES, &grammar->rules, &model->error);
        if (!status)
            grammar->automaton = tgi_automaton_new(grammar->rules, &default_limits, &model->error);
        if (grammar->automaton)
            grammar->masks = tgi_masks_new(grammar->automaton, model->grammar_vocabulary);
        if (grammar->masks) {
            *out = grammar;
            return TG_OK;
        }
    }
    tg_grammar_free(grammar);
    if (model->error.status)
        return model->error.status;
    return tgi_fail(&model->error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar");
}

void tg_grammar_free(tg_grammar *grammar)
{
    if (!grammar)
        return;
    tgi_masks_free(grammar->masks);
    tgi_automaton_free(grammar->automaton);
    tgi_rules_free(grammar->rules);
    free(grammar);
}

size_t tg_grammar_memory(const tg_grammar *grammar)
{
    return sizeof *grammar + tgi_rules_memory(grammar->rules) +
           tgi_automaton_memory(grammar->automaton) + tgi_masks_memory(grammar->masks);
}

const int32_t *tg_grammar_ends(const tg_grammar *grammar, size_t *n)
{
    *n = grammar->model->grammar_vocabulary->n_ends;
    return grammar->model->grammar_vocabulary->ends;
}

tg_status tg_grammar_begin(tg_grammar *grammar, bool at_start, tg_grammar_state **out)
{
    tg_error *error = &grammar->model->error;
    tgi_error_clear(error);
    tg_grammar_state *state = calloc(1, sizeof *state);
    *out = state;
    if (!state)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar's state");
    state->grammar = grammar;
    state->at_start = at_start && grammar->model->grammar_vocabulary->strips;
    tgi_automaton_add_root(grammar->automaton, &state->root, grammar->automaton->start);
    return TG_OK;
}

void tg_grammar_state_free(tg_grammar_state *state)
{
    if (state)
        tgi_automaton_remove_root(&state->root);
    free(state);
}

/* ---- one text ---- */

tg_status tg_grammar_state_mask(tg_grammar_state *state, const int32_t **mask, size_t *n)
{
    tg_error *error = &state->grammar->model->error;
    tgi_error_clear(error);
    *n = (state->grammar->model->hparams.n_vocab + 31) / 32;
    return tgi_masks_of(state->grammar->masks, &state->root, state->at_start, state->ended,
                        (const uint32_t **)mask, error);
}

tg_status tg_grammar_state_forced(tg_grammar_state *state, uint8_t *bytes, size_t capacity,
                                  size_t *n)
{
    tg_error *error = &state->grammar->model->error;
    tgi_error_clear(error);
    return tgi_automaton_forced(state->grammar->automaton, state->root.state, bytes,
                                state->ended ? 0 : capacity, n, error);
}

tg_status tg_session_draft_forced(tg_session *session, tg_grammar_state *state, uint32_t max_nodes,
                                  size_t *n_draft)
{
    const tg_trie *trie = session->model->grammar_vocabulary->trie;
    uint8_t bytes[MAX_FORCED];
    size_t n = 0, at = 0, length;
    tg_draft tree = {0};
    max_nodes = max_nodes < TG_MAX_DRAFT ? max_nodes : TG_MAX_DRAFT;
    *n_draft = 0;
    /* at the beginning of a text a space that the tokenizer adds would not be in the draft */
    if (max_nodes && !state->at_start && tg_session_pending(session) == 1) {
        const tg_status status = tg_grammar_state_forced(state, bytes, sizeof bytes, &n);
        if (status)
            return status;
    }
    while (at < n && tree.n < max_nodes) {
        const int32_t token = tgi_trie_longest(trie, bytes + at, n - at, &length);
        if (token < 0)
            break;
        tgi_draft_add(&tree, (int8_t)tree.n - 1, token, 1);
        at += length;
    }
    *n_draft = tree.n;
    return tgi_session_set_draft(session, &tree);
}

/* Goes on by bytes[n]; the state stays as it was where they do not fit. */
static tg_status accept(tg_grammar_state *state, const char *bytes, size_t n, bool *fits)
{
    tg_automaton *automaton = state->grammar->automaton;
    uint32_t at = state->root.state, next;
    tg_status status = TG_OK;
    tgi_automaton_begin(automaton);
    for (size_t i = 0; i < n && !status && at != TG_STATE_DEAD; i++, at = next)
        status = tgi_automaton_step(automaton, &at, 1, (uint8_t)bytes[i], &next,
                                    &state->grammar->model->error);
    *fits = at != TG_STATE_DEAD;
    if (!status && *fits)
        state->root.state = at;
    return status;
}

tg_status tg_grammar_state_accept_bytes(tg_grammar_state *state, const char *bytes, size_t n)
{
    bool fits = !state->ended;
    tg_error *error = &state->grammar->model->error;
    tgi_error_clear(error);
    const tg_status status = fits ? accept(state, bytes, n, &fits) : TG_OK;
    if (!status && !fits)
        return tgi_fail(error, TG_GRAMMAR_INVALID, TG_NO_OFFSET,
                        "the grammar does not allow these bytes");
    if (!status && n)
        state->at_start = false;
    return status;
}

tg_status tg_grammar_state_accept(tg_grammar_state *state, int32_t token)
{
    tg_model *model = state->grammar->model;
    const tg_grammar_vocabulary *v = model->grammar_vocabulary;
    const tg_automaton *automaton = state->grammar->automaton;
    tgi_error_clear(&model->error);
    tg_status status = tgi_model_check_tokens(model, &token, 1);
    if (status)
        return status;
    bool fits = false, ends = tgi_tokenizer_is_eog(model->tokenizer, token);
    tg_str text =
        is_text(model, token) ? tgi_tokenizer_bytes(model->tokenizer, token) : (tg_str){"", 0};
    const bool stripped =
        state->at_start && text.length && text.data[0] == ' ' && !tgi_keeps_space(v, token);
    if (stripped)
        text = (tg_str){text.data + 1, text.length - 1};
    if (state->ended)
        ends = false;
    else if (ends)
        fits = tgi_automaton_accepting(automaton, state->root.state);
    else if (stripped && !text.length) /* as the mask says: it must go on */
        fits = tgi_automaton_can_go_on(automaton, state->root.state);
    else if (text.length)
        status = accept(state, text.data, text.length, &fits);
    if (!status && !fits)
        return tgi_fail(&model->error, TG_GRAMMAR_INVALID, TG_NO_OFFSET,
                        "the grammar does not allow token %d", (int)token);
    if (!status) {
        state->ended = ends;
        state->at_start = false;
    }
    return status;
}

bool tg_grammar_state_is_complete(const tg_grammar_state *state)
{
    return state->ended || tgi_automaton_accepting(state->grammar->automaton, state->root.state);
}

bool tg_grammar_state_has_ended(const tg_grammar_state *state)
{
    const tg_grammar_vocabulary *v = state->grammar->model->grammar_vocabulary;
    return state->ended ||
           (!v->n_ends && !tgi_automaton_can_go_on(state->grammar->automaton, state->root.state));
}
