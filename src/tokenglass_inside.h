/* Inside the model: what a forward pass shows, and what it changes. A part of tokenglass.h.
 *
 * Boundary 0 is the residual stream after the embeddings, boundary l the input of layer l, and
 * boundary n_layer the output of the last layer before the last norm. Positions are those of the
 * session's tokens. */
#ifndef TOKENGLASS_INSIDE_H
#define TOKENGLASS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ======== Layers ======== */

/* What carries information from position to position in a layer. */
typedef struct tg_layer_info {
    const char *mixer;  /* "attention", "convolution" or "delta_net": a constant string */
    uint32_t n_head_kv; /* of attention; 0: the layer has none */
    uint32_t head_dim;
    uint32_t window; /* positions that a token sees, itself included; 0: all */
} tg_layer_info;

/* From TG_MODEL_READY on. Returns false past the last layer. */
bool tg_model_get_layer(const tg_model *model, uint32_t index, tg_layer_info *info);

/* ======== Edits ======== */

typedef enum tg_edit_kind {
#define TG_EDIT(name)     TG_EDIT_##name,
#define TG_ROW_RULE(name) TG_EDIT_##name,
#include "layers/edits.def"
    TG_EDIT_COUNT
} tg_edit_kind;

/* The numbers of all kinds of edits. */
typedef enum tg_edit_option {
#define TG_EDIT_OPTION(edit, name, meaning, ...) TG_EDIT_OPTION_##edit##_##name,
#include "layers/edits.def"
    TG_EDIT_OPTION_COUNT
} tg_edit_option;

/* Values of the option `sees` of the edit visible. Every position sees itself, and nothing sees
 * later positions. */
enum {
    TG_SEES_CAUSAL,         /* all positions before it, as without the edit */
    TG_SEES_SELF,           /* itself */
    TG_SEES_SELF_AND_FIRST, /* itself and position 0 */
    TG_SEES_LAST_SEES_ALL,  /* the last token that the session has when the position runs sees all,
                               the others themselves and position 0 */
    TG_SEES_MASK            /* what `bytes` says: (n, n) for the first n positions, not 0: the row's
                               position sees the column's; later positions see all */
};

/* One edit. Which lists a kind takes:
 *
 *   residual       layers: one boundary; positions: one; values: [n_embd] that are set or added
 *   copy_residual  layers: boundaries; positions: from, to. At these boundaries the residual of
 *                  `to` becomes that of `from`. When `from` comes after `to`, both run in one
 *                  batch: they may be TG_BATCH - 1 positions apart.
 *   head           layers: one with attention; heads: the heads whose output, before attn_output,
 *                  is multiplied by the option scale; none: all
 *   feed_forward   layers: the layers whose feed-forward network adds its output times the option
 *                  scale to the residual stream
 *   visible        layers; what each position may see
 *   hide           layers; positions: no later position sees them
 *   keep_top       layers, heads: a row keeps the keys with the largest weights, those of the first
 *                  and the last positions, and itself; their weights are divided by their sum
 *
 *   recycled       layers; steps after the prompt read only some keys (rules/recycled.c)
 *   spatten        values: [2][n_layer] the share of tokens, then that of heads, that a layer of a
 *                  step after the prompt reads (rules/spatten.c)
 *   act            layers, heads; weights of sinks go to other keys (rules/act.c). Without layers
 *                  all except the first two and the last one
 *
 * Without layers a rule on attention works in all layers that have attention; visible and hide are
 * then refused where a layer has none, because it would still carry information. */
typedef struct tg_edit {
    tg_edit_kind kind;
    const uint32_t *layers, *heads, *positions;
    uint32_t n_layers, n_heads, n_positions;
    const float *values;
    const uint8_t *bytes;
    uint32_t n_values, n_bytes;
    const double *options; /* [TG_EDIT_OPTION_COUNT] those of the kind; NULL: the defaults */
} tg_edit;

/* Gives a session without tokens its edits, which are copied. Forks inherit them. A session with
 * edits takes no drafts and cannot be shifted, and it must not be saved: a snapshot does not hold
 * the edits. TG_INVALID_ARGUMENT names what is out of range; TG_OPTION_UNSUPPORTED: the model has
 * not what the edit changes; TG_OUT_OF_MEMORY. */
tg_status tg_session_set_edits(tg_session *session, const tg_edit *edits, size_t n);

/* What a rule of a method has done since the session's first token, over all layers and heads:
 * keys, values, rows and steps, counted once for each layer and key-value head.
 *
 *   recycled  keys read, keys of the same rows without the rule, full steps, all steps, the sum of
 *             the shares of the true largest keys that full steps found in the set, their number
 *   spatten   keys read, keys without the rule, values read, heads run, heads without the rule,
 *             rows that read low bits, rows that did not
 *   act       rows changed, rows seen, passes over the prompt
 *
 * Other edits count nothing: zeros. */
#define TG_EDIT_COUNTS 8
typedef struct tg_edit_report {
    tg_edit_kind kind;
    double counts[TG_EDIT_COUNTS];
} tg_edit_report;

/* index: of the edit in the call of tg_session_set_edits. Returns false past the last one. */
bool tg_session_get_edit_report(const tg_session *session, size_t index, tg_edit_report *report);

/* ======== Observations ======== */

/* What one batch is asked for. All lists are ascending. Positions that the batch does not run are
 * passed over, and their results stay as they are. Memory for results is the caller's. */
typedef struct tg_observation {
    const uint32_t *logit_positions; /* [n_logit_positions] */
    float *logits;                   /* [position][n_vocab] */

    const uint32_t *residual_layers, *residual_positions; /* boundaries */
    float *residuals;                                     /* [layer][position][n_embd] */

    /* the logit lens: the last norm and the output matrix, applied to the residual at a boundary */
    const uint32_t *lens_layers, *lens_positions; /* boundaries */
    const int32_t *lens_targets;                  /* [n_lens_targets] tokens */
    struct tg_top *lens_tops;           /* [layer][position][lens_top_n] most probable first */
    float *lens_entropies;              /* [layer][position] nats */
    struct tg_lens_target *lens_scores; /* [layer][position][target] */

    const uint32_t *attention_layers, *attention_heads, *attention_queries;
    float *attention; /* [layer][head][query][n_keys] weights; 0: the key is not seen */

    const uint32_t *output_layers, *output_heads, *output_positions;
    float *outputs; /* [layer][head][position][head_dim] before attn_output, after the edits */

    uint32_t n_logit_positions, n_residual_layers, n_residual_positions;
    uint32_t n_lens_layers, n_lens_positions, n_lens_targets, lens_top_n;
    uint32_t n_attention_layers, n_attention_heads, n_attention_queries;
    uint32_t n_keys; /* columns of a row of attention: at least the positions up to its query */
    uint32_t n_output_layers, n_output_heads, n_output_positions;
} tg_observation;

typedef struct tg_lens_target {
    float logprob; /* nats */
    int32_t rank;  /* tokens with a greater logit */
} tg_lens_target;

/* The positions that the next tg_session_observe runs when it is asked for at most max_tokens:
 * *first and those after it, *n of them. There can be more than max_tokens, where an edit needs
 * positions in one batch, and fewer, so that rows of attention fit into memory. *n 0: no token is
 * left to run. TG_POSITION_OUT_OF_RANGE: an edit needs tokens that the session does not have. */
tg_status tg_session_next_batch(tg_session *session, uint32_t max_tokens, uint32_t *first,
                                uint32_t *n);
/* Runs the next tokens of the session that are not cached, as many as tg_session_next_batch says,
 * and reports what the observation asks for. The session's results are the same bits as without.
 * *n_done: how many tokens have run. TG_INVALID_ARGUMENT, TG_OPTION_UNSUPPORTED,
 * TG_LOGITS_NOT_FINITE, and the errors of tg_session_eval. */
tg_status tg_session_observe(tg_session *session, const tg_observation *observation,
                             uint32_t max_tokens, uint32_t *n_done);

#endif
