/* Builds the tree of a vocabulary from its sorted texts. */
#include "trie.h"

#include <stdlib.h>
#include <string.h>

/* A text to sort: its first 8 bytes as a number, which decides most comparisons. */
typedef struct tg_sort_key {
    uint64_t start;
    uint32_t token;
} tg_sort_key;

static uint64_t start_of(tg_token_text text)
{
    uint64_t start = 0;
    for (uint32_t i = 0; i < 8; i++)
        start = start << 8 | (i < text.length ? (uint8_t)text.bytes[i] : 0);
    return start;
}

/* Whether text a comes after text b; equal texts are in the order of their ids. */
static bool comes_after(const tg_token_text *texts, tg_sort_key a, tg_sort_key b)
{
    if (a.start != b.start)
        return a.start > b.start;
    const tg_token_text x = texts[a.token], y = texts[b.token];
    const int order = memcmp(x.bytes, y.bytes, x.length < y.length ? x.length : y.length);
    return order ? order > 0 : x.length > y.length;
}

/* A stable merge sort; qsort cannot pass the texts to its comparison. keys, other: [n]. Returns the
 * array that has the result. */
static tg_sort_key *sort(const tg_token_text *texts, tg_sort_key *keys, tg_sort_key *other,
                         uint32_t n)
{
    for (uint32_t width = 1; width<n; width = width> n / 2 ? n : 2 * width) {
        for (uint32_t low = 0; low<n; low += width>(n - low) / 2 ? n - low : 2 * width) {
            const uint32_t middle = width < n - low ? low + width : n;
            const uint32_t high = width < n - middle ? middle + width : n;
            uint32_t left = low, right = middle;
            for (uint32_t k = low; k < high; k++)
                other[k] =
                    left < middle && (right == high || !comes_after(texts, keys[left], keys[right]))
                        ? keys[left++]
                        : keys[right++];
        }
        tg_sort_key *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/* Bytes that two texts have in common from their beginning. */
static uint32_t common(tg_token_text a, tg_token_text b)
{
    uint32_t n = 0;
    while (n < a.length && n < b.length && a.bytes[n] == b.bytes[n])
        n++;
    return n;
}

static tg_trie *allocate(uint32_t n_nodes, uint32_t n_tokens, uint32_t max_depth)
{
    tg_trie *trie = calloc(1, sizeof *trie);
    if (!trie)
        return NULL;
    trie->n_nodes = n_nodes;
    trie->n_tokens = n_tokens;
    trie->max_depth = max_depth;
    trie->depth_byte = malloc(((size_t)n_nodes + 1) * sizeof *trie->depth_byte);
    trie->skip = malloc(((size_t)n_nodes + 1) * sizeof *trie->skip);
    trie->first = malloc(((size_t)n_nodes + 1) * sizeof *trie->first);
    trie->tokens = malloc(((size_t)n_tokens + 1) * sizeof *trie->tokens);
    if (!trie->depth_byte || !trie->skip || !trie->first || !trie->tokens) {
        tgi_trie_free(trie);
        return NULL;
    }
    return trie;
}

/* Fills the tree from the sorted texts. open: [max_depth], for the nodes above. */
static void fill(tg_trie *trie, const tg_token_text *texts, const tg_sort_key *keys, uint32_t *open)
{
    uint32_t node = 0, depth = 0;
    for (uint32_t i = 0; i < trie->n_tokens; i++) {
        const tg_token_text text = texts[keys[i].token];
        const uint32_t shared = i ? common(texts[keys[i - 1].token], text) : 0;
        while (depth > shared)
            trie->skip[open[--depth]] = node;
        for (; depth < text.length; depth++, node++) {
            open[depth] = node;
            trie->depth_byte[node] = depth << 8 | (uint8_t)text.bytes[depth];
            trie->first[node] = i;
        }
        trie->tokens[i] = (int32_t)keys[i].token;
    }
    while (depth > 0)
        trie->skip[open[--depth]] = node;
    trie->first[node] = trie->n_tokens;
    for (uint32_t byte = 0, at = 0; byte <= 256; byte++) {
        while (at < trie->n_nodes && (trie->depth_byte[at] & 255) < byte)
            at = trie->skip[at];
        trie->roots[byte] = at;
    }
}

tg_trie *tgi_trie_new(const tg_token_text *texts, uint32_t n)
{
    tg_trie *trie = NULL;
    tg_sort_key *keys = malloc(((size_t)n + 1) * 2 * sizeof *keys), *sorted;
    uint32_t n_tokens = 0, max_depth = 0;
    uint64_t n_nodes = 0;
    if (!keys)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (texts[i].length && texts[i].length <= TG_MAX_TOKEN_BYTES)
            keys[n_tokens++] = (tg_sort_key){start_of(texts[i]), i};
    sorted = sort(texts, keys, keys + n_tokens, n_tokens);
    for (uint32_t i = 0; i < n_tokens; i++) {
        const tg_token_text text = texts[sorted[i].token];
        n_nodes += text.length - (i ? common(texts[sorted[i - 1].token], text) : 0);
        max_depth = text.length > max_depth ? text.length : max_depth;
    }
    uint32_t *open = malloc(((size_t)max_depth + 1) * sizeof *open);
    if (open && n_nodes < UINT32_MAX / 4)
        trie = allocate((uint32_t)n_nodes, n_tokens, max_depth);
    if (trie)
        fill(trie, texts, sorted, open);
    free(open);
    free(keys);
    return trie;
}

void tgi_trie_free(tg_trie *trie)
{
    if (!trie)
        return;
    free(trie->depth_byte);
    free(trie->skip);
    free(trie->first);
    free(trie->tokens);
    free(trie);
}

int32_t tgi_trie_longest(const tg_trie *trie, const uint8_t *bytes, size_t n, size_t *length)
{
    int32_t longest = -1;
    uint32_t node = 0, end = trie->n_nodes; /* the children of the node before lie in this range */
    *length = 0;
    for (size_t depth = 0; depth < n; depth++) {
        while (node < end && (trie->depth_byte[node] & 255) != bytes[depth])
            node = trie->skip[node];
        if (node >= end)
            break;
        if (trie->first[node] < trie->first[node + 1] &&
            (trie->depth_byte[node] >> 8) + 1 == depth + 1) {
            longest = trie->tokens[trie->first[node + 1] - 1];
            *length = depth + 1;
        }
        end = trie->skip[node];
        node++;
    }
    return longest;
}

size_t tgi_trie_memory(const tg_trie *trie)
{
    return sizeof *trie + ((size_t)trie->n_nodes + 1) * 3 * sizeof(uint32_t) +
           ((size_t)trie->n_tokens + 1) * sizeof(int32_t);
}
