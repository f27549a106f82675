/* In: a file's keys and an architecture's description. Out: hyper-parameters within their bounds;
 * whatever would change the numbers and is not supported is refused by name. Owns nothing. */
#include "arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Upper bounds far above any small model, so that no product of them leaves 64 bits. */
#define MAX_LAYERS    1024
#define MAX_WIDTH     (1u << 17)
#define MAX_HEADS     1024
#define MAX_HEAD_DIM  1024
#define MAX_FF        (1u << 20)
#define MAX_CTX_TRAIN (1u << 30)
#define MAX_EXPERTS   1024
#define MAX_TAPS      32

/* One reading of a file: the first error stays. */
typedef struct reader {
    const tg_gguf *gguf;
    tg_error *error;
    tg_status status;
} reader;

void tgi_arch_key(const tg_gguf *gguf, const char *key, char out[TG_KEY])
{
    tg_str name = {"", 0};
    bool found;
    tgi_gguf_get_string(gguf, "general.architecture", &name, &found, NULL);
    snprintf(out, TG_KEY, "%s.%s", name.data, key);
}

/* Integer keys; *out stays when the key is absent, unless it is needed. Returns whether it was
 * there. */
static bool get(reader *r, const char *key, uint32_t min, uint32_t max, bool needed, uint32_t *out)
{
    char name[TG_KEY];
    bool found = false;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status =
            tgi_gguf_get_u32(r->gguf, name, min, max, out, needed ? NULL : &found, r->error);
    return found;
}

static bool get_float(reader *r, const char *key, bool needed, float *out)
{
    char name[TG_KEY];
    bool found = false;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_gguf_get_f32(r->gguf, name, out, needed ? NULL : &found, r->error);
    return found;
}

static bool get_bool(reader *r, const char *key, bool *out)
{
    char name[TG_KEY];
    bool found = false;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_gguf_get_bool(r->gguf, name, out, &found, r->error);
    return found;
}

static void bad(reader *r, const char *key, double value, const char *why)
{
    char name[TG_KEY];
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_fail(r->error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "%s is %.9g%s%s", name,
                             value, *why ? ": " : "", why);
}

static void refuse(reader *r, const char *key, double value, const char *what)
{
    char name[TG_KEY];
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_fail(r->error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET, "%s is %.9g: %s",
                             name, value, what);
}

/* A float that must lie between min and max. */
static void get_between(reader *r, const char *key, bool needed, float min, float max, float *out)
{
    get_float(r, key, needed, out);
    if (!(*out >= min && *out <= max))
        bad(r, key, (double)*out, "");
}

/* A key that says something only in other architectures: refused unless it is what its absence
 * means. */
static void only(reader *r, const char *key, float neutral, const char *what)
{
    float value = neutral;
    char name[TG_KEY];
    tgi_arch_key(r->gguf, key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(r->gguf, name);
    if (kv && kv->type == TG_GGUF_BOOL)
        value = (float)kv->value.u;
    else if (kv && kv->type != TG_GGUF_F32 && kv->type != TG_GGUF_F64) {
        uint32_t whole = (uint32_t)neutral;
        get(r, key, 0, UINT32_MAX, false, &whole);
        value = (float)whole;
    } else
        get_float(r, key, false, &value);
    if (value != neutral && value != 0)
        refuse(r, key, (double)value, what);
}

static void get_base(reader *r, const char *key, float *base)
{
    get_float(r, key, false, base);
    if (!(*base > 0) || !(*base < 1e30f))
        bad(r, key, (double)*base, "");
}

static void get_dim(reader *r, const char *key, uint32_t head_dim, uint32_t *dim)
{
    get(r, key, 1, MAX_HEAD_DIM, false, dim);
    if (*dim > head_dim || *dim % 2)
        bad(r, key, *dim, "is odd or wider than a head");
}

static void read_rotations(reader *r, const tg_arch *arch, tg_hparams *hp)
{
    tg_rotation *rotation = &hp->rotations[0];
    *rotation = (tg_rotation){.dim = hp->head_dim,
                              .base = 10000,
                              .scale = 1,
                              .magnitude = 1,
                              .fast = 32,
                              .slow = 1,
                              .factors = true};
    hp->n_ctx_orig = hp->n_ctx_train;
    if (arch->unrotated) {
        rotation->base = 0;
        return;
    }
    get_dim(r, "rope.dimension_count", hp->head_dim, &rotation->dim);
    get_base(r, "rope.freq_base", &rotation->base);
    get(r, "rope.scaling.original_context_length", 1, MAX_CTX_TRAIN, false, &hp->n_ctx_orig);

    char name[TG_KEY];
    tg_str type = {"linear", 6};
    bool found;
    tgi_arch_key(r->gguf, "rope.scaling.type", name);
    if (!r->status)
        r->status = tgi_gguf_get_string(r->gguf, name, &type, &found, r->error);
    const bool none = !strcmp(type.data, "none");
    rotation->yarn = !strcmp(type.data, "yarn");
    if (!r->status && !none && !rotation->yarn && strcmp(type.data, "linear") &&
        strcmp(type.data, "longrope"))
        r->status =
            tgi_fail(r->error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET,
                     "%s is \"%.32s\"; supported: none, linear, yarn, longrope", name, type.data);
    float factor = 0, magnitude = 1; /* a factor of 0 scales nothing */
    if (!get_float(r, "rope.scaling.factor", false, &factor))
        get_float(r, "rope.scale_linear", false, &factor);
    if (!(factor >= 0) || !(factor < 1e6f))
        bad(r, "rope.scaling.factor", (double)factor, "");
    if (factor > 0 && !none)
        rotation->scale = 1 / factor;
    get_between(r, "rope.scaling.attn_factor", false, 1e-3f, 1e3f, &magnitude);
    rotation->magnitude = magnitude;
    if (rotation->yarn) {
        get_between(r, "rope.scaling.yarn_beta_fast", false, 1e-3f, 1e6f, &rotation->fast);
        get_between(r, "rope.scaling.yarn_beta_slow", false, 1e-3f, 1e6f, &rotation->slow);
        only(r, "rope.scaling.yarn_ext_factor", 1,
             "only whole mixtures of scaled and unscaled angles are supported");
        only(r, "rope.scaling.yarn_attn_factor", 1, "only attn_factor is supported");
        only(r, "rope.scaling.yarn_log_multiplier", 0, "only YaRN's own magnitude is supported");
        if (factor > 1)
            rotation->magnitude *= (float)(1 + 0.1 * log((double)factor));
    }
}

static const char windows_key[] = "attention.sliding_window_pattern";

/* The list that says of each layer whether it has a window, or NULL. */
static const uint8_t *windows(const tg_gguf *gguf, uint32_t *count)
{
    char name[TG_KEY];
    tg_gguf_array list;
    bool found = false;
    tgi_arch_key(gguf, windows_key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(gguf, name);
    if (!kv || kv->type != TG_GGUF_ARRAY ||
        tgi_gguf_get_array(gguf, name, TG_GGUF_BOOL, &list, &found, NULL) || !found)
        return NULL;
    *count = list.count;
    return list.data;
}

static bool get_windows(reader *r, const tg_arch *arch, const tg_hparams *hp)
{
    uint32_t count;
    if (!(arch->keys & TG_KEYS_VARIED) || !windows(r->gguf, &count))
        return false;
    if (count != hp->n_layer)
        bad(r, windows_key, count, "numbers, but not one for each layer");
    return true;
}

bool tgi_arch_windowed(const tg_gguf *gguf, const tg_hparams *hp, uint32_t layer)
{
    uint32_t count;
    const uint8_t *list = windows(gguf, &count);
    if (!hp->window)
        return false;
    return list ? list[layer] != 0 : hp->window_period && (layer + 1) % hp->window_period != 0;
}

static void read_window(reader *r, const tg_arch *arch, tg_hparams *hp)
{
    if (!(arch->keys & TG_KEYS_WINDOW))
        return; /* that a model was trained with a window is said of some whose files are run
                   without it everywhere */
    hp->window = arch->window;
    hp->window_period = arch->window_period;
    get(r, "attention.sliding_window", 0, MAX_CTX_TRAIN, false, &hp->window);
    if (!get_windows(r, arch, hp))
        get(r, "attention.sliding_window_pattern", 0, MAX_LAYERS, false, &hp->window_period);
    if (!hp->window)
        hp->window_period = 0;
    if (hp->window && (hp->window_period != 1 || (arch->keys & TG_KEYS_VARIED))) {
        hp->rotations[1] = hp->rotations[0];
        get_base(r, "rope.freq_base_swa", &hp->rotations[1].base);
        if (arch->keys & TG_KEYS_VARIED)
            get_dim(r, "rope.dimension_count_swa", hp->head_dim_windowed, &hp->rotations[1].dim);
    }
}

static void read_experts(reader *r, const tg_arch *arch, tg_hparams *hp)
{
    if (!(arch->keys & TG_KEYS_EXPERTS)) {
        only(r, "expert_count", 0, "mixtures of experts are not supported in this architecture");
        return;
    }
    get(r, "expert_count", 0, MAX_EXPERTS, false, &hp->n_expert);
    if (!hp->n_expert)
        return;
    get(r, "expert_used_count", 1, hp->n_expert, true, &hp->n_expert_used);
    hp->n_ff_expert = hp->n_ff;
    get(r, "expert_feed_forward_length", 1, MAX_FF, false, &hp->n_ff_expert);
    get(r, "expert_shared_feed_forward_length", 0, MAX_FF, false, &hp->n_ff_shared);
    only(r, "expert_shared_count", 0, "only a shared expert by its length is supported");
    only(r, "expert_weights_scale", 1, "weights of experts are not scaled");
    only(r, "expert_gating_func", 1, "only softmax is supported");
    only(r, "expert_group_count", 1, "experts are not in groups");
    hp->experts_sum_to_one = arch->experts_sum_to_one;
}

static void read_scales(reader *r, const tg_arch *arch, tg_hparams *hp)
{
    static const char none[] = "this architecture is not scaled";
    hp->embedding_scale = hp->residual_scale = hp->logit_scale = 1;
    if (arch->keys & TG_KEYS_SCALES) {
        float divisor = 1;
        get_between(r, "embedding_scale", false, -1e6f, 1e6f, &hp->embedding_scale);
        get_between(r, "residual_scale", false, -1e6f, 1e6f, &hp->residual_scale);
        get_between(r, "attention.scale", false, 0, 1e6f, &hp->attention_scale);
        get_between(r, "logit_scale", true, 1e-6f, 1e6f, &divisor);
        hp->logit_scale = 1 / divisor;
        if (hp->embedding_scale == 0) /* 0: as if it was not there */
            hp->embedding_scale = 1;
        if (hp->residual_scale == 0)
            hp->residual_scale = 1;
    } else {
        only(r, "embedding_scale", 1, none);
        only(r, "residual_scale", 1, none);
        only(r, "attention.scale", 0, none);
        only(r, "logit_scale", 1, none);
    }
    if (arch->keys & TG_KEYS_CAPS) {
        hp->attention_cap = arch->attention_cap;
        hp->logit_cap = arch->logit_cap;
        get_between(r, "attn_logit_softcapping", false, 0, 1e6f, &hp->attention_cap);
        get_between(r, "final_logit_softcapping", false, 0, 1e6f, &hp->logit_cap);
    } else {
        only(r, "attn_logit_softcapping", 0, "scores are not capped in this architecture");
        only(r, "final_logit_softcapping", 0, "logits are not capped in this architecture");
    }
    if (arch->keys & TG_KEYS_CLAMP)
        get_between(r, "attention.clamp_kqv", false, 0, 1e30f, &hp->clamp);
    else
        only(r, "attention.clamp_kqv", 0, "queries and keys are not clamped in this architecture");
    only(r, "attention.max_alibi_bias", 0, "biases by distance are not supported");
    bool causal = true;
    get_bool(r, "attention.causal", &causal);
    if (!causal)
        refuse(r, "attention.causal", 0, "only models that look back are supported");
}

uint32_t tgi_arch_layer_value(const tg_gguf *gguf, const char *key, uint32_t layer,
                              uint32_t fallback)
{
    char name[TG_KEY];
    tg_gguf_array list;
    bool found = false;
    tgi_arch_key(gguf, key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(gguf, name);
    if (!kv || kv->type != TG_GGUF_ARRAY ||
        tgi_gguf_get_array(gguf, name, TG_GGUF_I32, &list, &found, NULL) || !found)
        return fallback;
    return layer < list.count ? ((const uint32_t *)list.data)[layer] : 0;
}

/* One number from min to max, or for architectures whose layers differ a list of them, of which
 * *out becomes the greatest. Returns whether it is a list; min 0 lets layers be without. */
static bool get_each(reader *r, const char *key, bool listed, uint32_t min, uint32_t max,
                     bool needed, uint32_t *out)
{
    char name[TG_KEY];
    tg_gguf_array list;
    uint32_t n_layer = 0;
    bool found;
    tgi_arch_key(r->gguf, key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(r->gguf, name);
    if (!listed || !kv || kv->type != TG_GGUF_ARRAY) {
        get(r, key, min > 1 ? min : 1, max, needed, out);
        return false;
    }
    get(r, "block_count", 1, MAX_LAYERS, true, &n_layer);
    if (!r->status)
        r->status = tgi_gguf_get_array(r->gguf, name, TG_GGUF_I32, &list, &found, r->error);
    if (!r->status && list.count != n_layer)
        bad(r, key, list.count, "numbers, but not one for each layer");
    *out = 0;
    for (uint32_t i = 0; i < n_layer && !r->status; i++) {
        const uint32_t own = ((const uint32_t *)list.data)[i];
        if (own < min || own > max)
            bad(r, key, own, "");
        *out = own > *out ? own : *out;
    }
    return true;
}

/* Heads of keys and values; in lists of layers that do not all attend, 0 or one number. */
static void read_heads_kv(reader *r, const tg_arch *arch, tg_hparams *hp)
{
    static const char key[] = "attention.head_count_kv";
    const bool some = arch->keys & TG_KEYS_CONV;
    hp->n_head_kv = hp->n_head;
    const bool list = get_each(r, key, some || (arch->keys & TG_KEYS_VARIED), some ? 0 : 1,
                               MAX_HEADS, false, &hp->n_head_kv);
    if (!r->status && !hp->n_head_kv)
        bad(r, key, 0, "no layer has attention");
    for (uint32_t i = 0; i < hp->n_layer && list && !r->status; i++) {
        const uint32_t own = tgi_arch_layer_value(r->gguf, key, i, 0);
        if (some && own && own != hp->n_head_kv)
            bad(r, key, own, "another number than in other layers is not supported");
        else if (own && hp->n_head % own)
            bad(r, key, own, "does not divide the number of heads");
    }
}

/* Three of the four sections are places in time, height and width, dealt out to the pairs in turn,
 * and for a text the same; a pair that falls into the fourth would not be rotated as one. */
static void read_sections(reader *r, const tg_hparams *hp)
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
        bad(r, key, list.count, "numbers, not 3 or 4");
        return;
    }
    for (uint32_t i = 0; i < hp->rotations[0].dim / 2; i++)
        if (sections[i % 3] < 0 || i >= 3 * (uint64_t)sections[i % 3])
            refuse(r, key, sections[i % 3],
                   "sections that leave pairs without a place in the text are not supported");
}

static void read_suppressed(reader *r, tg_hparams *hp)
{
    static const char key[] = "tokenizer.ggml.suppress_tokens";
    tg_gguf_array list = {0};
    bool found;
    if (!r->status)
        r->status = tgi_gguf_get_array(r->gguf, key, TG_GGUF_I32, &list, &found, r->error);
    if (r->status || !found)
        return;
    hp->suppressed = list.data;
    hp->n_suppressed = list.count;
    for (uint32_t i = 0; i < list.count && !r->status; i++)
        if ((uint32_t)hp->suppressed[i] >= hp->n_vocab)
            r->status =
                tgi_fail(r->error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "%s names token %d of %u", key,
                         (int)hp->suppressed[i], (unsigned)hp->n_vocab);
}

/* Before rotations and windows, whose widths follow from these. */
static void read_varied(reader *r, tg_hparams *hp)
{
    uint32_t values;
    get(r, "attention.key_length_swa", 1, MAX_HEAD_DIM, false, &hp->head_dim_windowed);
    if (hp->head_dim_windowed > hp->head_dim)
        bad(r, "attention.key_length_swa", hp->head_dim_windowed,
            "heads that are wider with a window than without are not supported");
    values = hp->head_dim_windowed;
    get(r, "attention.value_length_swa", 1, MAX_HEAD_DIM, false, &values);
    if (values != hp->head_dim_windowed)
        bad(r, "attention.value_length_swa", values,
            "values of another width than keys are not supported");
    get(r, "embedding_length_per_layer_input", 0, MAX_WIDTH, false, &hp->n_per_layer);
    get(r, "attention.shared_kv_layers", 0, hp->n_layer, false, &hp->n_shared);
    if (hp->n_shared && hp->n_layer - hp->n_shared < 2)
        bad(r, "attention.shared_kv_layers", hp->n_shared,
            "leaves fewer than two layers with caches of their own");
    read_suppressed(r, hp);
}

static void read_delta_nets(reader *r, tg_hparams *hp)
{
    uint32_t inner = 0;
    hp->attention_period = 4;
    get(r, "full_attention_interval", 1, MAX_LAYERS, false, &hp->attention_period);
    get(r, "ssm.conv_kernel", 1, MAX_TAPS, true, &hp->n_conv);
    get(r, "ssm.time_step_rank", 1, MAX_HEADS, true, &hp->delta_heads);
    get(r, "ssm.group_count", 1, MAX_HEADS, true, &hp->delta_keys);
    get(r, "ssm.state_size", 4, MAX_HEAD_DIM, true, &hp->delta_dim);
    get(r, "ssm.inner_size", 1, MAX_WIDTH, true, &inner);
    if (!r->status && hp->delta_heads % hp->delta_keys)
        bad(r, "ssm.group_count", hp->delta_keys, "does not divide the number of heads");
    if (hp->delta_dim % 4)
        bad(r, "ssm.state_size", hp->delta_dim, "is no multiple of 4");
    if (!r->status && inner != hp->delta_heads * hp->delta_dim)
        bad(r, "ssm.inner_size", inner, "is not the width of all heads");
    read_sections(r, hp);
    only(r, "attention.recurrent_layers", 0, "only layers that attend in turn are supported");
    /* layers that guess at further tokens stand behind the others: none of them is needed for the
     * next one */
    get(r, "nextn_predict_layers", 0, hp->n_layer - 1, false, &hp->n_layer_unused);
    hp->n_layer -= hp->n_layer_unused;
}

tg_status tgi_arch_read_finetuned(const tg_gguf *gguf, tg_hparams *hp, tg_error *error)
{
    reader r = {gguf, error, TG_OK};
    bool rotates = true;
    get_bool(&r, "rope.scaling.finetuned", &rotates);
    if (!rotates)
        hp->rotations[0].base = 0;
    return r.status;
}

tg_status tgi_arch_read_hparams(const tg_arch *arch, const tg_gguf *gguf, tg_hparams *hp,
                                tg_error *error)
{
    reader reading = {gguf, error, TG_OK}, *r = &reading;
    uint32_t n_vocab = hp->n_vocab, head_dim_v;
    get(r, "context_length", 1, MAX_CTX_TRAIN, true, &hp->n_ctx_train);
    get(r, "block_count", 1, MAX_LAYERS, true, &hp->n_layer);
    get(r, "embedding_length", 1, MAX_WIDTH, true, &hp->n_embd);
    get_each(r, "feed_forward_length", arch->keys & TG_KEYS_VARIED, 1, MAX_FF, true, &hp->n_ff);
    get(r, "attention.head_count", 1, MAX_HEADS, true, &hp->n_head);
    if (r->status)
        return r->status;
    read_heads_kv(r, arch, hp);
    hp->head_dim = hp->n_embd / hp->n_head;
    get(r, "attention.key_length", 1, MAX_HEAD_DIM, false, &hp->head_dim);
    head_dim_v = hp->head_dim;
    get(r, "attention.value_length", 1, MAX_HEAD_DIM, false, &head_dim_v);
    get(r, "vocab_size", 1, UINT32_MAX, false, &n_vocab);
    if (!hp->head_dim || hp->head_dim > MAX_HEAD_DIM)
        bad(r, "attention.head_count", hp->n_head, "heads of no or absurd width");
    if (!r->status && hp->n_head % hp->n_head_kv)
        bad(r, "attention.head_count_kv", hp->n_head_kv, "does not divide the number of heads");
    if (head_dim_v != hp->head_dim)
        bad(r, "attention.value_length", head_dim_v,
            "values of another width than keys are not supported");
    if (n_vocab != hp->n_vocab)
        bad(r, "vocab_size", n_vocab, "differs from the number of tokens in tokenizer.ggml.tokens");
    const char *eps = arch->norm == TG_NORM_RMS ? "attention.layer_norm_rms_epsilon"
                                                : "attention.layer_norm_epsilon";
    get_float(r, eps, true, &hp->norm_eps);
    if (!(hp->norm_eps >= 0) || !(hp->norm_eps < 1))
        bad(r, eps, (double)hp->norm_eps, "");
    if (arch->keys & TG_KEYS_CONV)
        get(r, "shortconv.l_cache", 1, MAX_TAPS, true, &hp->n_conv);

    hp->norm = arch->norm;
    hp->pre_norms = arch->norm_plain || (arch->needs & TG_HAS(attn_norm));
    hp->rope = arch->rope;
    hp->positions = arch->positions;
    hp->v_norm = arch->v_norm;
    hp->gated_heads = arch->gated_heads;
    hp->unit = arch->unit;
    hp->parallel = arch->parallel;
    hp->nope_period = arch->nope_period;
    hp->head_dim_windowed = hp->head_dim;
    if (arch->keys & TG_KEYS_VARIED)
        read_varied(r, hp);
    read_rotations(r, arch, hp);
    read_window(r, arch, hp);
    if (arch->keys & TG_KEYS_DELTA)
        read_delta_nets(r, hp);
    read_experts(r, arch, hp);
    read_scales(r, arch, hp);
    return r->status || !arch->read ? r->status : arch->read(gguf, hp, error);
}
