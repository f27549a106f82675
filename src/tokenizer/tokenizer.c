/* Makes a tokenizer from the keys of a GGUF header, and encodes and decodes text: the part that all
 * tokenizer models share. */
#include "special.h"
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

/* Tokens with these pieces end a turn or a text in the known model families, whatever the file's
 * keys say. */
static const char *const eog_pieces[] = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
};

/* The id at a key; -1 if the key is absent. */
static tg_status read_id(const tg_gguf *gguf, const char *key, uint32_t n, int32_t *out,
                         tg_error *error)
{
    bool found;
    uint32_t id = 0;
    const tg_status status = tgi_gguf_get_u32(gguf, key, 0, UINT32_MAX, &id, &found, error);
    if (status)
        return status;
    if (found && id >= n)
        return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                        "%s is %u, but the vocabulary has %u tokens", key, (unsigned)id,
                        (unsigned)n);
    *out = found ? (int32_t)id : -1;
    return TG_OK;
}

static tg_status read_special(tg_tokenizer *t, const tg_gguf *gguf, tg_error *error)
{
    int32_t eot, eom;
    bool found;
    tg_status status = read_id(gguf, "tokenizer.ggml.bos_token_id", t->n, &t->bos, error);
    if (!status)
        status = read_id(gguf, "tokenizer.ggml.eos_token_id", t->n, &t->eos, error);
    if (!status)
        status = read_id(gguf, "tokenizer.ggml.unknown_token_id", t->n, &t->unknown, error);
    if (!status)
        status = read_id(gguf, "tokenizer.ggml.eot_token_id", t->n, &eot, error);
    if (!status)
        status = read_id(gguf, "tokenizer.ggml.eom_token_id", t->n, &eom, error);
    if (!status)
        status =
            tgi_gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &t->add_bos, &found, error);
    if (!status)
        status =
            tgi_gguf_get_bool(gguf, "tokenizer.ggml.add_eos_token", &t->add_eos, &found, error);
    if (!status)
        status = tgi_gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &t->add_space_prefix,
                                   &found, error);
    if (status)
        return status;
    const int32_t ends[] = {t->eos, eot, eom};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends[i] >= 0)
            t->eog[ends[i]] = true;
    for (uint32_t s = 0; s < t->n_special; s++) {
        const int32_t id = t->special[s];
        for (size_t i = 0; i < sizeof eog_pieces / sizeof eog_pieces[0]; i++)
            if (t->token_types[id] != TG_TOKEN_UNKNOWN &&
                t->pieces[id].length == strlen(eog_pieces[i]) &&
                !memcmp(t->pieces[id].data, eog_pieces[i], t->pieces[id].length))
                t->eog[id] = true;
    }
    return TG_OK;
}

/* A row of tokenizers.def. */
typedef struct model_row {
    const char *name;
    tg_encode_fn *encode;
    tg_prepare_fn *prepare;
    tg_escaping escaping;
} model_row;

static tg_status find_model(const tg_gguf *gguf, const model_row **out, tg_error *error)
{
    static const model_row rows[] = {
#define TG_TOKENIZER(model, name, escaping)                                                        \
    {model, tgi_##name##_encode, tgi_##name##_prepare, TG_ESCAPED_##escaping},
#include "tokenizers.def"
#undef TG_TOKENIZER
    };
    /* every row adds ", model" to one literal; the list starts after the first two bytes */
    static const char supported[] = ""
#define TG_TOKENIZER(model, name, escaping) ", " model
#include "tokenizers.def"
#undef TG_TOKENIZER
        ;
    tg_str name;
    const tg_status status = tgi_gguf_get_string(gguf, "tokenizer.ggml.model", &name, NULL, error);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(name.data, rows[i].name)) {
            *out = &rows[i];
            return TG_OK;
        }
    return tgi_fail(error, TG_TOKENIZER_UNSUPPORTED, TG_NO_OFFSET,
                    "tokenizer \"%.32s\" is not supported; supported: %s", name.data,
                    supported + 2);
}

static tg_status check_lengths(const tg_gguf_array *pieces, const tg_gguf_array *other, bool found,
                               const char *name, tg_error *error)
{
    if (found && other->count != pieces->count)
        return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                        "tokenizer.ggml.%s has %u entries, tokenizer.ggml.tokens %u", name,
                        (unsigned)other->count, (unsigned)pieces->count);
    return TG_OK;
}

tg_status tgi_tokenizer_new(const tg_gguf *gguf, tg_tokenizer **out, tg_error *error)
{
    tg_gguf_array pieces, scores, types;
    bool has_scores = false, has_types = false;
    const model_row *model;
    *out = NULL;
    tg_status status = find_model(gguf, &model, error);
    if (!status)
        status =
            tgi_gguf_get_array(gguf, "tokenizer.ggml.tokens", TG_GGUF_STRING, &pieces, NULL, error);
    if (!status && !pieces.count)
        status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET, "tokenizer.ggml.tokens is empty");
    if (!status)
        status = tgi_gguf_get_array(gguf, "tokenizer.ggml.scores", TG_GGUF_F32, &scores,
                                    &has_scores, error);
    if (!status)
        status = check_lengths(&pieces, &scores, has_scores, "scores", error);
    if (!status)
        status = tgi_gguf_get_array(gguf, "tokenizer.ggml.token_type", TG_GGUF_I32, &types,
                                    &has_types, error);
    if (!status)
        status = check_lengths(&pieces, &types, has_types, "token_type", error);
    if (status)
        return status;
    tg_tokenizer *t = tgi_vocabulary_new(&pieces);
    if (!t)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for a vocabulary of %u tokens", (unsigned)pieces.count);
    t->encode = model->encode;
    t->escaping = model->escaping;
    t->scores = has_scores ? scores.data : NULL;
    for (uint32_t i = 0; i < t->n && !status; i++) {
        const int32_t type = has_types ? ((const int32_t *)types.data)[i] : TG_TOKEN_NORMAL;
        if (type < TG_TOKEN_NORMAL || type > TG_TOKEN_BYTE)
            status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                              "token %u is of unknown kind %d", (unsigned)i, (int)type);
        if (t->scores && t->scores[i] != t->scores[i])
            status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                              "the score of token %u is not a number", (unsigned)i);
        t->token_types[i] = (uint8_t)type;
    }
    if (!status)
        status = tgi_vocabulary_fill_bytes(t, error);
    if (!status) {
        tgi_vocabulary_fill_table(t);
        tgi_special_sort(t);
        status = model->prepare(t, gguf, error);
    }
    if (!status)
        status = read_special(t, gguf, error);
    /* Published vocabularies of byte-level BPE lack some bytes: there, such a byte is an error only
     * when a text contains it. */
    for (int i = 0; i < 256 && !status && t->escaping == TG_ESCAPED_SPACES; i++)
        if (tgi_vocabulary_byte(t, (uint8_t)i) < 0)
            status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                              "the vocabulary has no token for byte 0x%02X and no unknown token",
                              (unsigned)i);
    if (status)
        tgi_tokenizer_free(t);
    else
        *out = t;
    return status;
}

void tgi_tokenizer_free(tg_tokenizer *t)
{
    if (t) {
        free(t->merges);
        free(t->adjacent);
    }
    free(t);
}

size_t tgi_tokenizer_memory(const tg_tokenizer *t)
{
    return t->memory;
}

uint32_t tgi_tokenizer_count(const tg_tokenizer *t)
{
    return t->n;
}

int32_t tgi_tokenizer_bos(const tg_tokenizer *t)
{
    return t->bos;
}

int32_t tgi_tokenizer_eos(const tg_tokenizer *t)
{
    return t->eos;
}

bool tgi_tokenizer_is_eog(const tg_tokenizer *t, int32_t id)
{
    return t->eog[id];
}

tg_token_type tgi_tokenizer_token_type(const tg_tokenizer *t, int32_t id)
{
    return (tg_token_type)t->token_types[id];
}

tg_str tgi_tokenizer_bytes(const tg_tokenizer *t, int32_t id)
{
    return (tg_str){t->storage + t->bytes[id].offset, t->bytes[id].length};
}

tg_str tgi_tokenizer_piece(const tg_tokenizer *t, int32_t id)
{
    return t->pieces[id];
}

tg_status tgi_tokenizer_encode(const tg_tokenizer *t, const char *text, size_t length,
                               unsigned flags, int32_t *ids, uint32_t *ends, size_t capacity,
                               size_t *n, tg_error *error)
{
    tg_ids out = {.ids = ids, .ends = ends, .capacity = capacity, .origin = text};
    tg_fragments fragments = {0};
    bool at_start = true; /* at the beginning or after a special token */
    tg_status status = TG_OK;
    if ((flags & TG_ADD_SPECIAL) && t->add_bos && t->bos >= 0)
        tgi_ids_put(&out, t->bos, text);
    if (!tgi_special_split(t, text, length, flags & TG_PARSE_SPECIAL, &fragments))
        status = tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory to tokenize %zu bytes",
                          length);
    for (int32_t i = 0; i >= 0 && !status; i = fragments.list[i].next) {
        if (fragments.list[i].id >= 0) {
            tgi_ids_put(&out, fragments.list[i].id,
                        text + fragments.list[i].at + fragments.list[i].length);
            at_start = true;
        } else if (fragments.list[i].length) {
            status = t->encode(t, text + fragments.list[i].at, fragments.list[i].length, at_start,
                               &out, error);
            at_start = false;
        }
    }
    free(fragments.list);
    if ((flags & TG_ADD_SPECIAL) && t->add_eos && t->eos >= 0)
        tgi_ids_put(&out, t->eos, text + length);
    *n = out.n;
    return status;
}

tg_status tgi_tokenizer_decode(const tg_tokenizer *t, const int32_t *ids, size_t n_ids, char *text,
                               size_t capacity, size_t *n, tg_error *error)
{
    size_t length = 0;
    bool strip = t->add_space_prefix; /* the next bytes may begin with a space prefix */
    *n = 0;
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] < 0 || (uint32_t)ids[i] >= t->n)
            return tgi_fail(error, TG_TOKEN_OUT_OF_RANGE, TG_NO_OFFSET,
                            "token %d is not in the vocabulary of %u", (int)ids[i], (unsigned)t->n);
        tg_str bytes = tgi_tokenizer_bytes(t, ids[i]);
        /* A user-defined token was cut out of the text, so it has no prefix, and encoding adds one
         * to the text after it. (A user-defined token that writes a space as U+2581 comes only from
         * merges, like a normal token.) */
        const bool cut = t->token_types[ids[i]] == TG_TOKEN_USER_DEFINED &&
                         bytes.length == t->pieces[ids[i]].length;
        if (bytes.length) {
            if (strip && !cut && bytes.data[0] == ' ') {
                bytes.data++;
                bytes.length--;
            }
            strip = cut && t->add_space_prefix;
        }
        if (bytes.length > SIZE_MAX - length)
            return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                            "the text of %zu tokens is longer than all memory", n_ids);
        for (uint32_t k = 0; k < bytes.length; k++, length++)
            if (length < capacity)
                text[length] = bytes.data[k];
    }
    *n = length;
    return TG_OK;
}
