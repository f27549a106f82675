/* A session's plan: what its forward pass changes (edits) and reports (an observation).
 *
 * A batch without a plan costs one branch a layer. Sequences with a plan take these steps besides:
 *
 *   at each boundary           edits of residuals, then their observation
 *   in a layer with attention  rows of attention (attention_rows.c), if a rule or an observation
 *                              asks for them; then the heads' scales and their observation
 *   in a layer                 the feed-forward network's scale
 *
 * Residual edits, scales and observations change nothing in how attention is computed. Where rules
 * work, attention is computed twice: by the streamed softmax, and as whole rows. The outputs of the
 * rows that no rule changed keep the bits of the streamed softmax. */
#ifndef TG_PLAN_H
#define TG_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"
#include "../model/hparams.h"
#include "../model/layer.h"
#include "batch.h"

/* Functions of plans are not inlined: the forward pass stays small, for runs without plans. */
#if defined(__GNUC__)
#define TG_NOINLINE __attribute__((noinline))
#else
#define TG_NOINLINE
#endif

struct tg_scratch;
struct tg_row_rule;
struct tg_rows;

/* What a plan must know of the model. */
typedef struct tg_plan_facts {
    const tg_hparams *hparams;
    const tg_layer *layers; /* [hparams->n_layer] */
    uint32_t n_ctx;
} tg_plan_facts;

/* ---- rules on rows of attention ---- */

/* The rows of one sequence for the query heads that share a key-value head, in one layer. Row
 * i = t * group + g belongs to the query at position first + t and to query head
 * head * group + g. Scores are in powers of 2: the weight is 2^score / the sum of them all. */
typedef struct tg_rows {
    struct tg_scratch *s;
    const tg_layer *w;
    const tg_sequence *sequence;
    uint32_t layer, head, group; /* head: of keys and values */
    uint32_t first, n;           /* positions of the queries: first to first + n - 1 */
    uint32_t n_keys;             /* columns */
    const uint32_t *keys;        /* [n_keys] their positions, ascending; NULL: 0, 1, 2 ... */
    float *values;               /* [n * group][n_keys] scores, then weights */
    bool *changed; /* [n * group] set by a rule that changed the row: then it gives the output */
    uint32_t thread;
} tg_rows;

/* The position of key j. */
static inline uint32_t tgi_rows_key(const tg_rows *rows, uint32_t j)
{
    return rows->keys ? rows->keys[j] : j;
}

/* Row i: [n_keys]. */
static inline float *tgi_rows_row(const tg_rows *rows, uint32_t i)
{
    return rows->values + (size_t)i * rows->n_keys;
}

/* The query head of row i. */
static inline uint32_t tgi_rows_head(const tg_rows *rows, uint32_t i)
{
    return rows->head * rows->group + i % rows->group;
}

/* The position of row i's query, which is also the last position that the row sees. */
static inline uint32_t tgi_rows_position(const tg_rows *rows, uint32_t i)
{
    return rows->first + i / rows->group;
}

/* A step of a rule. It is called for each key-value head, by any thread: it writes only to rows and
 * to its own state of this layer and head. */
typedef void tg_row_rule_fn(const struct tg_row_rule *rule, tg_rows *rows);
/* The same for a whole layer, in the calling thread. */
typedef void tg_layer_rule_fn(const struct tg_row_rule *rule, struct tg_scratch *s,
                              const tg_layer *w, const tg_sequence *sequence, uint32_t layer);

/* Numbers that a rule reports: what it read and what it left out. */
#define TG_RULE_COUNTS TG_EDIT_COUNTS

struct tg_plan;

/* A kind of rule. Every member may be NULL. */
typedef struct tg_row_rule_kind {
    /* The option that says how many positions the prompt has; 0: the kind has none. */
    uint32_t prompt_option;
    /* Without layers the edit is refused in models in which a layer has no attention. */
    bool needs_all_layers;
    /* Checks the edit's lists and options beyond their ranges; records an error. */
    tg_status (*check)(const tg_plan_facts *model, const tg_edit *edit, tg_error *error);
    /* Bytes of state that last over batches. The state is zeros before position 0. */
    uint64_t (*state_bytes)(const tg_plan_facts *model, const tg_edit *edit);

    /* How many of n positions from `base` on may run in one batch at most. */
    uint32_t (*batch)(const struct tg_row_rule *rule, const struct tg_plan *plan, uint32_t base,
                      uint32_t n);
    /* Once n positions have run: whether the session must run again from position 0. Before it
     * does, restart is called in place of zeros. */
    bool (*repeat)(const struct tg_row_rule *rule, const struct tg_plan *plan, uint32_t n);
    void (*restart)(const struct tg_row_rule *rule);
    /* Adds up what has happened since position 0. */
    void (*report)(const struct tg_row_rule *rule, double counts[TG_RULE_COUNTS]);

    /* In the order of the calls in a layer: */
    /* q [n][n_head][head_dim] before the rotation is in s->q. */
    tg_layer_rule_fn *queries;
    /* Chooses the keys of a key-value head for all rows of the sequence: writes their positions,
     * ascending, with those of the sequence's own rows, and returns how many; 0: all keys. keys has
     * memory for all positions. When every key-value head has chosen, the streamed softmax is left
     * out, and the outputs come from the rows. In the calling thread. */
    uint32_t (*choose)(const struct tg_row_rule *rule, const tg_layer *w,
                       const tg_sequence *sequence, uint32_t layer, uint32_t head, uint32_t *keys);
    /* The first position whose rows the rule needs for a key-value head, and it needs those after
     * it; UINT32_MAX: none. NULL: those of all positions. */
    uint32_t (*wanted)(const struct tg_row_rule *rule, const tg_sequence *sequence, uint32_t layer,
                       uint32_t head);
    /* rows->values are scores, -infinity for keys that the query does not see. */
    tg_row_rule_fn *scores;
    /* rows->values are weights. */
    tg_row_rule_fn *weights;
    /* The outputs are in s->attn_out (tgi_rows_output). */
    tg_row_rule_fn *outputs;
    /* After all heads of the layer. */
    tg_layer_rule_fn *layer_end;
} tg_row_rule_kind;

#define TG_ROW_RULE(name) extern const tg_row_rule_kind tgi_rule_##name;
#include "edits.def"

/* A rule of a session. */
typedef struct tg_row_rule {
    const tg_row_rule_kind *kind;
    const tg_plan_facts *model;
    const tg_edit *edit;
    const double *options; /* edit->options */
    const bool *layers;    /* [n_layer] where it works: layers with attention only */
    const bool *heads;     /* [n_head] */
    void *state;           /* [state_bytes] */
    size_t state_bytes;
} tg_row_rule;

/* Adds a head's counts to the counts of a report. */
static inline void tgi_rule_add_counts(double counts[TG_RULE_COUNTS],
                                       const double of_head[TG_RULE_COUNTS])
{
    for (int c = 0; c < TG_RULE_COUNTS; c++)
        counts[c] += of_head[c];
}

/* The output of row i in s->attn_out: [head_dim]. */
float *tgi_rows_output(const tg_rows *rows, uint32_t i);

/* ---- plans ---- */

/* What a plan changes in a layer. */
enum { TG_PLAN_ROWS = 1, TG_PLAN_HEADS = 2, TG_PLAN_FEED_FORWARD = 4 };

typedef struct tg_plan {
    tg_plan_facts model;
    tg_edit *edits; /* [n_edits] */
    uint32_t n_edits;
    float **copies;     /* [n_edits] copy_residual: [n_layers][n_embd] the residual of `from` */
    tg_row_rule *rules; /* [n_rules] in the order of the edits */
    uint32_t n_rules;
    uint8_t *changes;   /* [n_layer] */
    float *head_scales; /* [n_layer][n_head] */
    float *ffn_scales;  /* [n_layer] */
    bool has_state;     /* a rule has: positions run in order, and not in parts of the layers */
    bool chooses;       /* a rule has choose */
    uint32_t n_seen;    /* positions that the states have seen */
    uint32_t n_prompt;  /* positions that the session had when it first ran; 0: it never did */
    uint32_t *n_chosen; /* of each key-value head: the keys that it reads; 0: all */
    uint32_t *chosen;   /* [key-value head][n_ctx] their positions */
    const tg_observation *observation; /* NULL: nothing is observed */
} tg_plan;

/* Makes a plan of edits, which are copied; NULL and the error: see tg_session_set_edits. The caller
 * frees it. */
tg_plan *tgi_plan_new(const tg_plan_facts *model, const tg_edit *edits, size_t n, tg_error *error);
/* The same edits with a copy of the states. */
tg_plan *tgi_plan_copy(const tg_plan *plan, tg_error *error);
void tgi_plan_free(tg_plan *plan);
/* Sets all states to what they are before position 0. */
void tgi_plan_reset(tg_plan *plan);
/* Once n positions have run: whether a rule needs them to run again. Then the states are those
 * before position 0. */
bool tgi_plan_repeats(tg_plan *plan, uint32_t n);
/* The number of an edit's option, whether the edit has numbers or not. */
double tgi_edit_option(const tg_edit *edit, tg_edit_option option);
/* How many positions the prompt has for the rule. */
uint32_t tgi_rule_prompt(const tg_row_rule *rule, const tg_plan *plan);
/* A member `batch` of rules whose steps after the prompt run one by one. */
uint32_t tgi_rule_steps(const tg_row_rule *rule, const tg_plan *plan, uint32_t base, uint32_t n);
/* How many tokens from `base` on may run in one batch: at most max_tokens, of `available` tokens.
 * A copy to an earlier position needs all positions between in one batch. 0: a copy needs a token
 * that the session does not have yet; *from: the position of that token. */
uint32_t tgi_plan_batch(const tg_plan *plan, uint32_t base, uint32_t max_tokens, uint32_t available,
                        uint32_t *from);

/* Edits the residuals at a boundary, then reports them. */
TG_NOINLINE void tgi_plan_boundary(struct tg_scratch *s, uint32_t boundary);
/* Scales the heads' outputs in attn_out, and reports them. */
TG_NOINLINE void tgi_plan_heads(struct tg_scratch *s, const tg_layer *w, uint32_t layer);
/* Scales the feed-forward network's output in out. */
TG_NOINLINE void tgi_plan_feed_forward(struct tg_scratch *s, uint32_t layer);

/* The index of a number in an ascending list; -1: it is not there. */
TG_NOINLINE int64_t tgi_index_of(const uint32_t *list, uint32_t n, uint32_t number);

/* ---- attention_rows.c ---- */

/* Bytes that one thread needs for the rows of n queries at position `base` and after. */
uint64_t tgi_rows_bytes(const tg_plan *plan, const struct tg_scratch *s, uint32_t base, uint32_t n);
/* The rules' step `queries`, for all sequences. */
TG_NOINLINE void tgi_rows_queries(struct tg_scratch *s, const tg_layer *w, uint32_t layer);
/* Asks the rules for the keys that each key-value head reads, before the streamed softmax. */
TG_NOINLINE void tgi_rows_choose(struct tg_scratch *s, const tg_layer *w, uint32_t layer);
/* Computes rows of attention where plans ask for them, after the streamed softmax. */
TG_NOINLINE void tgi_rows(struct tg_scratch *s, const tg_layer *w, uint32_t layer);

#endif
