/* Makes a tokenizer from the keys of a GGUF header, and encodes and decodes text: the part that all
 * tokenizer models share. */
#include "special.h"
#include "vocabulary.h"

#include <stdio.h>
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

/* Keys of ids that only stand in a file's header: nothing here uses them. */
static const char *const other_ids[] = {
    "separator_token_id", "seperator_token_id", "padding_token_id", "mask_token_id",
    "cls_token_id",       "prefix_token_id",    "suffix_token_id",  "middle_token_id",
    "fim_pre_token_id",   "fim_suf_token_id",   "fim_mid_token_id", "fim_pad_token_id",
    "fim_rep_token_id",   "fim_sep_token_id",
};

/* The id at tokenizer.ggml.<name>; -1 if the key is absent. An id that is not in the vocabulary is
 * ignored with a warning. */
static tg_status read_id(tg_tokenizer *t, const tg_gguf *gguf, const char *name, int32_t *out,
                         tg_error *error)
{
    char key[64];
    snprintf(key, sizeof key, "tokenizer.ggml.%s", name);
    const tg_gguf_kv *kv = tgi_gguf_find(gguf, key);
    *out = -1;
    if (!kv)
        return TG_OK;
    const bool is_signed = kv->type == TG_GGUF_I8 || kv->type == TG_GGUF_I16 ||
                           kv->type == TG_GGUF_I32 || kv->type == TG_GGUF_I64,
               is_unsigned = kv->type == TG_GGUF_U8 || kv->type == TG_GGUF_U16 ||
                             kv->type == TG_GGUF_U32 || kv->type == TG_GGUF_U64;
    if (!is_signed && !is_unsigned) { /* fails, and says why */
        uint32_t id;
        bool found;
        return tgi_gguf_get_u32(gguf, key, 0, UINT32_MAX, &id, &found, error);
    }
    char value[32];
    tgi_gguf_print(kv, value, sizeof value);
    if (is_signed ? kv->value.i < 0 || kv->value.i >= (int64_t)t->n : kv->value.u >= t->n)
        tgi_warn(&t->warnings, "%s is %s, but the vocabulary has %u tokens: the key is ignored",
                 key, value, (unsigned)t->n);
    else
        *out = is_signed ? (int32_t)kv->value.i : (int32_t)kv->value.u;
    return TG_OK;
}

/* The ids that the file names. */
typedef struct named_ids {
    int32_t bos, eos, unknown, eot, eom;
} named_ids;

static tg_status read_ids(tg_tokenizer *t, const tg_gguf *gguf, named_ids *ids, tg_error *error)
{
    const struct {
        const char *name;
        int32_t *out;
    } keys[] = {{"bos_token_id", &ids->bos},
                {"eos_token_id", &ids->eos},
                {"unknown_token_id", &ids->unknown},
                {"eot_token_id", &ids->eot},
                {"eom_token_id", &ids->eom}};
    tg_status status = TG_OK;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !status; i++)
        status = read_id(t, gguf, keys[i].name, keys[i].out, error);
    for (size_t i = 0; i < sizeof other_ids / sizeof other_ids[0] && !status; i++) {
        int32_t unused;
        status = read_id(t, gguf, other_ids[i], &unused, error);
    }
    t->bos = ids->bos;
    t->eos = ids->eos;
    t->unknown = ids->unknown;
    return status;
}

static bool is_piece(const tg_tokenizer *t, int32_t id, const char *piece)
{
    return t->pieces[id].length == strlen(piece) &&
           !memcmp(t->pieces[id].data, piece, t->pieces[id].length);
}

static bool ends_by_piece(const tg_tokenizer *t, int32_t id)
{
    for (size_t i = 0; i < sizeof eog_pieces / sizeof eog_pieces[0]; i++)
        if (is_piece(t, id, eog_pieces[i]))
            return true;
    return false;
}

/* Reads the file's switches and marks the tokens that end a generation. */
static tg_status read_special(tg_tokenizer *t, const tg_gguf *gguf, const named_ids *ids,
                              tg_error *error)
{
    bool found;
    tg_status status =
        tgi_gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &t->add_bos, &found, error);
    if (!status)
        status =
            tgi_gguf_get_bool(gguf, "tokenizer.ggml.add_eos_token", &t->add_eos, &found, error);
    if (!status)
        status = tgi_gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &t->add_space_prefix,
                                   &found, error);
    if (status)
        return status;
    t->add_bos |= t->always_bos;
    uint32_t n;
    const int32_t *special = tgi_special_ids(t->special, &n);
    bool gemma4 = false; /* there, </s> is HTML */
    for (uint32_t i = 0; i < n; i++) {
        t->eog[special[i]] =
            t->token_types[special[i]] != TG_TOKEN_UNKNOWN && ends_by_piece(t, special[i]);
        gemma4 |= is_piece(t, special[i], "<|tool_response>");
    }
    for (uint32_t i = 0; i < n && gemma4; i++)
        if (is_piece(t, special[i], "</s>"))
            t->eog[special[i]] = false;
    const int32_t ends[] = {ids->eos, ids->eot, ids->eom};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends[i] >= 0)
            t->eog[ends[i]] = true;
    return TG_OK;
}

/* Token types of a file without them: bytes and control tokens are known by how they are written,
 * and by the ids that the file names. */
static void guess_types(tg_tokenizer *t, const named_ids *ids)
{
    const int32_t named[] = {ids->bos, ids->eos, ids->eot, ids->eom};
    const bool bytes = t->escaping == TG_ESCAPED_SPACES;
    for (uint32_t i = 0; i < t->n; i++)
        t->token_types[i] = bytes && tgi_byte_of_piece(t->pieces[i]) >= 0 ? TG_TOKEN_BYTE
                            : ends_by_piece(t, (int32_t)i) || is_piece(t, (int32_t)i, "<s>")
                                ? TG_TOKEN_CONTROL
                            : is_piece(t, (int32_t)i, "<unk>") ? TG_TOKEN_UNKNOWN
                                                               : TG_TOKEN_NORMAL;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i] >= 0 && t->pieces[named[i]].length > 2) /* a character stays a character */
            t->token_types[named[i]] = TG_TOKEN_CONTROL;
    if (t->unknown >= 0 && t->pieces[t->unknown].length > 2)
        t->token_types[t->unknown] = TG_TOKEN_UNKNOWN;
}

/* Some files say of all tokens that they are normal, of <0x0A>, too. */
static void find_unmarked_bytes(tg_tokenizer *t)
{
    int n = 0; /* different bytes */
    bool seen[256] = {false};
    for (uint32_t i = 0; i < t->n; i++) {
        const int byte = tgi_byte_of_piece(t->pieces[i]);
        if (t->token_types[i] == TG_TOKEN_BYTE)
            return;
        if (byte >= 0 && t->token_types[i] == TG_TOKEN_NORMAL && !seen[byte]) {
            seen[byte] = true;
            n++;
        }
    }
    if (n < 256)
        return;
    for (uint32_t i = 0; i < t->n; i++)
        if (tgi_byte_of_piece(t->pieces[i]) >= 0 && t->token_types[i] == TG_TOKEN_NORMAL)
            t->token_types[i] = TG_TOKEN_BYTE;
    tgi_warn(&t->warnings,
             "tokenizer.ggml.token_type marks no byte tokens: <0x00> to <0xFF> are taken as bytes");
}

/* types: NULL when the file has none. */
static tg_status set_types(tg_tokenizer *t, const int32_t *types, const named_ids *ids,
                           tg_error *error)
{
    for (uint32_t i = 0; i < t->n && types; i++) {
        if (types[i] < TG_TOKEN_NORMAL || types[i] > TG_TOKEN_BYTE)
            return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET, "token %u is of unknown kind %d",
                            (unsigned)i, (int)types[i]);
        t->token_types[i] = (uint8_t)types[i];
    }
    if (!types)
        guess_types(t, ids);
    else if (t->escaping == TG_ESCAPED_SPACES)
        find_unmarked_bytes(t);
    for (uint32_t i = 0; i < t->n && t->unknown < 0; i++)
        if (t->token_types[i] == TG_TOKEN_UNKNOWN)
            t->unknown = (int32_t)i;
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
#define TG_TOKENIZER(model, encode, prepare, escaping)                                             \
    {model, tgi_##encode##_encode, tgi_##prepare##_prepare, TG_ESCAPED_##escaping},
#include "tokenizers.def"
#undef TG_TOKENIZER
    };
    /* every row adds ", model" to one literal; the list starts after the first two bytes */
    static const char supported[] = ""
#define TG_TOKENIZER(model, encode, prepare, escaping) ", " model
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

/* Fills a tokenizer that has only its pieces. */
static tg_status fill(tg_tokenizer *t, const model_row *model, const tg_gguf *gguf, tg_error *error)
{
    const void *types = NULL;
    named_ids ids;
    t->encode = model->encode;
    t->escaping = model->escaping;
    tg_status status = read_ids(t, gguf, &ids, error);
    if (!status)
        status = tgi_vocabulary_entries(t, gguf, "tokenizer.ggml.token_type", TG_GGUF_I32, &types,
                                        error);
    if (!status)
        status = set_types(t, types, &ids, error);
    if (!status)
        status = tgi_vocabulary_fill_bytes(t, error);
    if (!status && !tgi_special_new(t))
        status = tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                          "no memory for a vocabulary of %u tokens", (unsigned)t->n);
    if (status)
        return status;
    tgi_vocabulary_fill_table(t);
    status = model->prepare(t, gguf, error);
    return status ? status : read_special(t, gguf, &ids, error);
}

tg_status tgi_tokenizer_new(const tg_gguf *gguf, tg_tokenizer **out, tg_error *error)
{
    tg_gguf_array pieces;
    const model_row *model;
    *out = NULL;
    tg_status status = find_model(gguf, &model, error);
    if (!status)
        status =
            tgi_gguf_get_array(gguf, "tokenizer.ggml.tokens", TG_GGUF_STRING, &pieces, NULL, error);
    if (!status && !pieces.count)
        status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET, "tokenizer.ggml.tokens is empty");
    if (status)
        return status;
    tg_tokenizer *t = tgi_vocabulary_new(&pieces);
    if (!t)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for a vocabulary of %u tokens", (unsigned)pieces.count);
    status = fill(t, model, gguf, error);
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
        free(t->normalizer);
        tgi_special_free(t->special);
    }
    free(t);
}

size_t tgi_tokenizer_memory(const tg_tokenizer *t)
{
    return t->memory;
}

const char *tgi_tokenizer_warning(const tg_tokenizer *t, uint32_t index)
{
    return index < t->warnings.n ? t->warnings.texts[index] : NULL;
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

static tg_status out_of_memory(size_t length, tg_error *error)
{
    return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory to tokenize %zu bytes",
                    length);
}

/* Encodes a normalized text. The parts of the tokens are those of the text that was given, which
 * begins at `text`. */
static tg_status encode_normalized(const tg_tokenizer *t, const char *text,
                                   const tg_normalized *normalized, tg_ids *out, tg_error *error)
{
    const char *origin = out->origin;
    const size_t offset = out->offset, first = out->n;
    const uint32_t begin = (uint32_t)(offset + (size_t)(text - origin));
    out->origin = normalized->text;
    out->offset = 0;
    const tg_status status = t->encode(t, normalized->text, normalized->length, out, error);
    out->origin = origin;
    out->offset = offset;
    const size_t n = out->n < out->capacity ? out->n : out->capacity;
    if (!status && out->ends && n > first) {
        tgi_normalized_positions(normalized, out->ends + first, n - first);
        for (size_t i = first; i < n; i++)
            out->ends[i] += begin;
    }
    return status;
}

static tg_status encode_plain(const tg_tokenizer *t, const char *text, size_t length, tg_ids *out,
                              tg_error *error)
{
    tg_normalized normalized = {0};
    tg_status status;
    if (t->normalize && !t->normalize(t, text, length, &normalized))
        status = out_of_memory(length, error);
    else if (normalized.text)
        status = encode_normalized(t, text, &normalized, out, error);
    else
        status = t->encode(t, text, length, out, error);
    tgi_normalized_free(&normalized);
    return status;
}

tg_status tgi_tokenizer_encode(const tg_tokenizer *t, const char *text, size_t length,
                               unsigned flags, int32_t *ids, uint32_t *ends, size_t capacity,
                               size_t *n, tg_error *error)
{
    tg_ids out = {.ids = ids, .ends = ends, .capacity = capacity, .origin = text};
    tg_special_matches special;
    tg_status status = TG_OK;
    if ((flags & TG_ADD_SPECIAL) && t->add_bos && t->bos >= 0)
        tgi_ids_put(&out, t->bos, text);
    if (!tgi_special_find(t, text, length, flags & TG_PARSE_SPECIAL, &special))
        status = out_of_memory(length, error);
    size_t at = 0; /* where the plain text before the next special token begins */
    for (size_t i = 0; !status; i++) {
        const size_t end = i < special.n ? special.list[i].at : length;
        if (end > at)
            status = encode_plain(t, text + at, end - at, &out, error);
        if (status || i == special.n)
            break;
        at = end + special.list[i].length;
        tgi_ids_put(&out, special.list[i].id, text + at);
    }
    free(special.list);
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
