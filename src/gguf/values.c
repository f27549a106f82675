/* Looks up keys and tensors of a header that has been read, and checks a value's type and range. */
#include "internal.h"

#include <string.h>

int tgi_gguf_compare(tg_str a, tg_str b)
{
    const int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

const uint8_t tgi_gguf_scalar_bytes[TG_GGUF_N_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

void tgi_gguf_decode_scalar(tg_gguf_kv *kv, const uint8_t *bytes)
{
    const size_t n = tgi_gguf_scalar_bytes[kv->type];
    uint64_t u = 0;
    float f;
    memcpy(&u, bytes, n);
    switch (kv->type) {
    case TG_GGUF_F32:
        memcpy(&f, bytes, 4);
        kv->value.f = f;
        break;
    case TG_GGUF_F64:
        memcpy(&kv->value.f, bytes, 8);
        break;
    case TG_GGUF_I8:
    case TG_GGUF_I16:
    case TG_GGUF_I32:
    case TG_GGUF_I64:
        kv->value.i = (int64_t)(u << (64 - 8 * n)) >> (64 - 8 * n); /* sign extension */
        break;
    default:
        kv->value.u = u;
    }
}

tg_str tgi_gguf_kv_name(const tg_gguf *g, uint32_t index)
{
    return g->kv[index].key;
}

tg_str tgi_gguf_tensor_name(const tg_gguf *g, uint32_t index)
{
    return g->tensors[index].name;
}

/* Of n indices that are sorted by name, the one with the name `text`; UINT32_MAX when there is
 * none. */
static uint32_t find_name(const tg_gguf *g, const uint32_t *indices, uint32_t n,
                          tg_gguf_name_fn *name, const char *text)
{
    const tg_str target = {text, (uint32_t)strlen(text)};
    uint32_t low = 0, high = indices ? n : 0;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        const int order = tgi_gguf_compare(name(g, indices[middle]), target);
        if (!order)
            return indices[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

const tg_gguf_kv *tgi_gguf_find(const tg_gguf *g, const char *key)
{
    const uint32_t index = find_name(g, g->kv_by_name, g->kv_count, tgi_gguf_kv_name, key);
    return index == UINT32_MAX ? NULL : &g->kv[index];
}

const tg_gguf_tensor *tgi_gguf_find_tensor(const tg_gguf *g, const char *name)
{
    const uint32_t index =
        find_name(g, g->tensor_by_name, g->tensor_count, tgi_gguf_tensor_name, name);
    return index == UINT32_MAX ? NULL : &g->tensors[index];
}

/* The entry of a key. An absent key is an error only when found is NULL. */
static tg_status look_up(const tg_gguf *gguf, const char *key, const tg_gguf_kv **out, bool *found,
                         tg_error *error)
{
    *out = tgi_gguf_find(gguf, key);
    if (found)
        *found = *out != NULL;
    if (!*out && !found)
        return tgi_fail(error, TG_MODEL_KEY_MISSING, TG_NO_OFFSET, "the key %s is missing", key);
    return TG_OK;
}

static tg_status wrong_type(const tg_gguf_kv *kv, const char *expected, tg_error *error)
{
    return tgi_fail(error, TG_MODEL_KEY_BAD, (int64_t)kv->offset,
                    "the key %.64s has a value of type %d, expected %s", kv->key.data,
                    (int)kv->type, expected);
}

tg_gguf_kv tgi_gguf_element(const tg_gguf_kv *array, uint32_t index)
{
    const tg_gguf_array *elements = &array->value.array;
    tg_gguf_kv kv = {.key = array->key, .type = elements->type, .offset = array->offset};
    if (kv.type == TG_GGUF_STRING)
        kv.value.string = ((const tg_str *)elements->data)[index];
    else
        tgi_gguf_decode_scalar(&kv, (const uint8_t *)elements->data +
                                        (size_t)index * tgi_gguf_scalar_bytes[kv.type]);
    return kv;
}

static bool is_signed(tg_gguf_type type)
{
    return type == TG_GGUF_I8 || type == TG_GGUF_I16 || type == TG_GGUF_I32 || type == TG_GGUF_I64;
}

static bool is_unsigned(tg_gguf_type type)
{
    return type == TG_GGUF_U8 || type == TG_GGUF_U16 || type == TG_GGUF_U32 || type == TG_GGUF_U64;
}

tg_status tgi_gguf_value_u32(const tg_gguf_kv *kv, uint32_t min, uint32_t max, uint32_t *out,
                             tg_error *error)
{
    if (!is_signed(kv->type) && !is_unsigned(kv->type))
        return wrong_type(kv, "an integer", error);
    if (is_signed(kv->type) && kv->value.i < 0)
        return tgi_fail(error, TG_MODEL_KEY_BAD, (int64_t)kv->offset,
                        "%.64s is %lld; it must be %u to %u", kv->key.data, (long long)kv->value.i,
                        (unsigned)min, (unsigned)max);
    const uint64_t value = kv->value.u; /* of an integer that is not negative: the same bits */
    if (value < min || value > max)
        return tgi_fail(error, TG_MODEL_KEY_BAD, (int64_t)kv->offset,
                        "%.64s is %llu; it must be %u to %u", kv->key.data,
                        (unsigned long long)value, (unsigned)min, (unsigned)max);
    *out = (uint32_t)value;
    return TG_OK;
}

tg_status tgi_gguf_value_f32(const tg_gguf_kv *kv, float *out, tg_error *error)
{
    if (is_signed(kv->type))
        *out = (float)kv->value.i;
    else if (is_unsigned(kv->type))
        *out = (float)kv->value.u;
    else if (kv->type == TG_GGUF_F32 || kv->type == TG_GGUF_F64)
        *out = (float)kv->value.f;
    else
        return wrong_type(kv, "a number", error);
    return TG_OK;
}

tg_status tgi_gguf_value_bool(const tg_gguf_kv *kv, bool *out, tg_error *error)
{
    const bool integer = is_signed(kv->type) || is_unsigned(kv->type);
    if (kv->type != TG_GGUF_BOOL && !(integer && kv->value.u <= 1))
        return wrong_type(kv, "a boolean", error);
    *out = kv->value.u != 0;
    return TG_OK;
}

tg_status tgi_gguf_get_u32(const tg_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                           uint32_t *out, bool *found, tg_error *error)
{
    const tg_gguf_kv *kv;
    const tg_status status = look_up(gguf, key, &kv, found, error);
    return status || !kv ? status : tgi_gguf_value_u32(kv, min, max, out, error);
}

tg_status tgi_gguf_get_f32(const tg_gguf *gguf, const char *key, float *out, bool *found,
                           tg_error *error)
{
    const tg_gguf_kv *kv;
    const tg_status status = look_up(gguf, key, &kv, found, error);
    return status || !kv ? status : tgi_gguf_value_f32(kv, out, error);
}

tg_status tgi_gguf_get_bool(const tg_gguf *gguf, const char *key, bool *out, bool *found,
                            tg_error *error)
{
    const tg_gguf_kv *kv;
    const tg_status status = look_up(gguf, key, &kv, found, error);
    return status || !kv ? status : tgi_gguf_value_bool(kv, out, error);
}

tg_status tgi_gguf_get_string(const tg_gguf *gguf, const char *key, tg_str *out, bool *found,
                              tg_error *error)
{
    const tg_gguf_kv *kv;
    const tg_status status = look_up(gguf, key, &kv, found, error);
    if (status || !kv)
        return status;
    if (kv->type != TG_GGUF_STRING)
        return wrong_type(kv, "a string", error);
    *out = kv->value.string;
    return TG_OK;
}

tg_status tgi_gguf_get_array(const tg_gguf *gguf, const char *key, tg_gguf_type type,
                             tg_gguf_array *out, bool *found, tg_error *error)
{
    const tg_gguf_kv *kv;
    const tg_status status = look_up(gguf, key, &kv, found, error);
    if (status || !kv)
        return status;
    if (kv->type != TG_GGUF_ARRAY)
        return wrong_type(kv, "an array", error);
    const tg_gguf_type actual = kv->value.array.type;
    const bool either_32 = (type == TG_GGUF_I32 || type == TG_GGUF_U32) &&
                           (actual == TG_GGUF_I32 || actual == TG_GGUF_U32);
    if (actual != type && !either_32)
        return tgi_fail(error, TG_MODEL_KEY_BAD, (int64_t)kv->offset,
                        "%s is an array of type %d, expected %d", key, (int)actual, (int)type);
    *out = kv->value.array;
    return TG_OK;
}

uint64_t tgi_gguf_data_offset(const tg_gguf *g)
{
    return g->data_offset;
}

uint64_t tgi_gguf_file_end(const tg_gguf *g)
{
    return g->file_end;
}

size_t tgi_gguf_memory(const tg_gguf *g)
{
    return g->memory;
}

uint32_t tgi_gguf_n_tensors(const tg_gguf *g)
{
    return g->tensor_count;
}

const tg_gguf_tensor *tgi_gguf_tensor_at(const tg_gguf *g, uint32_t index)
{
    return &g->tensors[index];
}

void tgi_gguf_fingerprint(const tg_gguf *g, uint64_t file_size, uint8_t digest[32])
{
    tg_sha256 sha = g->sha;
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(file_size >> 8 * i);
    tgi_sha256_update(&sha, length, 8);
    tgi_sha256_final(&sha, digest);
}
