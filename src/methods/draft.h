/* A draft: a tree of tokens that may come next. A session runs it in one batch with its last
 * token and keeps the part that it would have generated anyway, so a draft changes the speed and
 * never a result. Every method of speculation writes its proposal in this form. */
#ifndef TG_DRAFT_H
#define TG_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#define TG_MAX_DRAFT 80

/* The root is the last token of the session; it is no node of the draft. */
typedef struct tg_draft {
    uint32_t n;                        /* of nodes */
    int32_t tokens[TG_MAX_DRAFT];      /* [n] children of one node have different tokens */
    int8_t parents[TG_MAX_DRAFT];      /* [n] parents[i] < i; -1: a child of the root */
    float probabilities[TG_MAX_DRAFT]; /* [n] that the text goes on to this node, as guessed */
} tg_draft;

/* Adds a node, for which there must be room. Returns its index. */
static inline int8_t tgi_draft_add(tg_draft *draft, int8_t parent, int32_t token, float probability)
{
    draft->probabilities[draft->n] = probability;
    draft->tokens[draft->n] = token;
    draft->parents[draft->n] = parent;
    return (int8_t)draft->n++;
}

/* Keeps the nodes with kept[i], which has the parent of each of them, too. */
void tgi_draft_keep(tg_draft *draft, const bool kept[TG_MAX_DRAFT]);

/* Keeps the nodes that gain most together: each is worth its probability, the share of a plain step
 * that it saves. costs: [draft->n + 1] what a batch with this many nodes takes, in plain steps. A
 * node must not be likelier than its parent. */
void tgi_draft_cut(tg_draft *draft, const float *costs);

#endif
