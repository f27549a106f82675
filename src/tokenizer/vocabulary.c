/* In: the tokenizer's keys of a GGUF header. Out: a vocabulary with look-ups, and the way between
 * text and ids that all kinds share. The tg_tokenizer owns its tables; the entries stay in the
 * header. */
#include "tokenizer.h"
#include "unicode.h"
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define SPACE "\xe2\x96\x81"

/* Tokens with these spellings end a turn or a text, whatever the file's keys say: as the known
 * model families write them. */
static const char *const end_spellings[] = {
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

/* Bytes of U+2581 here, or 0. */
static size_t spelt_space(const char *text, size_t left)
{
    return (uint8_t)text[0] == 0xe2 && left >= 3 && !memcmp(text, SPACE, 3) ? 3 : 0;
}

/* A space and what it is spelt as count for the same. */
static uint32_t hash(const char *text, size_t length)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0, n; i < length; i += n ? n : 1) {
        n = spelt_space(text + i, length - i);
        h = (h ^ (n ? ' ' : (uint8_t)text[i])) * 16777619u;
    }
    return h;
}

/* Whether an entry spells a text: its own spaces stand for nothing in a text, whose spaces are
 * U+2581. */
static bool spells(const tg_tokenizer *t, tg_str entry, const char *text, size_t length)
{
    if (t->spelling == TG_ESCAPED_BYTES)
        return entry.length == length && !memcmp(entry.data, text, length);
    size_t k = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] == ' ') {
            if (k == entry.length || !spelt_space(entry.data + k, entry.length - k))
                return false;
            k += 3;
        } else if (k == entry.length || entry.data[k++] != text[i])
            return false;
    return k == entry.length;
}

int32_t tgi_tokenizer_find(const tg_tokenizer *t, const char *text, size_t length)
{
    if (length > t->longest)
        return -1;
    for (uint32_t at = hash(text, length) & t->mask; t->table[at]; at = (at + 1) & t->mask)
        if (spells(t, t->entries[t->table[at] - 1], text, length))
            return (int32_t)t->table[at] - 1;
    return -1;
}

/* The first entry of a spelling keeps it. Control, unknown and byte tokens stay out: text that
 * merely spells one, letter by letter, must not become it (nor can it in SentencePiece), or a
 * user's words could end a turn and bytes would be lost. */
static void fill_table(tg_tokenizer *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const bool text = t->kinds[i] != TG_TOKEN_CONTROL && t->kinds[i] != TG_TOKEN_UNKNOWN &&
                          t->kinds[i] != TG_TOKEN_BYTE;
        if (!text || tgi_tokenizer_find(t, t->entries[i].data, t->entries[i].length) >= 0)
            continue;
        t->longest = t->entries[i].length > t->longest ? t->entries[i].length : t->longest;
        uint32_t at = hash(t->entries[i].data, t->entries[i].length) & t->mask;
        while (t->table[at])
            at = (at + 1) & t->mask;
        t->table[at] = i + 1;
    }
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* The bytes that an entry's characters stand for; a character that stands for none is text as it
 * is. */
static uint32_t spelt_bytes(tg_str entry, char *to)
{
    uint32_t n = 0;
    for (size_t at = 0; at < entry.length;) {
        const tg_char c = tgi_char_at(entry.data, at, entry.length);
        const int byte = tgi_byte_alphabet(c.code);
        if (byte >= 0 && c.code != TG_NO_CHARACTER)
            to[n++] = (char)byte;
        else
            for (uint32_t i = 0; i < c.length; i++)
                to[n++] = entry.data[at + i];
        at += c.length;
    }
    return n;
}

/* The bytes each token adds to a text; byte tokens are noted by their value. */
static tg_status fill_bytes(tg_tokenizer *t, tg_error *error)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        const tg_str entry = t->entries[i];
        char *to = t->storage + used;
        uint32_t length = 0;
        if (t->kinds[i] == TG_TOKEN_BYTE) {
            const int high = entry.length == 6 ? hex(entry.data[3]) : -1,
                      low = entry.length == 6 ? hex(entry.data[4]) : -1;
            if (high < 0 || low < 0 || memcmp(entry.data, "<0x", 3) || entry.data[5] != '>')
                return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                                "token %u is of kind byte but is spelt \"%.32s\"", (unsigned)i,
                                entry.data);
            to[length++] = (char)(high << 4 | low);
            if (t->byte_ids[high << 4 | low] < 0)
                t->byte_ids[high << 4 | low] = (int32_t)i;
        } else if (t->spelling == TG_ESCAPED_BYTES &&
                   (t->kinds[i] == TG_TOKEN_NORMAL || t->kinds[i] == TG_TOKEN_UNUSED)) {
            length = spelt_bytes(entry, to);
            if (length == 1 && t->byte_ids[(uint8_t)to[0]] < 0)
                t->byte_ids[(uint8_t)to[0]] = (int32_t)i;
        } else if (t->kinds[i] != TG_TOKEN_CONTROL && t->kinds[i] != TG_TOKEN_UNKNOWN) {
            for (uint32_t k = 0; k < entry.length;) {
                const bool space = t->spelling == TG_ESCAPED_SPACES && entry.length - k >= 3 &&
                                   !memcmp(entry.data + k, SPACE, 3);
                to[length++] = space ? ' ' : entry.data[k];
                k += space ? 3 : 1;
            }
        }
        t->views[i] = (tg_view){used, length};
        used += length;
        t->storage[used++] = 0;
    }
    return TG_OK;
}

/* A special id from the file: absent is -1. */
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
        for (size_t i = 0; i < sizeof end_spellings / sizeof end_spellings[0]; i++)
            if (t->kinds[id] != TG_TOKEN_UNKNOWN &&
                t->entries[id].length == strlen(end_spellings[i]) &&
                !memcmp(t->entries[id].data, end_spellings[i], t->entries[id].length))
                t->eog[id] = true;
    }
    return TG_OK;
}

/* Every table in one allocation behind the struct. */
static tg_tokenizer *allocate(const tg_gguf_array *entries)
{
    const uint32_t n = entries->count;
    const tg_str *strings = entries->data;
    size_t bytes = 0, slots = 1;
    for (uint32_t i = 0; i < n; i++)
        bytes += strings[i].length + 1;
    while (slots < 2 * (size_t)n)
        slots *= 2;
    const size_t memory = sizeof(tg_tokenizer) + n * (sizeof(tg_view) + 2 * sizeof(int32_t)) +
                          slots * sizeof(uint32_t) + 2 * (size_t)n + bytes;
    tg_tokenizer *t = calloc(1, memory);
    if (!t)
        return NULL;
    t->memory = memory;
    t->n = n;
    t->entries = strings;
    t->views = (tg_view *)(t + 1);
    t->special = (int32_t *)(t->views + n); /* [2 n]: the second half is for sorting */
    t->table = (uint32_t *)(t->special + 2 * (size_t)n);
    t->mask = (uint32_t)slots - 1;
    t->kinds = (uint8_t *)(t->table + slots);
    t->eog = (bool *)(t->kinds + n);
    t->storage = (char *)(t->eog + n);
    memset(t->byte_ids, -1, sizeof t->byte_ids);
    return t;
}

typedef struct kind {
    const char *name;
    tg_encode_fn *encode;
    tg_prepare_fn *prepare;
    tg_escaping spelling;
} kind;

static tg_status find_kind(const tg_gguf *gguf, const kind **out, tg_error *error)
{
    static const kind kinds[] = {
#define TG_TOKENIZER(kind, name, spelling)                                                         \
    {kind, tgi_##name##_encode, tgi_##name##_prepare, TG_ESCAPED_##spelling},
#include "tokenizers.def"
#undef TG_TOKENIZER
    };
    static const char supported[] = "" /* ", llama, ...": the first two bytes are skipped */
#define TG_TOKENIZER(kind, name, spelling) ", " kind
#include "tokenizers.def"
#undef TG_TOKENIZER
        ;
    tg_str name;
    const tg_status status = tgi_gguf_get_string(gguf, "tokenizer.ggml.model", &name, NULL, error);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(name.data, kinds[i].name)) {
            *out = &kinds[i];
            return TG_OK;
        }
    return tgi_fail(error, TG_TOKENIZER_UNSUPPORTED, TG_NO_OFFSET,
                    "tokenizer \"%.32s\" is not supported; supported: %s", name.data,
                    supported + 2);
}

static tg_status check_lengths(const tg_gguf_array *entries, const tg_gguf_array *other, bool found,
                               const char *name, tg_error *error)
{
    if (found && other->count != entries->count)
        return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                        "tokenizer.ggml.%s has %u entries, tokenizer.ggml.tokens %u", name,
                        (unsigned)other->count, (unsigned)entries->count);
    return TG_OK;
}

tg_status tgi_tokenizer_new(const tg_gguf *gguf, tg_tokenizer **out, tg_error *error)
{
    tg_gguf_array entries, scores, kinds;
    bool has_scores = false, has_kinds = false;
    const kind *kind;
    *out = NULL;
    tg_status status = find_kind(gguf, &kind, error);
    if (!status)
        status = tgi_gguf_get_array(gguf, "tokenizer.ggml.tokens", TG_GGUF_STRING, &entries, NULL,
                                    error);
    if (!status && !entries.count)
        status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET, "tokenizer.ggml.tokens is empty");
    if (!status)
        status = tgi_gguf_get_array(gguf, "tokenizer.ggml.scores", TG_GGUF_F32, &scores,
                                    &has_scores, error);
    if (!status)
        status = check_lengths(&entries, &scores, has_scores, "scores", error);
    if (!status)
        status = tgi_gguf_get_array(gguf, "tokenizer.ggml.token_type", TG_GGUF_I32, &kinds,
                                    &has_kinds, error);
    if (!status)
        status = check_lengths(&entries, &kinds, has_kinds, "token_type", error);
    if (status)
        return status;
    tg_tokenizer *t = allocate(&entries);
    if (!t)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET,
                        "no memory for a vocabulary of %u tokens", (unsigned)entries.count);
    t->encode = kind->encode;
    t->spelling = kind->spelling;
    t->scores = has_scores ? scores.data : NULL;
    for (uint32_t i = 0; i < t->n && !status; i++) {
        const int32_t type = has_kinds ? ((const int32_t *)kinds.data)[i] : TG_TOKEN_NORMAL;
        if (type < TG_TOKEN_NORMAL || type > TG_TOKEN_BYTE)
            status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                              "token %u is of unknown kind %d", (unsigned)i, (int)type);
        if (t->scores && t->scores[i] != t->scores[i])
            status = tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET,
                              "the score of token %u is not a number", (unsigned)i);
        t->kinds[i] = (uint8_t)type;
    }
    if (!status)
        status = fill_bytes(t, error);
    if (!status) {
        fill_table(t);
        tgi_special_sort(t);
        status = kind->prepare(t, gguf, error);
    }
    if (!status)
        status = read_special(t, gguf, error);
    /* Published vocabularies of byte-level BPE lack bytes that their makers never saw: those are an
     * error when they are met. */
    for (int i = 0; i < 256 && !status && t->spelling == TG_ESCAPED_SPACES; i++)
        if (tgi_tokenizer_byte(t, (uint8_t)i) < 0)
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

bool tgi_tokenizer_add_bos(const tg_tokenizer *t)
{
    return t->add_bos;
}

bool tgi_tokenizer_is_eog(const tg_tokenizer *t, int32_t id)
{
    return t->eog[id];
}

tg_token_type tgi_tokenizer_token_type(const tg_tokenizer *t, int32_t id)
{
    return (tg_token_type)t->kinds[id];
}

tg_str tgi_tokenizer_bytes(const tg_tokenizer *t, int32_t id)
{
    return (tg_str){t->storage + t->views[id].offset, t->views[id].length};
}

tg_str tgi_tokenizer_piece(const tg_tokenizer *t, int32_t id)
{
    return t->entries[id];
}

tg_status tgi_tokenizer_encode(const tg_tokenizer *t, const char *text, size_t length,
                               unsigned flags, int32_t *ids, uint32_t *ends, size_t capacity,
                               size_t *n, tg_error *error)
{
    tg_ids out = {.ids = ids, .ends = ends, .capacity = capacity, .origin = text};
    tg_parts p = {0};
    bool first = true; /* nothing but special tokens so far, or just before */
    tg_status status = TG_OK;
    if ((flags & TG_ADD_SPECIAL) && t->add_bos && t->bos >= 0)
        tgi_ids_put(&out, t->bos, text);
    if (!tgi_special_cut(t, text, length, flags & TG_PARSE_SPECIAL, &p))
        status = tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory to tokenize %zu bytes",
                          length);
    for (int32_t i = 0; i >= 0 && !status; i = p.list[i].next) {
        if (p.list[i].id >= 0) {
            tgi_ids_put(&out, p.list[i].id, text + p.list[i].at + p.list[i].length);
            first = true;
        } else if (p.list[i].length) {
            status = t->encode(t, text + p.list[i].at, p.list[i].length, first, &out, error);
            first = false;
        }
    }
    free(p.list);
    if ((flags & TG_ADD_SPECIAL) && t->add_eos && t->eos >= 0)
        tgi_ids_put(&out, t->eos, text + length);
    *n = out.n;
    return status;
}

tg_status tgi_tokenizer_decode(const tg_tokenizer *t, const int32_t *ids, size_t n_ids, char *text,
                               size_t capacity, size_t *n, tg_error *error)
{
    size_t length = 0;
    bool strip =
        t->add_space_prefix; /* a text begins here: what comes first may bring its space prefix */
    *n = 0;
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] < 0 || (uint32_t)ids[i] >= t->n)
            return tgi_fail(error, TG_TOKEN_OUT_OF_RANGE, TG_NO_OFFSET,
                            "token %d is not in the vocabulary of %u", (int)ids[i], (unsigned)t->n);
        tg_str bytes = tgi_tokenizer_bytes(t, ids[i]);
        /* A user-defined token was cut out of the text as it is spelt: it has no prefix itself, and
         * encoding puts one before what follows it. (One that spells a space U+2581 comes only from
         * merges, like a normal token.) */
        const bool cut =
            t->kinds[ids[i]] == TG_TOKEN_USER_DEFINED && bytes.length == t->entries[ids[i]].length;
        if (bytes.length) {
            if (strip && !cut && bytes.data[0] == ' ') {
                bytes.data++;
                bytes.length--;
            }
            strip = cut && t->add_space_prefix;
        }
        for (uint32_t k = 0; k < bytes.length; k++, length++)
            if (length < capacity)
                text[length] = bytes.data[k];
    }
    *n = length;
    return TG_OK;
}
