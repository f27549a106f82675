#include "recycling.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN (-1)
#define SKIPPED (-2) /* a node of a tree that is not in the draft */
#define BLOCK   64
#define MEMORY  64 /* tokens after which an observation has lost most of its weight */

/* How often each rank is right, before anything was observed. */
static const float prior_rate[TG_RECYCLING_RANKS] = {0.4f,  0.12f, 0.08f, 0.05f,
                                                     0.04f, 0.03f, 0.02f, 0.02f};

struct tg_recycling {
    uint32_t n_tokens;
    float rates[TG_RECYCLING_RANKS];
    int32_t successors[]; /* [n_tokens][TG_RECYCLING_RANKS] or UNKNOWN */
};

typedef struct tg_tree_shape {
    uint8_t n_children[TG_MAX_DRAFT + 1];
} tg_tree_shape;

static const tg_tree_shape shapes[TG_TREE_COUNT] = {
#define TG_TREE(name, nodes, ...) [TG_TREE_##name] = {{__VA_ARGS__}},
#include "trees.def"
#undef TG_TREE
};

#define TG_TREE(name, nodes, ...)                                                                  \
    _Static_assert((nodes) <= TG_MAX_DRAFT, "the tree " #name " fits into a draft");
#include "trees.def"
#undef TG_TREE

tg_recycling *tgi_recycling_new(uint32_t n_tokens)
{
    const size_t row = TG_RECYCLING_RANKS * sizeof(int32_t);
    tg_recycling *matrix =
        n_tokens > (uint32_t)1 << 26 ? NULL : malloc(sizeof *matrix + n_tokens * row);
    if (!matrix)
        return NULL;
    matrix->n_tokens = n_tokens;
    memcpy(matrix->rates, prior_rate, sizeof prior_rate);
    memset(matrix->successors, 0xff, n_tokens * row);
    return matrix;
}

void tgi_recycling_free(tg_recycling *matrix)
{
    free(matrix);
}

size_t tgi_recycling_memory(const tg_recycling *matrix)
{
    return sizeof *matrix + matrix->n_tokens * (size_t)TG_RECYCLING_RANKS * sizeof(int32_t);
}

/* Whether one of a block's values is above the limit. Has no branch, so that it becomes SIMD. */
static bool any_above(const float *values, float limit)
{
    int32_t any = 0;
    for (int i = 0; i < BLOCK; i++)
        any |= values[i] > limit;
    return any;
}

uint32_t tgi_recycling_best(const float *logits, uint32_t n, int32_t best[TG_RECYCLING_RANKS])
{
    float values[TG_RECYCLING_RANKS], limit = -INFINITY;
    uint32_t count = 0;
    for (uint32_t from = 0; from < n; from += BLOCK) {
        const uint32_t to = n - from < BLOCK ? n : from + BLOCK;
        if (to - from == BLOCK && !any_above(logits + from, limit))
            continue;
        for (uint32_t i = from; i < to; i++) {
            if (!(logits[i] > limit))
                continue;
            uint32_t at = count < TG_RECYCLING_RANKS ? count++ : TG_RECYCLING_RANKS - 1;
            for (; at > 0 && logits[i] > values[at - 1]; at--) {
                values[at] = values[at - 1];
                best[at] = best[at - 1];
            }
            values[at] = logits[i];
            best[at] = (int32_t)i;
            if (count == TG_RECYCLING_RANKS)
                limit = values[TG_RECYCLING_RANKS - 1];
        }
    }
    return count;
}

/* The successors of a token; NULL: none are known. */
static const int32_t *row_of(const tg_recycling *matrix, int32_t token)
{
    if (token < 0 || (uint32_t)token >= matrix->n_tokens)
        return NULL;
    const int32_t *row = matrix->successors + (size_t)token * TG_RECYCLING_RANKS;
    return *row == UNKNOWN ? NULL : row;
}

void tgi_recycling_learn(tg_recycling *matrix, int32_t token, const float *logits)
{
    if (token < 0 || (uint32_t)token >= matrix->n_tokens)
        return;
    int32_t *row = matrix->successors + (size_t)token * TG_RECYCLING_RANKS;
    for (uint32_t i = tgi_recycling_best(logits, matrix->n_tokens, row); i < TG_RECYCLING_RANKS;
         i++)
        row[i] = UNKNOWN;
}

void tgi_recycling_observe(tg_recycling *matrix, int32_t token, int32_t next)
{
    const int32_t *row = row_of(matrix, token);
    for (int i = 0; row && i < TG_RECYCLING_RANKS; i++)
        matrix->rates[i] += ((row[i] == next ? 1.0f : 0.0f) - matrix->rates[i]) / MEMORY;
}

void tgi_recycling_propose(const tg_recycling *matrix, tg_recycling_tree tree, int32_t root,
                           uint32_t max_nodes, tg_draft *draft)
{
    const uint8_t *n_children = shapes[tree].n_children;
    int8_t nodes[TG_MAX_DRAFT + 1] = {-1}; /* of the tree's nodes, its root first */
    float probabilities[TG_MAX_DRAFT + 1] = {1};
    uint32_t end = 1;
    draft->n = 0;
    for (uint32_t i = 0; i < end; i++) {
        const int32_t token = nodes[i] == SKIPPED ? UNKNOWN : i ? draft->tokens[nodes[i]] : root;
        const int32_t *row = row_of(matrix, token);
        for (uint32_t rank = 0; rank < n_children[i]; rank++) {
            const float p = probabilities[i] * matrix->rates[rank];
            probabilities[end] = p;
            nodes[end++] = row && row[rank] != UNKNOWN && draft->n < max_nodes
                               ? tgi_draft_add(draft, nodes[i], row[rank], p)
                               : SKIPPED;
        }
    }
}

void tgi_recycling_order(const tg_draft *draft, int8_t last, int8_t *order)
{
    bool accepted[TG_MAX_DRAFT] = {false};
    uint32_t n = 0, end = draft->n + 1;
    for (; last >= 0; last = draft->parents[last]) {
        accepted[last] = true;
        order[--end] = last;
    }
    order[--end] = -1;
    for (uint32_t i = 0; i < draft->n; i++)
        if (!accepted[i])
            order[n++] = (int8_t)i;
}
