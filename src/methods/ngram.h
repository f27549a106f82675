/* Guesses the next tokens of a text from what followed the same tokens earlier in the text:
 * prompt lookup with an n-gram predictor that backs off from order 3 to order 1 (Akyürek et al.
 * 2024). The index and its guesses are a function of the tokens alone, however the index got
 * them. */
#ifndef TG_NGRAM_H
#define TG_NGRAM_H

#include <stddef.h>

#include "draft.h"

#define TG_NGRAM_ORDER  3     /* tokens of the longest context that is looked up */
#define TG_NGRAM_RECENT 32    /* occurrences of a context that a guess looks at, the latest ones */
#define TG_NGRAM_MATCH  16    /* a longer match counts as one of this length */
#define TG_NGRAM_LEAST  0.04f /* nodes that are less likely are never worth their time */
#define TG_NGRAM_SCORED 256   /* the last tokens, from which the hit rates of guesses come */

typedef struct tg_ngram tg_ngram;

/* An index for a text of at most `capacity` tokens, about 35 bytes each, in one allocation. NULL:
 * out of memory. */
tg_ngram *tgi_ngram_new(uint32_t capacity);
void tgi_ngram_free(tg_ngram *index);

/* Bytes allocated. */
size_t tgi_ngram_memory(const tg_ngram *index);

/* Makes tokens[n] the text of the index. Only the tokens after the common part are looked at, in
 * constant time each. n is at most the capacity. */
void tgi_ngram_sync(tg_ngram *index, const int32_t *tokens, uint32_t n);

/* Proposes what may follow the text: at most max_nodes nodes, at most TG_MAX_DRAFT, the likeliest
 * ones, and none below TG_NGRAM_LEAST. A node's probability is the product of the hit rates along
 * its path. */
void tgi_ngram_propose(const tg_ngram *index, uint32_t max_nodes, tg_draft *draft);

/* The exact n-gram predictor: the share of each token, probabilities[n_vocab], in what followed the
 * longest context of the text's end that occurred before, over all occurrences. Returns the order
 * of the context; 0: no context occurred, and all shares are 0. */
uint32_t tgi_ngram_distribution(const tg_ngram *index, float *probabilities, uint32_t n_vocab);

#endif
