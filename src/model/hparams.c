/* Reads the hyper-parameters from a file's keys, by the architecture's description. An option that
 * would change the results and is not supported is an error that names its key. */
#include "arch.h"

#include <math.h>
#include <string.h>

/* Bounds far above those of small models; no product of them exceeds 64 bits. */
#define MAX_LAYERS    1024
#define MAX_WIDTH     (1u << 17)
#define MAX_HEADS     1024
#define MAX_HEAD_DIM  1024
#define MAX_FF        (1u << 20)
#define MAX_CTX_TRAIN (1u << 30)
#define MAX_EXPERTS   1024
#define MAX_TAPS      32

static void read_freq_base(tg_key_reader *r, const char *key, float *base)
{
    tgi_key_f32(r, key, false, base);
    if (!(*base > 0) || !(*base < 1e30f))
        tgi_key_bad(r, key, (double)*base, "");
}

static void read_rope_dim(tg_key_reader *r, const char *key, uint32_t head_dim, uint32_t *dim)
{
    tgi_key_u32(r, key, 1, MAX_HEAD_DIM, false, dim);
    if (*dim > head_dim || *dim % 2)
        tgi_key_bad(r, key, *dim, "is odd or wider than a head");
}

static void read_rope(tg_key_reader *r, const tg_arch *arch, tg_hparams *hp)
{
    tg_rope_params *rope = &hp->rope[0];
    *rope = (tg_rope_params){.dim = hp->head_dim,
                             .freq_base = 10000,
                             .freq_scale = 1,
                             .attn_factor = 1,
                             .beta_fast = 32,
                             .beta_slow = 1,
                             .freq_factors = true};
    hp->n_ctx_orig = hp->n_ctx_train;
    if (arch->no_rope) {
        rope->freq_base = 0;
        return;
    }
    read_rope_dim(r, "rope.dimension_count", hp->head_dim, &rope->dim);
    read_freq_base(r, "rope.freq_base", &rope->freq_base);
    tgi_key_u32(r, "rope.scaling.original_context_length", 1, MAX_CTX_TRAIN, false,
                &hp->n_ctx_orig);

    char name[TG_KEY];
    tg_str type = {"linear", 6};
    bool found;
    tgi_arch_key(r->gguf, "rope.scaling.type", name);
    if (!r->status)
        r->status = tgi_gguf_get_string(r->gguf, name, &type, &found, r->error);
    const bool none = !strcmp(type.data, "none");
    rope->yarn = !strcmp(type.data, "yarn");
    if (!r->status && !none && !rope->yarn && strcmp(type.data, "linear") &&
        strcmp(type.data, "longrope"))
        r->status =
            tgi_fail(r->error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                     "%s is \"%.32s\"; supported: none, linear, yarn, longrope", name, type.data);
    float factor = 0, magnitude = 1; /* a factor of 0 scales nothing */
    if (!tgi_key_f32(r, "rope.scaling.factor", false, &factor))
        tgi_key_f32(r, "rope.scale_linear", false, &factor);
    if (!(factor >= 0) || !(factor < 1e6f))
        tgi_key_bad(r, "rope.scaling.factor", (double)factor, "");
    if (factor > 0 && !none)
        rope->freq_scale = 1 / factor;
    tgi_key_f32_between(r, "rope.scaling.attn_factor", false, 1e-3f, 1e3f, &magnitude);
    rope->attn_factor = magnitude;
    if (rope->yarn) {
        tgi_key_f32_between(r, "rope.scaling.yarn_beta_fast", false, 1e-3f, 1e6f, &rope->beta_fast);
        tgi_key_f32_between(r, "rope.scaling.yarn_beta_slow", false, 1e-3f, 1e6f, &rope->beta_slow);
        tgi_key_neutral(r, "rope.scaling.yarn_ext_factor", 1,
                        "only whole mixtures of scaled and unscaled angles are supported");
        tgi_key_neutral(r, "rope.scaling.yarn_attn_factor", 1, "only attn_factor is supported");
        tgi_key_neutral(r, "rope.scaling.yarn_log_multiplier", 0,
                        "only YaRN's own magnitude is supported");
        if (factor > 1)
            rope->attn_factor *= (float)(1 + 0.1 * log((double)factor));
    }
}

/* ---- keys with a value for each layer ---- */

static const char window_list_key[] = "attention.sliding_window_pattern";
static const char recurrent_list_key[] = "attention.recurrent_layers";

/* A key that is a list; NULL: the file does not have the key, or the key is no list. */
static const tg_gguf_kv *find_list(const tg_gguf *gguf, const char *key)
{
    char name[TG_KEY];
    tgi_arch_key(gguf, key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(gguf, name);
    return kv && kv->type == TG_GGUF_ARRAY ? kv : NULL;
}

/* Checks a list of booleans, one for each layer. Returns whether the file has the list. */
static bool check_flags(tg_key_reader *r, const char *key)
{
    const tg_gguf_kv *list = find_list(r->gguf, key);
    const uint32_t n = list ? tgi_key_list_length(r, list) : 0;
    for (uint32_t i = 0; i < n && !r->status; i++) {
        bool flag;
        const tg_gguf_kv element = tgi_gguf_element(list, i);
        r->status = tgi_gguf_value_bool(&element, &flag, r->error);
    }
    return list != NULL;
}

/* The value for one layer of such a list; without it, whether the layer is none of every
 * period-th. */
static bool layer_flag(const tg_gguf *gguf, const char *key, uint32_t layer, uint32_t period)
{
    const tg_gguf_kv *list = find_list(gguf, key);
    return list ? tgi_gguf_element(list, layer).value.u != 0 : period && (layer + 1) % period != 0;
}

bool tgi_arch_has_window(const tg_gguf *gguf, const tg_hparams *hp, uint32_t layer)
{
    return hp->window && layer_flag(gguf, window_list_key, layer, hp->window_period);
}

bool tgi_arch_is_recurrent(const tg_gguf *gguf, const tg_hparams *hp, uint32_t layer)
{
    return hp->delta_n_head && layer_flag(gguf, recurrent_list_key, layer, hp->attention_period);
}

static void read_window(tg_key_reader *r, const tg_arch *arch, tg_hparams *hp)
{
    if (!(arch->keys & TG_KEYS_WINDOW))
        return; /* some files name the window of the training, and llama.cpp does not apply it */
    hp->window = arch->window;
    hp->window_period = arch->window_period;
    tgi_key_u32(r, "attention.sliding_window", 0, MAX_CTX_TRAIN, false, &hp->window);
    const bool list = check_flags(r, window_list_key);
    if (!list)
        tgi_key_u32(r, window_list_key, 0, MAX_LAYERS, false, &hp->window_period);
    if (!hp->window)
        hp->window_period = 0;
    if (hp->window && (list || hp->window_period != 1 || (arch->keys & TG_KEYS_LAYERS))) {
        hp->rope[1] = hp->rope[0];
        read_freq_base(r, "rope.freq_base_swa", &hp->rope[1].freq_base);
        if (arch->keys & TG_KEYS_LAYERS)
            read_rope_dim(r, "rope.dimension_count_swa", hp->head_dim_swa, &hp->rope[1].dim);
    }
}

static void read_experts(tg_key_reader *r, const tg_arch *arch, tg_hparams *hp)
{
    if (!(arch->keys & TG_KEYS_EXPERTS)) {
        tgi_key_neutral(r, "expert_count", 0,
                        "mixtures of experts are not supported in this architecture");
        return;
    }
    tgi_key_u32(r, "expert_count", 0, MAX_EXPERTS, false, &hp->n_expert);
    if (!hp->n_expert)
        return;
    tgi_key_u32(r, "expert_used_count", 1, hp->n_expert, true, &hp->n_expert_used);
    hp->n_ff_expert = hp->n_ff;
    tgi_key_u32(r, "expert_feed_forward_length", 1, MAX_FF, false, &hp->n_ff_expert);
    tgi_key_u32(r, "expert_shared_feed_forward_length", 0, MAX_FF, false, &hp->n_ff_shexp);
    tgi_key_neutral(r, "expert_shared_count", 0, "only a shared expert by its length is supported");
    tgi_key_neutral(r, "expert_weights_scale", 1, "weights of experts are not scaled");
    tgi_key_neutral(r, "expert_gating_func", 1, "only softmax is supported");
    tgi_key_neutral(r, "expert_group_count", 1, "experts are not in groups");
    hp->norm_expert_weights = arch->norm_expert_weights;
}

static void read_scales(tg_key_reader *r, const tg_arch *arch, tg_hparams *hp)
{
    static const char none[] = "this architecture has no such scale";
    hp->embedding_scale = hp->residual_scale = hp->logit_scale = 1;
    if (arch->keys & TG_KEYS_SCALES) {
        float divisor = 1;
        tgi_key_f32_between(r, "embedding_scale", false, -1e6f, 1e6f, &hp->embedding_scale);
        tgi_key_f32_between(r, "residual_scale", false, -1e6f, 1e6f, &hp->residual_scale);
        tgi_key_f32_between(r, "attention.scale", false, 0, 1e6f, &hp->attention_scale);
        tgi_key_f32_between(r, "logit_scale", true, 1e-6f, 1e6f, &divisor);
        hp->logit_scale = 1 / divisor;
        if (hp->embedding_scale == 0) /* 0 means the same as no key */
            hp->embedding_scale = 1;
        if (hp->residual_scale == 0)
            hp->residual_scale = 1;
    } else {
        tgi_key_neutral(r, "embedding_scale", 1, none);
        tgi_key_neutral(r, "residual_scale", 1, none);
        tgi_key_neutral(r, "attention.scale", 0, none);
        tgi_key_neutral(r, "logit_scale", 1, none);
    }
    if (arch->keys & TG_KEYS_CAPS) {
        hp->attention_softcap = arch->attention_softcap;
        hp->logit_softcap = arch->logit_softcap;
        tgi_key_f32_between(r, "attn_logit_softcapping", false, 0, 1e6f, &hp->attention_softcap);
        tgi_key_f32_between(r, "final_logit_softcapping", false, 0, 1e6f, &hp->logit_softcap);
    } else {
        tgi_key_neutral(r, "attn_logit_softcapping", 0,
                        "scores are not capped in this architecture");
        tgi_key_neutral(r, "final_logit_softcapping", 0,
                        "logits are not capped in this architecture");
    }
    if (arch->keys & TG_KEYS_CLAMP)
        tgi_key_f32_between(r, "attention.clamp_kqv", false, 0, 1e30f, &hp->qkv_clamp);
    else
        tgi_key_neutral(r, "attention.clamp_kqv", 0,
                        "queries and keys are not clamped in this architecture");
    tgi_key_neutral(r, "attention.max_alibi_bias", 0, "biases by distance are not supported");
    bool causal = true;
    tgi_key_bool(r, "attention.causal", &causal);
    if (!causal)
        tgi_key_unsupported(r, "attention.causal", 0, "only causal attention is supported");
}

uint32_t tgi_arch_layer_value(const tg_gguf *gguf, const char *key, uint32_t layer,
                              uint32_t fallback)
{
    const tg_gguf_kv *list = find_list(gguf, key);
    return list ? (uint32_t)tgi_gguf_element(list, layer).value.u : fallback;
}

/* A number from min to max, or a list of one for each layer; *out: the largest. The numbers of a
 * list may differ only when differ is true. Returns whether they may. min 0 allows 0 in a list, not
 * as a number. */
static bool read_u32_or_list(tg_key_reader *r, const char *key, bool differ, uint32_t min,
                             uint32_t max, bool required, uint32_t *out)
{
    const tg_gguf_kv *list = differ ? find_list(r->gguf, key) : NULL;
    if (!list) {
        tgi_key_u32(r, key, min > 1 ? min : 1, max, required, out);
        return false;
    }
    const uint32_t n = tgi_key_list_length(r, list);
    *out = 0;
    for (uint32_t i = 0; i < n && !r->status; i++) {
        uint32_t value = 0;
        const tg_gguf_kv element = tgi_gguf_element(list, i);
        r->status = tgi_gguf_value_u32(&element, min, max, &value, r->error);
        *out = value > *out ? value : *out;
    }
    return true;
}

/* Heads of keys and values. In architectures with convolution layers it can be a list, with 0 for
 * those and the same number for the others. */
static void read_heads_kv(tg_key_reader *r, const tg_arch *arch, tg_hparams *hp)
{
    static const char key[] = "attention.head_count_kv";
    const bool has_conv = arch->keys & TG_KEYS_CONV;
    hp->n_head_kv = hp->n_head;
    const bool list = read_u32_or_list(r, key, has_conv || (arch->keys & TG_KEYS_LAYERS),
                                       has_conv ? 0 : 1, MAX_HEADS, false, &hp->n_head_kv);
    if (!r->status && !hp->n_head_kv)
        tgi_key_bad(r, key, 0, "no layer has attention");
    for (uint32_t i = 0; i < hp->n_layer && list && !r->status; i++) {
        const uint32_t n = tgi_arch_layer_value(r->gguf, key, i, 0);
        if (has_conv && n && n != hp->n_head_kv)
            tgi_key_bad(r, key, n, "layers with different numbers are not supported");
        else if (n && hp->n_head % n)
            tgi_key_bad(r, key, n, "does not divide the number of heads");
    }
}

/* Multi-axis rotations: the pairs take turns between positions in time, height and width, which are
 * the same for text. A pair outside these three sections would be rotated in another way. */
static void check_rope_sections(tg_key_reader *r, const tg_hparams *hp)
{
    static const char key[] = "rope.dimension_sections";
    char name[TG_KEY];
    tg_gguf_array list;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_gguf_get_array(r->gguf, name, TG_GGUF_I32, &list, NULL, r->error);
    if (r->status)
        return;
    const int32_t *sections = list.data;
    if (list.count < 3 || list.count > 4) {
        tgi_key_bad(r, key, list.count, "numbers, not 3 or 4");
        return;
    }
    for (uint32_t i = 0; i < hp->rope[0].dim / 2; i++)
        if (sections[i % 3] < 0 || i >= 3 * (uint64_t)sections[i % 3])
            tgi_key_unsupported(r, key, sections[i % 3],
                                "sections that do not cover all pairs are not supported");
}

static void read_suppressed_tokens(tg_key_reader *r, tg_hparams *hp)
{
    static const char key[] = "tokenizer.ggml.suppress_tokens";
    tg_gguf_array list = {0};
    bool found;
    if (!r->status)
        r->status = tgi_gguf_get_array(r->gguf, key, TG_GGUF_I32, &list, &found, r->error);
    if (r->status || !found)
        return;
    hp->suppressed_tokens = list.data;
    hp->n_suppressed_tokens = list.count;
    for (uint32_t i = 0; i < list.count && !r->status; i++)
        if ((uint32_t)hp->suppressed_tokens[i] >= hp->n_vocab)
            r->status =
                tgi_fail(r->error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "%s names token %d of %u", key,
                         (int)hp->suppressed_tokens[i], (unsigned)hp->n_vocab);
}

/* Properties that differ between layers. Read before rotations and windows, which depend on them.
 */
static void read_layer_keys(tg_key_reader *r, tg_hparams *hp)
{
    uint32_t value_dim;
    tgi_key_u32(r, "attention.key_length_swa", 1, MAX_HEAD_DIM, false, &hp->head_dim_swa);
    if (hp->head_dim_swa > hp->head_dim)
        tgi_key_bad(r, "attention.key_length_swa", hp->head_dim_swa,
                    "heads that are wider in layers with a window are not supported");
    value_dim = hp->head_dim_swa;
    tgi_key_u32(r, "attention.value_length_swa", 1, MAX_HEAD_DIM, false, &value_dim);
    if (value_dim != hp->head_dim_swa)
        tgi_key_bad(r, "attention.value_length_swa", value_dim, "values must be as wide as keys");
    tgi_key_u32(r, "embedding_length_per_layer_input", 0, MAX_WIDTH, false, &hp->n_embd_per_layer);
    tgi_key_u32(r, "attention.shared_kv_layers", 0, hp->n_layer, false, &hp->n_layer_kv_shared);
    if (hp->n_layer_kv_shared && hp->n_layer - hp->n_layer_kv_shared < 2)
        tgi_key_bad(r, "attention.shared_kv_layers", hp->n_layer_kv_shared,
                    "fewer than two layers have a cache of their own");
    read_suppressed_tokens(r, hp);
}

static void read_delta_nets(tg_key_reader *r, tg_hparams *hp)
{
    uint32_t inner = 0;
    hp->attention_period = 4;
    tgi_key_u32(r, "full_attention_interval", 1, MAX_LAYERS, false, &hp->attention_period);
    tgi_key_u32(r, "ssm.conv_kernel", 1, MAX_TAPS, true, &hp->conv_taps);
    tgi_key_u32(r, "ssm.time_step_rank", 1, MAX_HEADS, true, &hp->delta_n_head);
    tgi_key_u32(r, "ssm.group_count", 1, MAX_HEADS, true, &hp->delta_n_head_k);
    tgi_key_u32(r, "ssm.state_size", 4, MAX_HEAD_DIM, true, &hp->delta_head_dim);
    tgi_key_u32(r, "ssm.inner_size", 1, MAX_WIDTH, true, &inner);
    if (!r->status && hp->delta_n_head % hp->delta_n_head_k)
        tgi_key_bad(r, "ssm.group_count", hp->delta_n_head_k,
                    "does not divide the number of heads");
    if (hp->delta_head_dim % 4)
        tgi_key_bad(r, "ssm.state_size", hp->delta_head_dim, "is no multiple of 4");
    if (!r->status && inner != hp->delta_n_head * hp->delta_head_dim)
        tgi_key_bad(r, "ssm.inner_size", inner, "is not the width of all heads");
    check_rope_sections(r, hp);
    if (!check_flags(r, recurrent_list_key))
        tgi_key_neutral(r, recurrent_list_key, 0, "it must be a list of one value for each layer");
    /* the layers after n_layer predict further tokens (nextn): the next token does not need them */
    tgi_key_u32(r, "nextn_predict_layers", 0, hp->n_layer - 1, false, &hp->n_layer_nextn);
    hp->n_layer -= hp->n_layer_nextn;
}

tg_status tgi_arch_read_finetuned(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    tg_key_reader r = {gguf, error, TG_OK};
    bool rotates = true;
    tgi_key_bool(&r, "rope.scaling.finetuned", &rotates);
    if (!rotates)
        hp->rope[0].freq_base = 0;
    return r.status;
}

tg_status tgi_arch_read_hparams(const tg_arch *arch, const tg_gguf *gguf, tg_hparams *hp,
                                tg_error *error)
{
    tg_key_reader reader = {gguf, error, TG_OK}, *r = &reader;
    uint32_t head_dim_v;
    tgi_key_u32(r, "context_length", 1, MAX_CTX_TRAIN, true, &hp->n_ctx_train);
    tgi_key_u32(r, "block_count", 1, MAX_LAYERS, true, &hp->n_layer);
    tgi_key_u32(r, "embedding_length", 1, MAX_WIDTH, true, &hp->n_embd);
    read_u32_or_list(r, "feed_forward_length", arch->keys & TG_KEYS_LAYERS, 1, MAX_FF, true,
                     &hp->n_ff);
    tgi_key_u32(r, "attention.head_count", 1, MAX_HEADS, true, &hp->n_head);
    if (r->status)
        return r->status;
    read_heads_kv(r, arch, hp);
    hp->head_dim = hp->n_embd / hp->n_head;
    tgi_key_u32(r, "attention.key_length", 1, MAX_HEAD_DIM, false, &hp->head_dim);
    head_dim_v = hp->head_dim;
    tgi_key_u32(r, "attention.value_length", 1, MAX_HEAD_DIM, false, &head_dim_v);
    if (!hp->head_dim || hp->head_dim > MAX_HEAD_DIM)
        tgi_key_bad(r, "attention.head_count", hp->n_head, "the width of heads is out of range");
    if (!r->status && hp->n_head % hp->n_head_kv)
        tgi_key_bad(r, "attention.head_count_kv", hp->n_head_kv,
                    "does not divide the number of heads");
    if (head_dim_v != hp->head_dim)
        tgi_key_bad(r, "attention.value_length", head_dim_v, "values must be as wide as keys");
    const char *eps = arch->norm == TG_NORM_RMS ? "attention.layer_norm_rms_epsilon"
                                                : "attention.layer_norm_epsilon";
    tgi_key_f32(r, eps, true, &hp->norm_eps);
    if (!(hp->norm_eps >= 0) || !(hp->norm_eps < 1))
        tgi_key_bad(r, eps, (double)hp->norm_eps, "");
    if (arch->keys & TG_KEYS_CONV)
        tgi_key_u32(r, "shortconv.l_cache", 1, MAX_TAPS, true, &hp->conv_taps);

    hp->norm = arch->norm;
    hp->pre_norms = arch->norm_without_weights || (arch->required & TG_HAS(attn_norm));
    hp->rope_order = arch->rope_order;
    hp->learned_positions = arch->learned_positions;
    hp->v_norm = arch->v_norm;
    hp->q_gate = arch->q_gate;
    hp->activation = arch->activation;
    hp->parallel = arch->parallel;
    hp->nope_period = arch->nope_period;
    hp->head_dim_swa = hp->head_dim;
    if (arch->keys & TG_KEYS_LAYERS)
        read_layer_keys(r, hp);
    read_rope(r, arch, hp);
    read_window(r, arch, hp);
    if (arch->keys & TG_KEYS_DELTA)
        read_delta_nets(r, hp);
    read_experts(r, arch, hp);
    read_scales(r, arch, hp);
    return r->status || !arch->read ? r->status : arch->read(gguf, hp, error);
}
