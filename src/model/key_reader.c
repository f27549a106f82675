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

bool tgi_key_u32(tg_key_reader *r, const char *key, uint32_t min, uint32_t max, bool required,
                 uint32_t *out)
{
    char name[TG_KEY];
    bool found = false;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status =
            tgi_gguf_get_u32(r->gguf, name, min, max, out, required ? NULL : &found, r->error);
    return found;
}

bool tgi_key_f32(tg_key_reader *r, const char *key, bool required, float *out)
{
    char name[TG_KEY];
    bool found = false;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_gguf_get_f32(r->gguf, name, out, required ? NULL : &found, r->error);
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
    char name[TG_KEY];
    bool found = false;
    tgi_arch_key(r->gguf, key, name);
    if (!r->status)
        r->status = tgi_gguf_get_bool(r->gguf, name, out, &found, r->error);
    return found;
}

void tgi_key_neutral(tg_key_reader *r, const char *key, float neutral, const char *what)
{
    float value = neutral;
    char name[TG_KEY];
    tgi_arch_key(r->gguf, key, name);
    const tg_gguf_kv *kv = tgi_gguf_find(r->gguf, name);
    if (kv && kv->type == TG_GGUF_BOOL)
        value = (float)kv->value.u;
    else if (kv && kv->type != TG_GGUF_F32 && kv->type != TG_GGUF_F64) {
        uint32_t integer = (uint32_t)neutral;
        tgi_key_u32(r, key, 0, UINT32_MAX, false, &integer);
        value = (float)integer;
    } else
        tgi_key_f32(r, key, false, &value);
    if (value != neutral && value != 0)
        tgi_key_unsupported(r, key, (double)value, what);
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
