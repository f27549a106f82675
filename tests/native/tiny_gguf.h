/* Writes GGUF files in memory, for the native tests. The caller frees the data. */
#ifndef TG_TINY_GGUF_H
#define TG_TINY_GGUF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tiny_bytes {
    uint8_t *data;
    size_t size, capacity;
} tiny_bytes;

static inline void tiny_put(tiny_bytes *b, const void *data, size_t n)
{
    if (b->size + n > b->capacity) {
        b->capacity = (b->size + n) * 2;
        b->data = realloc(b->data, b->capacity);
    }
    memcpy(b->data + b->size, data, n);
    b->size += n;
}

static inline void tiny_u32(tiny_bytes *b, uint32_t v)
{
    tiny_put(b, &v, 4);
}

static inline void tiny_u64(tiny_bytes *b, uint64_t v)
{
    tiny_put(b, &v, 8);
}

static inline void tiny_string(tiny_bytes *b, const char *s)
{
    tiny_u64(b, strlen(s));
    tiny_put(b, s, strlen(s));
}

static inline void tiny_key_u32(tiny_bytes *b, const char *key, uint32_t v)
{
    tiny_string(b, key);
    tiny_u32(b, 4);
    tiny_u32(b, v);
}

static inline void tiny_key_string(tiny_bytes *b, const char *key, const char *v)
{
    tiny_string(b, key);
    tiny_u32(b, 8);
    tiny_string(b, v);
}

/* The head of a file: the keys follow, then the tensors. */
static inline void tiny_head(tiny_bytes *b, uint64_t n_tensors, uint64_t n_keys)
{
    tiny_put(b, "GGUF", 4);
    tiny_u32(b, 3);
    tiny_u64(b, n_tensors);
    tiny_u64(b, n_keys);
}

/* The head of a key with n values of a type: the values follow. */
static inline void tiny_key_array(tiny_bytes *b, const char *key, uint32_t type, uint64_t n)
{
    tiny_string(b, key);
    tiny_u32(b, 9);
    tiny_u32(b, type);
    tiny_u64(b, n);
}

static inline void tiny_key_bool(tiny_bytes *b, const char *key, bool v)
{
    tiny_string(b, key);
    tiny_u32(b, 7);
    tiny_put(b, &v, 1);
}

#endif
