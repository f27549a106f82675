/* The guesses of src/methods, compared with plain forms that look through the whole text. */
#include <math.h>

#include "../../src/methods/ngram.h"
#include "../../src/methods/recycling.h"
#include "random.h"
#include "test.h"

/* ---- n-grams, by their definition ---- */

enum { MAX_TEXT = 1600 };

/* The n tokens that end before a and before b are the same. */
static bool same(const int32_t *text, uint32_t a, uint32_t b, uint32_t n)
{
    return a >= n && b >= n && !memcmp(text + a - n, text + b - n, n * sizeof *text);
}

/* The order of the longest context of text[n] that occurred with a token after it, before `known`.
 */
static uint32_t plain_order(const int32_t *text, uint32_t n, uint32_t known)
{
    for (uint32_t order = TG_NGRAM_ORDER; order > 0; order--)
        for (uint32_t p = 0; p < known && p < n; p++)
            if (same(text, p, n, order))
                return order;
    return 0;
}

typedef struct plain_guess {
    int32_t tokens[2];
    int kinds[2]; /* -1: there is no such choice */
} plain_guess;

/* What follows text[n], if its first `known` tokens are the text and the others a draft. */
static plain_guess plain_next(const int32_t *text, uint32_t n, uint32_t known)
{
    plain_guess result = {.kinds = {-1, -1}};
    const uint32_t order = plain_order(text, n, known);
    uint32_t places[TG_NGRAM_RECENT], n_places = 0;
    for (uint32_t p = known; order && p-- > 0 && n_places < TG_NGRAM_RECENT;)
        if (p < n && same(text, p, n, order))
            places[n_places++] = p;
    int32_t taken = -1;
    for (int choice = 0; choice < 2 && n_places; choice++) {
        uint32_t best_length = 0, best_count = 0;
        bool others = false;
        for (uint32_t i = 0; i < n_places; i++) {
            const int32_t token = text[places[i]];
            if (token == taken)
                continue;
            uint32_t length = 0, count = 0;
            for (uint32_t j = 0; j < n_places; j++) {
                if (text[places[j]] != token) {
                    others = true;
                    continue;
                }
                count++;
                uint32_t l = order;
                while (l < TG_NGRAM_MATCH && same(text, places[j], n, l + 1))
                    l++;
                if (l > length)
                    length = l;
            }
            if (length > best_length || (length == best_length && count > best_count)) {
                best_length = length;
                best_count = count;
                result.tokens[choice] = token;
            }
        }
        if (!best_length)
            break;
        static const int classes[] = {0, 0, 1, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5};
        const int class = classes[best_length];
        result.kinds[choice] = choice ? 12 + (class < 3 ? class : 3) : 2 * class + !others;
        taken = result.tokens[0];
    }
    return result;
}

static const float plain_priors[] = {0.15f, 0.2f,  0.25f, 0.35f, 0.4f,  0.5f,  0.6f,  0.7f,
                                     0.75f, 0.85f, 0.85f, 0.95f, 0.08f, 0.12f, 0.16f, 0.2f};

/* The rate of each kind over the last positions of text[n]. */
static void plain_rates(const int32_t *text, uint32_t n, float *rates)
{
    uint32_t guesses[16] = {0}, hits[16] = {0};
    for (uint32_t p = n > TG_NGRAM_SCORED ? n - TG_NGRAM_SCORED : 0; p < n; p++) {
        const plain_guess next = plain_next(text, p, p);
        for (int i = 0; i < 2 && next.kinds[i] >= 0; i++) {
            guesses[next.kinds[i]]++;
            hits[next.kinds[i]] += next.tokens[i] == text[p];
        }
    }
    for (int i = 0; i < 16; i++)
        rates[i] = ((float)hits[i] + 4 * plain_priors[i]) / (float)(guesses[i] + 4);
}

/* text has room for a path after its n tokens. */
static void plain_propose(int32_t *text, uint32_t n, uint32_t max_nodes, tg_draft *draft)
{
    float rates[16], *probability = draft->probabilities;
    bool used[TG_MAX_DRAFT + 1][2] = {{false}};
    plain_guess next[TG_MAX_DRAFT + 1]; /* of the root and of each node */
    draft->n = 0;
    plain_rates(text, n, rates);
    next[0] = plain_next(text, n, n);
    while (draft->n < max_nodes) {
        int parent = -1, choice = -1;
        float best = -1;
        for (int node = 0; node <= (int)draft->n; node++)
            for (int i = 0; i < 2; i++) {
                if (next[node].kinds[i] < 0 || used[node][i])
                    continue;
                const float p = (node ? probability[node - 1] : 1) * rates[next[node].kinds[i]];
                if (p > best) {
                    best = p;
                    parent = node - 1;
                    choice = i;
                }
            }
        if (choice < 0 || best < TG_NGRAM_LEAST)
            return;
        used[parent + 1][choice] = true;
        const uint32_t node = draft->n++;
        draft->tokens[node] = next[parent + 1].tokens[choice];
        draft->parents[node] = (int8_t)parent;
        probability[node] = best;
        uint32_t depth = 0;
        for (int at = (int)node; at >= 0; at = draft->parents[at])
            depth++;
        uint32_t end = n + depth;
        for (int at = (int)node; at >= 0; at = draft->parents[at])
            text[--end] = draft->tokens[at];
        next[node + 1] = plain_next(text, n + depth, n);
    }
}

static void check_drafts(const tg_draft *got, const tg_draft *want, const char *what)
{
    CHECK(got->n == want->n, "%s: %u nodes, not %u", what, (unsigned)got->n, (unsigned)want->n);
    for (uint32_t i = 0; i < got->n && i < want->n; i++)
        CHECK(got->tokens[i] == want->tokens[i] && got->parents[i] == want->parents[i] &&
                  got->probabilities[i] == want->probabilities[i],
              "%s: node %u is %d after %d, not %d after %d", what, (unsigned)i, (int)got->tokens[i],
              got->parents[i], (int)want->tokens[i], want->parents[i]);
}

static void check_ngram(const tg_ngram *index, int32_t *text, uint32_t n, uint32_t vocab,
                        test_random *r)
{
    const uint32_t max_nodes = random_u32(r) % 4 ? random_u32(r) % 16 : TG_MAX_DRAFT;
    tg_draft got, want;
    tgi_ngram_propose(index, max_nodes, &got);
    plain_propose(text, n, max_nodes, &want);
    check_drafts(&got, &want, "n-grams");

    float shares[64];
    uint32_t counts[64] = {0}, total = 0;
    const uint32_t order = plain_order(text, n, n);
    for (uint32_t p = 0; order && p < n; p++)
        if (same(text, p, n, order)) {
            counts[text[p]]++;
            total++;
        }
    CHECK(tgi_ngram_distribution(index, shares, vocab) == order);
    for (uint32_t i = 0; i < vocab; i++)
        CHECK(shares[i] == (total ? (float)counts[i] / (float)total : 0), "token %u: %g",
              (unsigned)i, shares[i]);
}

/* Adds n tokens: random ones, and copies of earlier stretches. */
static uint32_t add_random(int32_t *text, uint32_t length, uint32_t n, uint32_t vocab,
                           test_random *r)
{
    while (n > 0) {
        uint32_t stretch = 1 + random_u32(r) % 20;
        if (stretch > n)
            stretch = n;
        const uint32_t from = length ? random_u32(r) % length : 0;
        const bool copy = length && random_u32(r) % 2;
        for (uint32_t i = 0; i < stretch; i++, n--, length++)
            text[length] = copy ? text[from + i] : (int32_t)(random_u32(r) % vocab);
    }
    return length;
}

static void test_ngram_random(void)
{
    test_random r = {21};
    static int32_t text[MAX_TEXT + TG_MAX_DRAFT];
    for (int round = 0; round < (test_all() ? 200 : 12); round++) {
        const uint32_t vocab = 1 + random_u32(&r) % 64, capacity = 40 + random_u32(&r) % 400;
        tg_ngram *index = tgi_ngram_new(capacity);
        uint32_t n = 0;
        for (int step = 0; step < 12 && index; step++) {
            if (step % 3 == 2)
                n = random_u32(&r) % (n + 1);
            n = add_random(text, n, random_u32(&r) % (capacity - n + 1), vocab, &r);
            tgi_ngram_sync(index, text, n);
            check_ngram(index, text, n, vocab, &r);
        }
        CHECK(index);
        tgi_ngram_free(index);
    }
}

static void test_ngram_cases(void)
{
    tg_draft draft;
    tg_ngram *index = tgi_ngram_new(64);
    CHECK(tgi_ngram_memory(index) < 64 * 40 + 300);
    tgi_ngram_propose(index, 8, &draft);
    CHECK(draft.n == 0);
    /* a quotation goes on as the original */
    static const int32_t quotes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
    tgi_ngram_sync(index, quotes, 12);
    tgi_ngram_propose(index, 4, &draft);
    CHECK(draft.n == 4);
    for (int i = 0; i < 4; i++)
        CHECK(draft.tokens[i] == 4 + i && draft.parents[i] == i - 1);
    /* the longer match comes first, the other continuation is a side branch */
    static const int32_t branches[] = {9, 1, 2, 5, 8, 1, 2, 6, 8, 1, 2, 6, 9, 1, 2};
    tgi_ngram_sync(index, branches, 15);
    tgi_ngram_propose(index, 8, &draft);
    CHECK(draft.n >= 4 && draft.tokens[0] == 5 && draft.parents[0] == -1);
    tgi_ngram_sync(index, branches + 4, 11);
    tgi_ngram_propose(index, TG_MAX_DRAFT, &draft);
    bool side = false;
    for (uint32_t i = 1; i < draft.n; i++)
        side = side || draft.parents[i] != (int8_t)(i - 1);
    CHECK(side && draft.tokens[0] == 6, "%d", (int)draft.tokens[0]);
    tgi_ngram_free(index);
    CHECK(!tgi_ngram_new(UINT32_MAX - 1));
}

/* Adding and taking back a token takes the same time at any length. */
static void test_ngram_long(void)
{
    enum { LONG = 200000 };
    test_random r = {5};
    int32_t *text = malloc(LONG * sizeof *text);
    tg_ngram *index = tgi_ngram_new(LONG), *fresh = tgi_ngram_new(LONG);
    add_random(text, 0, LONG, 3, &r);
    tgi_ngram_sync(index, text, LONG);
    tgi_ngram_sync(index, text, 10);
    tgi_ngram_sync(index, text + 1, LONG - 1);
    tgi_ngram_sync(fresh, text + 1, LONG - 1);
    tg_draft got, want;
    tgi_ngram_propose(index, 20, &got);
    tgi_ngram_propose(fresh, 20, &want);
    CHECK(got.n > 0);
    check_drafts(&got, &want, "after a rewind");
    tgi_ngram_free(index);
    tgi_ngram_free(fresh);
    free(text);
}

/* ---- drafts ---- */

/* What a set of nodes gains; -1: it lacks the parent of one of them. */
static float gain_of(const tg_draft *draft, uint32_t set, const float *costs)
{
    float gain = costs[0];
    uint32_t n = 0;
    for (uint32_t i = 0; i < draft->n; i++) {
        if (!(set >> i & 1))
            continue;
        if (draft->parents[i] >= 0 && !(set >> draft->parents[i] & 1))
            return -1;
        gain += draft->probabilities[i];
        n++;
    }
    return gain - costs[n];
}

/* A cut draft gains as much as the best of all subtrees. */
static void test_draft_cut(void)
{
    test_random r = {11};
    for (int round = 0; round < 300; round++) {
        tg_draft draft = {0}, cut;
        float costs[11] = {1}, best = 0;
        const uint32_t n = random_u32(&r) % 11;
        for (uint32_t i = 0; i < n; i++) {
            const int8_t parent = (int8_t)((int)(random_u32(&r) % (i + 1)) - 1);
            const float above = parent < 0 ? 1 : draft.probabilities[parent],
                        rate = random_u32(&r) % 4 ? (float)random_unit(&r) : 1;
            tgi_draft_add(&draft, parent, (int32_t)i, above * rate);
            /* steps, as some kernels have them */
            costs[i + 1] = costs[i] + (random_u32(&r) % 2 ? 0.6f * (float)random_unit(&r) : 0);
        }
        for (uint32_t set = 0; set < 1u << n; set++) {
            const float gain = gain_of(&draft, set, costs);
            best = gain > best ? gain : best;
        }
        cut = draft;
        tgi_draft_cut(&cut, costs);
        const float gain = gain_of(&cut, (1u << cut.n) - 1, costs);
        CHECK(gain > best - 1e-5f && gain < best + 1e-5f, "gains %f of %f", gain, best);
        for (uint32_t i = 0; i < cut.n; i++) { /* it is a part of the draft */
            const int32_t node = cut.tokens[i],
                          parent = cut.parents[i] < 0 ? -1 : cut.tokens[cut.parents[i]];
            CHECK(draft.parents[node] == parent, "node %d", (int)node);
        }
    }
}

/* ---- token recycling, by the paper ---- */

/* A tree by the paths of its parents, as the specification lists them. */
typedef struct plain_tree {
    const char *parents[40]; /* "path:children" */
    uint32_t n, leaves, depths[7];
} plain_tree;

static const plain_tree trees[TG_TREE_COUNT] = {
    [TG_TREE_cpu] = {{":3", "0:2", "1:1", "00:2", "01:1", "000:1", "0000:1"},
                     11,
                     5,
                     {0, 3, 3, 3, 1, 1}},
    [TG_TREE_paper] = {{":8",    "0:8",    "1:4",    "2:3",    "3:2",    "4:1",    "5:1",   "6:1",
                        "7:1",   "00:8",   "01:3",   "02:2",   "03:1",   "04:1",   "05:1",  "06:1",
                        "07:1",  "10:2",   "11:1",   "20:1",   "30:1",   "40:1",   "50:1",  "000:5",
                        "001:2", "002:1",  "003:1",  "004:1",  "010:1",  "020:1",  "100:1", "200:1",
                        "300:1", "0000:3", "0001:1", "0002:1", "0010:1", "0100:1", "1000:1"},
                       80,
                       40,
                       {0, 8, 21, 25, 15, 8, 3}},
};
static const char *const deep_parents[] = {"00000:2", "00010:1"}; /* of the paper's tree */

/* The number of children of a path of ranks. */
static int plain_children(tg_recycling_tree tree, const char *path)
{
    const size_t n = strlen(path);
    for (int i = 0; i < 40 && trees[tree].parents[i]; i++)
        if (!strncmp(trees[tree].parents[i], path, n) && trees[tree].parents[i][n] == ':')
            return trees[tree].parents[i][n + 1] - '0';
    for (int i = 0; i < 2 && tree == TG_TREE_paper; i++)
        if (!strncmp(deep_parents[i], path, n) && deep_parents[i][n] == ':')
            return deep_parents[i][n + 1] - '0';
    return 0;
}

enum { VOCAB = 300 };

typedef struct plain_matrix {
    int32_t best[VOCAB][8]; /* -1: unknown */
    float rates[8];
} plain_matrix;

static void plain_learn(plain_matrix *matrix, int32_t token, const float *logits, int n_tokens)
{
    bool taken[VOCAB] = {false};
    for (int rank = 0; rank < 8; rank++) {
        int best = -1;
        for (int i = 0; i < n_tokens; i++)
            if (!taken[i] && logits[i] > -INFINITY && (best < 0 || logits[i] > logits[best]))
                best = i;
        matrix->best[token][rank] = best;
        if (best >= 0)
            taken[best] = true;
    }
}

/* Fills a tree depth by depth. */
static void plain_fill(const plain_matrix *matrix, tg_recycling_tree tree, int32_t root,
                       uint32_t max_nodes, tg_draft *draft)
{
    float probability[TG_MAX_DRAFT + 1] = {1};
    static char paths[TG_MAX_DRAFT + 1][8];
    paths[0][0] = 0; /* of the root; the node i has paths[i + 1] */
    draft->n = 0;
    for (uint32_t i = 0; i <= draft->n; i++) {
        const int32_t token = i ? draft->tokens[i - 1] : root;
        for (int rank = 0; rank < plain_children(tree, paths[i]); rank++) {
            const float p = probability[i] * matrix->rates[rank];
            if (matrix->best[token][rank] < 0 || draft->n >= max_nodes)
                continue;
            probability[draft->n + 1] = p;
            snprintf(paths[draft->n + 1], 8, "%s%d", paths[i], rank);
            draft->tokens[draft->n] = matrix->best[token][rank];
            draft->probabilities[draft->n] = p;
            draft->parents[draft->n++] = (int8_t)((int)i - 1);
        }
    }
}

static void random_logits(float *logits, test_random *r)
{
    const bool ties = random_u32(r) % 2, few = random_u32(r) % 8 == 0;
    for (int i = 0; i < VOCAB; i++) {
        logits[i] = ties ? (float)(random_u32(r) % 6) : random_gauss(r);
        if (few && random_u32(r) % 60)
            logits[i] = -INFINITY;
    }
}

static void test_recycling_trees(void)
{
    for (int tree = 0; tree < TG_TREE_COUNT; tree++) {
        const plain_tree *want = &trees[tree];
        tg_recycling *matrix = tgi_recycling_new(9);
        const float logits[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
        for (int32_t token = 0; token < 9; token++)
            tgi_recycling_learn(matrix, token, logits);
        tg_draft draft;
        tgi_recycling_propose(matrix, (tg_recycling_tree)tree, 8, TG_MAX_DRAFT, &draft);
        CHECK(draft.n == want->n, "%u nodes", (unsigned)draft.n);
        uint32_t depths[7] = {0}, depth[TG_MAX_DRAFT], leaves = 0;
        for (uint32_t i = 0; i < draft.n; i++) {
            CHECK(draft.parents[i] < (int)i);
            depth[i] = draft.parents[i] < 0 ? 1 : depth[draft.parents[i]] + 1;
            depths[depth[i]]++;
            bool leaf = true;
            for (uint32_t j = i + 1; j < draft.n; j++)
                leaf = leaf && draft.parents[j] != (int)i;
            leaves += leaf;
        }
        CHECK(leaves == want->leaves, "%u leaves", (unsigned)leaves);
        for (int i = 0; i < 7; i++)
            CHECK(depths[i] == want->depths[i], "%u nodes at depth %d", (unsigned)depths[i], i);
        tgi_recycling_free(matrix);
    }
}

static void test_recycling_random(void)
{
    test_random r = {2};
    static plain_matrix plain;
    for (int round = 0; round < 60; round++) {
        const int n_tokens = round % 6 ? VOCAB - (int)(random_u32(&r) % 200) : 1 + round / 6;
        tg_recycling *matrix = tgi_recycling_new((uint32_t)n_tokens);
        memset(&plain, 0xff, sizeof plain);
        const float prior[] = {0.4f, 0.12f, 0.08f, 0.05f, 0.04f, 0.03f, 0.02f, 0.02f};
        memcpy(plain.rates, prior, sizeof prior);
        for (int step = 0; step < n_tokens; step++) {
            float logits[VOCAB];
            random_logits(logits, &r);
            const int32_t token = (int32_t)(random_u32(&r) % (uint32_t)n_tokens);
            const int32_t next = (int32_t)(random_u32(&r) % (uint32_t)n_tokens);
            tgi_recycling_observe(matrix, token, next);
            for (int rank = 0; rank < 8 && plain.best[token][0] >= 0; rank++)
                plain.rates[rank] +=
                    ((float)(plain.best[token][rank] == next) - plain.rates[rank]) / 64;
            tgi_recycling_learn(matrix, token, logits);
            plain_learn(&plain, token, logits, n_tokens);
        }
        for (int i = 0; i < 20; i++) {
            const int32_t root = (int32_t)(random_u32(&r) % (uint32_t)n_tokens);
            const tg_recycling_tree tree = (tg_recycling_tree)(i % TG_TREE_COUNT);
            const uint32_t max_nodes = i % 3 ? TG_MAX_DRAFT : random_u32(&r) % 20;
            tg_draft got, want;
            tgi_recycling_propose(matrix, tree, root, max_nodes, &got);
            plain_fill(&plain, tree, root, max_nodes, &want);
            check_drafts(&got, &want, "recycling");
        }
        tgi_recycling_free(matrix);
    }
}

static void test_recycling_cases(void)
{
    tg_recycling *matrix = tgi_recycling_new(4);
    CHECK(tgi_recycling_memory(matrix) >= 4 * 8 * 4);
    tg_draft draft;
    tgi_recycling_propose(matrix, TG_TREE_paper, 0, TG_MAX_DRAFT, &draft);
    CHECK(draft.n == 0);
    /* padding has the largest logit and is not learnt; nor is a token outside */
    const float logits[] = {0, 3, NAN, 1, 9, 9};
    tgi_recycling_learn(matrix, 0, logits);
    tgi_recycling_learn(matrix, 4, logits);
    tgi_recycling_learn(matrix, -1, logits);
    tgi_recycling_propose(matrix, TG_TREE_cpu, 0, TG_MAX_DRAFT, &draft);
    const int32_t tokens[] = {1, 3, 0};
    CHECK(draft.n == 3 && !memcmp(draft.tokens, tokens, sizeof tokens));
    tgi_recycling_propose(matrix, TG_TREE_cpu, 4, TG_MAX_DRAFT, &draft);
    CHECK(draft.n == 0);
    /* what is never right is not worth its time */
    const float costs[] = {1, 1.3f, 1.6f, 1.9f};
    for (int i = 0; i < 200; i++)
        tgi_recycling_observe(matrix, 0, 3);
    tgi_recycling_propose(matrix, TG_TREE_cpu, 0, TG_MAX_DRAFT, &draft);
    tgi_draft_cut(&draft, costs);
    CHECK(draft.n == 1 && draft.tokens[0] == 3);
    tgi_recycling_free(matrix);
    CHECK(!tgi_recycling_new(UINT32_MAX));

    /* 0 1 below the root, 2 3 below 0, 4 below 3 */
    const tg_draft tree = {.n = 5, .parents = {-1, -1, 0, 0, 3}};
    int8_t order[6];
    tgi_recycling_order(&tree, 3, order);
    CHECK(!memcmp(order, (int8_t[]){1, 2, 4, -1, 0, 3}, 6));
    tgi_recycling_order(&tree, -1, order);
    CHECK(!memcmp(order, (int8_t[]){0, 1, 2, 3, 4, -1}, 6));
}

static const tg_test tests[] = {
    {"methods-draft-cut", "a cut draft gains as much as the best of all subtrees", test_draft_cut},
    {"ngram_cases", "quotations go on, the other continuation is a side branch", test_ngram_cases},
    {"ngram_random", "drafts and shares equal those of a search through the whole text",
     test_ngram_random},
    {"recycling_trees", "the trees have the shapes of the specification", test_recycling_trees},
    {"recycling_random", "the matrix and the filled trees equal plain ones", test_recycling_random},
    {"recycling_cases", "unknown rows, padding, the order of learning", test_recycling_cases},
    {"ngram_long", "200,000 tokens, taken back and added again", test_ngram_long},
};

TEST_MAIN(tests)
