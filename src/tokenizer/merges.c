/* Reads merges. The text of a merge is "left right". If a side contains spaces, too, the text is
 * divided at its first space for which left, right and both joined are tokens. */
#include "merges.h"

#include <stdlib.h>
#include <string.h>

#define KEY        "tokenizer.ggml.merges"
#define MAX_SPACES 8 /* of a merge that are tried */

/* The token of a side, whose spaces are escaped where the vocabulary escapes them. scratch:
 * [length]. */
static int32_t find(const tg_tokenizer *t, const char *text, size_t length, char *scratch)
{
    if (t->escaping == TG_ESCAPED_BYTES)
        return tgi_vocabulary_find(t, text, length);
    if (length > 3 * (size_t)t->max_piece)
        return -1;
    return tgi_vocabulary_find(t, scratch, tgi_unescape_spaces(text, length, scratch));
}

/* Finds the tokens of a merge whose sides are divided at text[at]. scratch: [2 text.length]. */
static bool divide(const tg_tokenizer *t, tg_str text, size_t at, char *scratch,
                   struct tg_merge *out)
{
    const size_t right = text.length - at - 1;
    char *joined = scratch + text.length;
    out->left = find(t, text.data, at, scratch);
    if (out->left < 0)
        return false;
    out->right = find(t, text.data + at + 1, right, scratch);
    if (out->right < 0)
        return false;
    memcpy(joined, text.data, at);
    memcpy(joined + at, text.data + at + 1, right);
    out->merged = find(t, joined, at + right, scratch);
    return out->merged >= 0;
}

/* Reads a merge. Returns why it cannot be used; NULL: it can. */
static const char *read_merge(const tg_tokenizer *t, tg_str text, char *scratch,
                              struct tg_merge *out)
{
    int spaces = 0;
    for (size_t at = 1; at + 1 < text.length && spaces < MAX_SPACES; at++)
        if (text.data[at] == ' ') {
            spaces++;
            if (divide(t, text, at, scratch, out))
                return t->bytes[out->left].length + t->bytes[out->right].length ==
                               t->bytes[out->merged].length
                           ? NULL
                           : "makes other bytes than its sides have";
        }
    return spaces ? "has a side or a result that is not a token" : "is no pair";
}

static void put(tg_merges *m, uint32_t rank)
{
    const uint32_t slot = tgi_merges_slot(m, m->list[rank].left, m->list[rank].right);
    if (!m->table[slot]) /* of equal pairs the first counts */
        m->table[slot] = rank + 1;
}

static tg_status read_all(tg_tokenizer *t, const tg_gguf_array *merges, char *scratch, bool lenient,
                          tg_error *error)
{
    uint32_t n_left_out = 0;
    for (uint32_t rank = 0; rank < merges->count; rank++) {
        const tg_str text = ((const tg_str *)merges->data)[rank];
        const char *fault = read_merge(t, text, scratch, &t->merges->list[rank]);
        if (!fault)
            put(t->merges, rank);
        else if (lenient)
            n_left_out++;
        else
            return tgi_fail(error, TG_TOKENIZER_BAD, TG_NO_OFFSET, "merge %u, \"%.32s\", %s",
                            (unsigned)rank, text.data, fault);
    }
    if (n_left_out)
        tgi_warn(&t->warnings,
                 "%u of the %u entries of " KEY " are left out: they do not make a token of two",
                 (unsigned)n_left_out, (unsigned)merges->count);
    if (n_left_out == merges->count) {
        free(t->merges);
        t->merges = NULL;
    }
    return TG_OK;
}

tg_status tgi_merges_read(tg_tokenizer *t, const tg_gguf *gguf, bool lenient, tg_error *error)
{
    tg_gguf_array merges;
    bool found = true;
    tg_status status =
        tgi_gguf_get_array(gguf, KEY, TG_GGUF_STRING, &merges, lenient ? &found : NULL, error);
    if (status || !found || (lenient && !merges.count))
        return status;
    size_t longest = 1;
    for (uint32_t rank = 0; rank < merges.count; rank++) {
        const size_t length = ((const tg_str *)merges.data)[rank].length;
        longest = length > longest ? length : longest;
    }
    const size_t slots = tgi_table_slots(merges.count);
    const size_t memory = sizeof *t->merges + merges.count * sizeof *t->merges->list +
                          slots * sizeof *t->merges->table;
    tg_merges *m = t->merges = calloc(1, memory);
    char *scratch = malloc(2 * longest);
    if (!m || !scratch) {
        free(scratch);
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for %u merges",
                        (unsigned)merges.count);
    }
    m->mask = (uint32_t)slots - 1;
    m->table = (uint32_t *)(m->list + merges.count);
    status = read_all(t, &merges, scratch, lenient, error);
    if (t->merges)
        t->memory += memory;
    free(scratch);
    return status;
}
