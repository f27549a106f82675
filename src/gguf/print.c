/* Writes values of a header as text, for people. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_ELEMENTS 8   /* of an array that are written */
#define MAX_STRING   200 /* bytes of a string that are written */

const tg_gguf_kv *tgi_gguf_kv_at(const tg_gguf *gguf, uint32_t index)
{
    return index < gguf->kv_count ? &gguf->kv[index] : NULL;
}

/* The text so far: at most `capacity` bytes with the terminator. */
typedef struct writer {
    char *text;
    size_t length, capacity;
} writer;

static void put(writer *out, const char *bytes, size_t n)
{
    const size_t room = out->capacity - out->length - 1;
    const size_t taken = n < room ? n : room;
    memcpy(out->text + out->length, bytes, taken);
    out->length += taken;
    out->text[out->length] = 0;
}

static void put_text(writer *out, const char *text)
{
    put(out, text, strlen(text));
}

/* Cuts a long string between two characters of UTF-8. */
static void put_string(writer *out, tg_str string)
{
    size_t n = string.length;
    if (n > MAX_STRING)
        for (n = MAX_STRING; n > 0 && ((uint8_t)string.data[n] & 0xc0) == 0x80;)
            n--;
    put(out, string.data, n);
    if (n < string.length)
        put_text(out, "…");
}

static void put_unsigned(writer *out, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, value);
    put_text(out, number);
}

static void put_signed(writer *out, int64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, value);
    put_text(out, number);
}

static void put_float(writer *out, double value)
{
    char number[40];
    snprintf(number, sizeof number, "%.9g", value);
    put_text(out, number);
}

/* Element i of an array; the elements have the size of their type. */
static void put_element(writer *out, const tg_gguf_array *array, uint32_t i)
{
    switch (array->type) {
    case TG_GGUF_U8:
        put_unsigned(out, ((const uint8_t *)array->data)[i]);
        break;
    case TG_GGUF_I8:
        put_signed(out, ((const int8_t *)array->data)[i]);
        break;
    case TG_GGUF_U16:
        put_unsigned(out, ((const uint16_t *)array->data)[i]);
        break;
    case TG_GGUF_I16:
        put_signed(out, ((const int16_t *)array->data)[i]);
        break;
    case TG_GGUF_U32:
        put_unsigned(out, ((const uint32_t *)array->data)[i]);
        break;
    case TG_GGUF_I32:
        put_signed(out, ((const int32_t *)array->data)[i]);
        break;
    case TG_GGUF_F32:
        put_float(out, (double)((const float *)array->data)[i]);
        break;
    case TG_GGUF_BOOL:
        put_text(out, ((const uint8_t *)array->data)[i] ? "true" : "false");
        break;
    case TG_GGUF_STRING:
        put_string(out, ((const tg_str *)array->data)[i]);
        break;
    case TG_GGUF_U64:
        put_unsigned(out, ((const uint64_t *)array->data)[i]);
        break;
    case TG_GGUF_I64:
        put_signed(out, ((const int64_t *)array->data)[i]);
        break;
    case TG_GGUF_F64:
        put_float(out, ((const double *)array->data)[i]);
        break;
    case TG_GGUF_ARRAY: /* arrays in arrays are refused when the header is read */
        break;
    }
}

static void put_array(writer *out, const tg_gguf_array *array)
{
    put_text(out, "[");
    put_unsigned(out, array->count);
    put_text(out, "]");
    for (uint32_t i = 0; i < array->count && i < MAX_ELEMENTS; i++) {
        put_text(out, i ? ", " : " ");
        put_element(out, array, i);
    }
    if (array->count > MAX_ELEMENTS)
        put_text(out, ", …");
}

void tgi_gguf_print(const tg_gguf_kv *kv, char *text, size_t capacity)
{
    writer out = {.text = text, .length = 0, .capacity = capacity};
    text[0] = 0;
    switch (kv->type) {
    case TG_GGUF_U8:
    case TG_GGUF_U16:
    case TG_GGUF_U32:
    case TG_GGUF_U64:
        put_unsigned(&out, kv->value.u);
        break;
    case TG_GGUF_I8:
    case TG_GGUF_I16:
    case TG_GGUF_I32:
    case TG_GGUF_I64:
        put_signed(&out, kv->value.i);
        break;
    case TG_GGUF_F32:
    case TG_GGUF_F64:
        put_float(&out, kv->value.f);
        break;
    case TG_GGUF_BOOL:
        put_text(&out, kv->value.u ? "true" : "false");
        break;
    case TG_GGUF_STRING:
        put_string(&out, kv->value.string);
        break;
    case TG_GGUF_ARRAY:
        put_array(&out, &kv->value.array);
        break;
    }
}
