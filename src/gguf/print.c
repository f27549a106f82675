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

/* The text of a number. */
#define put_number(out, format, value)                                                             \
    do {                                                                                           \
        char number[40];                                                                           \
        snprintf(number, sizeof number, format, value);                                            \
        put_text(out, number);                                                                     \
    } while (0)

/* A value that is not an array. */
static void put_single(writer *out, const tg_gguf_kv *kv)
{
    switch (kv->type) {
    case TG_GGUF_U8:
    case TG_GGUF_U16:
    case TG_GGUF_U32:
    case TG_GGUF_U64:
        put_number(out, "%" PRIu64, kv->value.u);
        break;
    case TG_GGUF_I8:
    case TG_GGUF_I16:
    case TG_GGUF_I32:
    case TG_GGUF_I64:
        put_number(out, "%" PRId64, kv->value.i);
        break;
    case TG_GGUF_F32:
    case TG_GGUF_F64:
        put_number(out, "%.9g", kv->value.f);
        break;
    case TG_GGUF_BOOL:
        put_text(out, kv->value.u ? "true" : "false");
        break;
    case TG_GGUF_STRING:
        put_string(out, kv->value.string);
        break;
    case TG_GGUF_ARRAY: /* arrays in arrays are refused when the header is read */
        break;
    }
}

static void put_array(writer *out, const tg_gguf_kv *kv)
{
    const tg_gguf_array *array = &kv->value.array;
    put_text(out, "[");
    put_number(out, "%" PRIu32, array->count);
    put_text(out, "]");
    for (uint32_t i = 0; i < array->count && i < MAX_ELEMENTS; i++) {
        put_text(out, i ? ", " : " ");
        const tg_gguf_kv element = tgi_gguf_element(kv, i);
        put_single(out, &element);
    }
    if (array->count > MAX_ELEMENTS)
        put_text(out, ", …");
}

void tgi_gguf_print(const tg_gguf_kv *kv, char *text, size_t capacity)
{
    writer out = {.text = text, .length = 0, .capacity = capacity};
    text[0] = 0;
    if (kv->type == TG_GGUF_ARRAY)
        put_array(&out, kv);
    else
        put_single(&out, kv);
}
