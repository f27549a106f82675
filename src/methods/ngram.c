/* The index: a hash table from the contexts of 1 to 3 tokens to the last position at which a
 * context was followed by a token, and from each position to the one before it with the same
 * context. Taking the last token back undoes what adding the token did, so the index follows a text
 * that is cut and goes on in another way. */
#include "ngram.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* Guesses of a kind are right about equally often. The kinds of a first choice: the length of the
 * match in LENGTHS classes, and whether all occurrences agree; of a second choice: the length up
 * to 3 or more. */
#define LENGTHS    6
#define SECOND     (2 * LENGTHS)
#define KINDS      (SECOND + 4)
#define NO_GUESS   KINDS
#define PRIOR_SIZE 4 /* how many guesses the rate before any guess counts */

static const float prior_rate[KINDS] = {0.15f, 0.2f,  0.25f, 0.35f, 0.4f,  0.5f,  0.6f,  0.7f,
                                        0.75f, 0.85f, 0.85f, 0.95f, 0.08f, 0.12f, 0.16f, 0.2f};

/* The guesses at one position, kept so that they can be taken back. */
typedef struct tg_ngram_record {
    uint8_t kind[2]; /* of the first and the second choice; or NO_GUESS */
    int8_t hit;      /* which choice was right; -1: none */
} tg_ngram_record;

struct tg_ngram {
    uint32_t capacity, n, n_slots;
    uint32_t guesses[KINDS], hits[KINDS]; /* of the last TG_NGRAM_SCORED positions */
    int32_t *tokens;                      /* [n] */
    uint32_t *slots;                      /* [n_slots] position << 2 | order; 0: free */
    uint32_t *previous;                   /* [n][TG_NGRAM_ORDER] by order - 1; NONE: the first */
    tg_ngram_record *records;             /* [n] */
};

typedef struct tg_choice {
    int32_t token;
    uint32_t length, count; /* of the longest match; occurrences */
} tg_choice;

/* The two best choices after a context. */
typedef struct tg_guess {
    tg_choice choices[2];
    uint8_t kinds[2]; /* NO_GUESS: there is no such choice */
} tg_guess;

static size_t bytes_a_token(void)
{
    return sizeof(int32_t) + (TG_NGRAM_ORDER + 1) * sizeof(uint32_t) +
           TG_NGRAM_ORDER * sizeof(uint32_t) + sizeof(tg_ngram_record);
}

tg_ngram *tgi_ngram_new(uint32_t capacity)
{
    const size_t n = (size_t)capacity + 1;
    tg_ngram *index = n > (size_t)1 << 24 ? NULL : calloc(1, sizeof *index + n * bytes_a_token());
    if (!index)
        return NULL;
    index->capacity = capacity;
    index->n_slots = (uint32_t)(n * (TG_NGRAM_ORDER + 1)); /* at most three in four are taken */
    index->tokens = (int32_t *)(index + 1);
    index->slots = (uint32_t *)(index->tokens + n);
    index->previous = index->slots + index->n_slots;
    index->records = (tg_ngram_record *)(index->previous + n * TG_NGRAM_ORDER);
    return index;
}

void tgi_ngram_free(tg_ngram *index)
{
    free(index);
}

size_t tgi_ngram_memory(const tg_ngram *index)
{
    return sizeof *index + ((size_t)index->capacity + 1) * bytes_a_token();
}

/* ---- contexts ---- */

/* The slot of the context of `order` tokens before `end`, which is taken or the free one where the
 * context belongs. */
static uint32_t *find_slot(const tg_ngram *index, const int32_t *end, uint32_t order)
{
    uint32_t hash = order;
    for (uint32_t i = 1; i <= order; i++)
        hash = (hash ^ (uint32_t)end[-(int32_t)i]) * 0x9e3779b1u, hash ^= hash >> 15;
    hash *= 0x85ebca77u;
    uint32_t at = (uint32_t)((uint64_t)hash * index->n_slots >> 32);
    for (;; at = at + 1 == index->n_slots ? 0 : at + 1) {
        uint32_t *slot = &index->slots[at];
        if (!*slot)
            return slot;
        if ((*slot & 3) == order &&
            !memcmp(index->tokens + (*slot >> 2) - order, end - order, order * sizeof *end))
            return slot;
    }
}

/* The last position that follows a context; NONE: the context did not occur. */
static uint32_t last_after(const tg_ngram *index, const int32_t *end, uint32_t order)
{
    const uint32_t slot = *find_slot(index, end, order);
    return slot ? slot >> 2 : NONE;
}

/* The order of the longest context that occurred before. The context ends before `end`, and the
 * text there has n tokens. 0: no context occurred. */
static uint32_t longest_order(const tg_ngram *index, const int32_t *end, uint32_t n,
                              uint32_t *position)
{
    for (uint32_t order = n < TG_NGRAM_ORDER ? n : TG_NGRAM_ORDER; order > 0; order--) {
        *position = last_after(index, end, order);
        if (*position != NONE)
            return order;
    }
    return 0;
}

/* ---- guesses ---- */

static uint32_t length_class(uint32_t length)
{
    return length <= TG_NGRAM_ORDER ? length - 1 : length < 8 ? 3 : length < TG_NGRAM_MATCH ? 4 : 5;
}

/* How many of the n tokens before `end` equal those before a position, at most TG_NGRAM_MATCH.
 * The first `order` do. */
static uint32_t match_length(const tg_ngram *index, uint32_t position, const int32_t *end,
                             uint32_t n, uint32_t order)
{
    uint32_t length = order;
    while (length < n && length < position && length < TG_NGRAM_MATCH &&
           index->tokens[position - 1 - length] == end[-1 - (int32_t)length])
        length++;
    return length;
}

/* The longer match wins, then the larger count, then the later one, which is found first. */
static bool better(const tg_choice *a, const tg_choice *b)
{
    return a->length != b->length ? a->length > b->length : a->count > b->count;
}

/* What may follow the n tokens before `end`. */
static tg_guess guess(const tg_ngram *index, const int32_t *end, uint32_t n)
{
    tg_guess result = {.kinds = {NO_GUESS, NO_GUESS}};
    tg_choice found[TG_NGRAM_RECENT];
    uint32_t n_found = 0, total = 0, position;
    const uint32_t order = longest_order(index, end, n, &position);
    if (!order)
        return result;
    for (; position != NONE && total < TG_NGRAM_RECENT; total++) {
        const int32_t token = index->tokens[position];
        const uint32_t length = match_length(index, position, end, n, order);
        uint32_t i = 0;
        while (i < n_found && found[i].token != token)
            i++;
        if (i == n_found)
            found[n_found++] = (tg_choice){.token = token};
        found[i].count++;
        if (length > found[i].length)
            found[i].length = length;
        position = index->previous[position * TG_NGRAM_ORDER + order - 1];
    }
    uint32_t first = 0, second = NONE;
    for (uint32_t i = 1; i < n_found; i++) {
        if (better(&found[i], &found[first])) {
            second = first;
            first = i;
        } else if (second == NONE || better(&found[i], &found[second])) {
            second = i;
        }
    }
    result.choices[0] = found[first];
    result.kinds[0] = (uint8_t)(2 * length_class(found[first].length) + (n_found == 1));
    if (second != NONE) {
        const uint32_t class = length_class(found[second].length);
        result.choices[1] = found[second];
        result.kinds[1] = (uint8_t)(SECOND + (class < 3 ? class : 3));
    }
    return result;
}

/* How often guesses of a kind were right. */
static float hit_rate(const tg_ngram *index, uint8_t kind)
{
    return ((float)index->hits[kind] + PRIOR_SIZE * prior_rate[kind]) /
           (float)(index->guesses[kind] + PRIOR_SIZE);
}

/* ---- the text ---- */

/* Counts the guesses at a position, or takes them back. */
static void score(tg_ngram *index, uint32_t position, bool add)
{
    const tg_ngram_record *record = &index->records[position];
    const uint32_t one = add ? 1 : UINT32_MAX;
    for (int i = 0; i < 2 && record->kind[i] != NO_GUESS; i++) {
        index->guesses[record->kind[i]] += one;
        if (record->hit == i)
            index->hits[record->kind[i]] += one;
    }
}

static void add_token(tg_ngram *index, int32_t token)
{
    const uint32_t n = index->n++;
    const int32_t *end = index->tokens + n;
    const tg_guess guessed = guess(index, end, n);
    tg_ngram_record *record = &index->records[n];
    *record = (tg_ngram_record){{guessed.kinds[0], guessed.kinds[1]}, -1};
    for (int8_t i = 0; i < 2 && record->kind[i] != NO_GUESS; i++)
        if (guessed.choices[i].token == token)
            record->hit = i;
    score(index, n, true);
    if (n >= TG_NGRAM_SCORED)
        score(index, n - TG_NGRAM_SCORED, false);
    index->tokens[n] = token;
    for (uint32_t order = 1; order <= TG_NGRAM_ORDER && order <= n; order++) {
        uint32_t *slot = find_slot(index, end, order);
        index->previous[n * TG_NGRAM_ORDER + order - 1] = *slot ? *slot >> 2 : NONE;
        *slot = n << 2 | order;
    }
}

/* The contexts that came last into the table leave it first, so nothing else has to move. */
static void remove_token(tg_ngram *index)
{
    const uint32_t n = --index->n;
    const int32_t *end = index->tokens + n;
    for (uint32_t order = n < TG_NGRAM_ORDER ? n : TG_NGRAM_ORDER; order > 0; order--) {
        const uint32_t previous = index->previous[n * TG_NGRAM_ORDER + order - 1];
        *find_slot(index, end, order) = previous == NONE ? 0 : previous << 2 | order;
    }
    score(index, n, false);
    if (n >= TG_NGRAM_SCORED)
        score(index, n - TG_NGRAM_SCORED, true);
}

void tgi_ngram_sync(tg_ngram *index, const int32_t *tokens, uint32_t n)
{
    uint32_t common = 0;
    while (common < n && common < index->n && tokens[common] == index->tokens[common])
        common++;
    while (index->n > common)
        remove_token(index);
    for (; common < n; common++)
        add_token(index, tokens[common]);
}

/* ---- drafts ---- */

/* A node that may be added to the draft. */
typedef struct tg_offer {
    int32_t token;
    float probability;
    int8_t parent;
} tg_offer;

/* The last tokens of the text and the path to a node, before `end`. Returns how many. */
static uint32_t path_to(const tg_ngram *index, const tg_draft *draft, int8_t node, int32_t *end)
{
    uint32_t n = 0;
    for (; node >= 0 && n < TG_NGRAM_MATCH; node = draft->parents[node])
        end[-1 - (int32_t)n++] = draft->tokens[node];
    for (uint32_t i = index->n; i > 0 && n < TG_NGRAM_MATCH; i--)
        end[-1 - (int32_t)n++] = index->tokens[i - 1];
    return n;
}

void tgi_ngram_propose(const tg_ngram *index, uint32_t max_nodes, tg_draft *draft)
{
    tg_offer offers[2 * (TG_MAX_DRAFT + 1)];
    uint32_t n_offers = 0;
    float probability = 1; /* of the node that was added last */
    int8_t node = -1;
    draft->n = 0;
    for (;;) {
        int32_t path[TG_NGRAM_MATCH];
        int32_t *end = path + TG_NGRAM_MATCH;
        const tg_guess guessed = guess(index, end, path_to(index, draft, node, end));
        for (int i = 0; i < 2 && guessed.kinds[i] != NO_GUESS; i++)
            offers[n_offers++] = (tg_offer){guessed.choices[i].token,
                                            probability * hit_rate(index, guessed.kinds[i]), node};
        uint32_t best = 0;
        for (uint32_t i = 1; i < n_offers; i++)
            if (offers[i].probability > offers[best].probability)
                best = i;
        if (!n_offers || offers[best].probability < TG_NGRAM_LEAST || draft->n >= max_nodes ||
            draft->n >= TG_MAX_DRAFT)
            return;
        probability = offers[best].probability;
        node = tgi_draft_add(draft, offers[best].parent, offers[best].token, probability);
        offers[best].probability = -1;
    }
}

uint32_t tgi_ngram_distribution(const tg_ngram *index, float *probabilities, uint32_t n_vocab)
{
    uint32_t position, total = 0;
    const uint32_t order = longest_order(index, index->tokens + index->n, index->n, &position);
    memset(probabilities, 0, n_vocab * sizeof *probabilities);
    if (!order)
        return 0;
    for (; position != NONE; total++) {
        probabilities[index->tokens[position]] += 1;
        position = index->previous[position * TG_NGRAM_ORDER + order - 1];
    }
    for (uint32_t i = 0; i < n_vocab; i++)
        probabilities[i] /= (float)total;
    return order;
}
