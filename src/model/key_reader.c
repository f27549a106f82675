/* Reads the keys of a file that begin with its architecture's name. */
#include "key_reader.h"

#include <stdio.h>

void tgi_arch_key(const tg_gguf *gguf, const char *key, char out[TG_KEY])
{
    tg_str name = {"", 0};
    bool found;
    tgi_gguf_get_string(gguf, "general.architecture", &name, &found, NULL);
    snprintf(out, TG_KEY, "%s.%s", name.data, key);
}

uint32_t tgi_key_list_length(tg_key_reader *r, const tg_gguf_kv *list)
{
    char name[TG_KEY];
    uint32_t n_layer = 0;
    tgi_arch_key(r->gguf, "block_count", name);
    if (!r->status)
        r->status = tgi_gguf_get_u32(r->gguf, name, 1, UINT32_MAX, &n_layer, NULL, r->error);
    if (!r->status && list->value.array.count != n_layer)
        r->status = tgi_fail(r->error, TG_MODEL_KEY_BAD, (int64_t)list->offset,
                             "%s is a list of %u values, but the model has %u layers",
                             list->key.data, (unsigned)list->value.array.count, (unsigned)n_layer);
    return r->status ? 0 : n_layer;
}

/* The value that a list has for all layers. Lists of strings stay lists. */
static void merge_list(tg_key_reader *r, const tg_gguf_kv *list, tg_gguf_kv *value)
{
    const uint32_t n = tgi_key_list_length(r, list);
    if (!n || list->value.array.type == TG_GGUF_STRING)
        return;
    *value = tgi_gguf_element(list, 0);
    for (uint32_t i = 1; i < n; i++) {
        const tg_gguf_kv other = tgi_gguf_element(list, i);
        char first[32], second[32];
        if (other.value.u == value->value.u) /* the 64 bits of any number */
            continue;
        tgi_gguf_print(value, first, sizeof first);
        tgi_gguf_print(&other, second, sizeof second);
        r->status = tgi_fail(r->error, TG_MODEL_OPTION_UNSUPPORTED, (int64_t)list->offset,
                             "%s is %s for layer 0 and %s for layer %u; this architecture has one "
                             "value for all layers",
                             list->key.data, first, second, (unsigned)i);
        return;
    }
}

/* Finds the value of a key; false: the file does not have the key, or there is an error. */
static bool find_value(tg_key_reader *r, const char *key, bool required, tg_gguf_kv *value)
{
    char name[TG_KEY];
    if (r->status)
        return false;
    tgi_arch_key(r->gguf, key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(r->gguf, name);
    if (!kv) {
        if (required)
            r->status = tgi_fail(r->error, TG_MODEL_KEY_MISSING, TG_NO_OFFSET,
                                 "the key %s is missing", name);
        return false;
    }
    *value = *kv;
    if (kv->type == TG_GGUF_ARRAY)
        merge_list(r, kv, value);
    return !r->status;
}

bool tgi_key_u32(tg_key_reader *r, const char *key, uint32_t min, uint32_t max, bool required,
                 uint32_t *out)
{
    tg_gguf_kv value;
    const bool found = find_value(r, key, required, &value);
    if (found)
        r->status = tgi_gguf_value_u32(&value, min, max, out, r->error);
    return found;
}

bool tgi_key_f32(tg_key_reader *r, const char *key, bool required, float *out)
{
    tg_gguf_kv value;
    const bool found = find_value(r, key, required, &value);
    if (found)
        r->status = tgi_gguf_value_f32(&value, out, r->error);
    return found;
}

bool tgi_key_f32_between(tg_key_reader *r, const char *key, bool required, float min, float max,
                         float *out)
{
    const bool found = tgi_key_f32(r, key, required, out);
    if (!(*out >= min && *out <= max)) /* NaN, too */
        tgi_key_bad(r, key, (double)*out, "");
    return found;
}

bool tgi_key_bool(tg_key_reader *r, const char *key, bool *out)
{
    tg_gguf_kv value;
    const bool found = find_value(r, key, false, &value);
    if (found)
        r->status = tgi_gguf_value_bool(&value, out, r->error);
    return found;
}

void tgi_key_neutral(tg_key_reader *r, const char *key, float neutral, const char *what)
{
    tg_gguf_kv value;
    float number = neutral;
    if (!find_value(r, key, false, &value))
        return;
    if (value.type == TG_GGUF_BOOL)
        number = (float)value.value.u;
    else
        r->status = tgi_gguf_value_f32(&value, &number, r->error);
    if (!(number == neutral || number == 0)) /* NaN, too */
        tgi_key_unsupported(r, key, (double)number, what);
}

void tgi_key_bad(tg_key_reader *r, const char *key, double value, const char *why)
{
    char name[TG_KEY];
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_fail(r->error, TG_MODEL_KEY_BAD, TG_NO_OFFSET, "%s is %.9g%s%s", name,
                             value, *why ? ": " : "", why);
}

void tgi_key_unsupported(tg_key_reader *r, const char *key, double value, const char *what)
{
    char name[TG_KEY];
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_fail(r->error, TG_MODEL_OPTION_UNSUPPORTED, TG_NO_OFFSET, "%s is %.9g: %s",
                             name, value, what);
}
