/* The texts of a vocabulary as a tree of bytes, so that what tokens have in common is looked at
 * once. */
#ifndef TG_TRIE_H
#define TG_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tg_token_text {
    const char *bytes;
    uint32_t length; /* 0: the token is no text */
} tg_token_text;

/* Nodes in the order of a walk that takes a node before its children, and children by byte. */
typedef struct tg_trie {
    uint32_t n_nodes, n_tokens, max_depth;
    uint32_t *depth_byte; /* [n_nodes] its depth from 0, << 8, and its byte */
    uint32_t *skip;       /* [n_nodes] the first node after its subtree */
    uint32_t *first;      /* [n_nodes + 1] index of its first token; the next node's ends them */
    int32_t *tokens;      /* [n_tokens] by their bytes */
    /* [257] the first node of depth 0 whose byte is at least this */
    uint32_t roots[257];
} tg_trie;

/* Tokens longer than this are left out. */
#define TG_MAX_TOKEN_BYTES ((1u << 24) - 1)

/* Builds the tree of texts[n]. NULL: out of memory. The caller frees it. */
tg_trie *tgi_trie_new(const tg_token_text *texts, uint32_t n);
void tgi_trie_free(tg_trie *trie);

/* The token with the longest text that bytes[n] begin with; -1: there is none. *length: of its
 * text. Of tokens with the same text the last one: the tokens of single bytes, which tokenizers use
 * only where they have no other, come before the others. */
int32_t tgi_trie_longest(const tg_trie *trie, const uint8_t *bytes, size_t n, size_t *length);

/* Bytes allocated. */
size_t tgi_trie_memory(const tg_trie *trie);

#endif
