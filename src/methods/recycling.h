/* Token Recycling (Luo et al. 2024, "Turning Trash into Treasure"): a matrix with the likeliest
 * successors of each token, as the model saw them last, and drafts that fill a static tree from it.
 * The matrix learns from every row of logits that the model computes, also from the rows of drafts
 * that were wrong. It belongs to a model and stays from one text to the next. */
#ifndef TG_RECYCLING_H
#define TG_RECYCLING_H

#include <stddef.h>

#include "draft.h"

#define TG_RECYCLING_RANKS 8 /* successors of a token that are kept */

/* The trees of trees.def. */
typedef enum tg_recycling_tree {
#define TG_TREE(name, nodes, ...) TG_TREE_##name,
#include "trees.def"
#undef TG_TREE
    TG_TREE_COUNT
} tg_recycling_tree;

typedef struct tg_recycling tg_recycling;

/* An empty matrix. n_tokens: of the vocabulary without padding, 32 bytes each. NULL: out of
 * memory. */
tg_recycling *tgi_recycling_new(uint32_t n_tokens);
void tgi_recycling_free(tg_recycling *matrix);

/* Bytes allocated. */
size_t tgi_recycling_memory(const tg_recycling *matrix);

/* Replaces the successors of a token by the best ones in logits, which the model computed after the
 * token; logits of padding are not read. */
void tgi_recycling_learn(tg_recycling *matrix, int32_t token, const float *logits);

/* Notes that `next` followed a token: how often the successor of each rank was right, over about
 * the last 64 tokens. Call it before the token's row is learnt again. */
void tgi_recycling_observe(tg_recycling *matrix, int32_t token, int32_t next);

/* Proposes the tree after `root`, at most max_nodes nodes of it, in breadth-first order. Nodes
 * below a token without known successors are left out. A node's probability is the product of how
 * often the ranks along its path were right. */
void tgi_recycling_propose(const tg_recycling *matrix, tg_recycling_tree tree, int32_t root,
                           uint32_t max_nodes, tg_draft *draft);

/* The order in which the matrix learns from a draft: the nodes that were not accepted, then the
 * root (-1) and the accepted path, so that what is certain comes last. last: the last node of the
 * path; -1: none was accepted. order: [draft->n + 1]. */
void tgi_recycling_order(const tg_draft *draft, int8_t last, int8_t *order);

/* The tokens with the largest logits, best first; of equal ones the lower token. Returns how many:
 * at most TG_RECYCLING_RANKS, fewer if fewer logits are above minus infinity. */
uint32_t tgi_recycling_best(const float *logits, uint32_t n, int32_t best[TG_RECYCLING_RANKS]);

#endif
