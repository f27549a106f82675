/*
 * The GGUF container, versions 2 and 3, little-endian:
 *
 *     "GGUF"  u32 version  u64 n_tensors  u64 n_kv
 *     n_kv      x { string key, u32 value type, value }
 *     n_tensors x { string name, u32 n_dims, u64 dims[n_dims], u32 type, u64 offset }
 *     zero padding to general.alignment (32 unless given), then tensor data at those offsets
 *
 * A string is its u64 length and its bytes, without a NUL. dims[0] is the row length.
 *
 * A push parser: it takes the file's first bytes in portions of any size and keeps keys, values and
 * the tensor directory in its own memory; each byte is copied once. Before the bytes of an array or
 * a string have arrived, no single allocation exceeds TG_GGUF_MAX_AHEAD; all allocations together
 * never exceed TG_GGUF_MAX_MEMORY of the bytes fed. The caller frees the tg_gguf; every tg_str and
 * array points into it.
 */
#ifndef TG_GGUF_H
#define TG_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"

/* Limits: a header beyond one of them is refused, so that a hostile file cannot make us allocate
 * without bound. */
#define TG_GGUF_MAX_KV          65536u /* keys; real files have 20 to 60 */
#define TG_GGUF_MAX_TENSORS     65536u /* tensors; small models have 20 to 1,000 */
#define TG_GGUF_MAX_KEY         65535u /* bytes in a key; the format's limit */
#define TG_GGUF_MAX_TENSOR_NAME 64u    /* bytes in a tensor name; ggml's limit */
#define TG_GGUF_MAX_DIMS        4u
#define TG_GGUF_MAX_DIM         (UINT64_C(1) << 31) /* elements along one dimension */

/* Bytes in a string value; long chat templates have 20 KB. */
#define TG_GGUF_MAX_STRING (1u << 20)

/* Elements in an array; the largest vocabularies and merge lists have 512 K. */
#define TG_GGUF_MAX_ARRAY (1u << 20)

/* Bytes before the tensor data. */
#define TG_GGUF_MAX_HEADER (UINT64_C(128) << 20)

/* Bytes allocated at once for a count or length that the file only claims: the largest array, 2^20
 * elements of 16 bytes. */
#define TG_GGUF_MAX_AHEAD (16u << 20)

/* Bytes of memory after `fed` bytes of the file. An empty string in an array takes 8 bytes in the
 * file and 17 here. The tables of keys and tensors at their limits and the blocks that are being
 * filled with strings stay under 16 MiB. */
#define TG_GGUF_MAX_MEMORY(fed) (3 * (uint64_t)(fed) + TG_GGUF_MAX_AHEAD + (16u << 20))

typedef struct tg_str {
    const char *data; /* a NUL follows the last byte; the bytes may include NULs, too */
    uint32_t length;  /* bytes, without the terminator */
} tg_str;

/* Types of values, with the format's numbers. */
typedef enum tg_gguf_type {
    TG_GGUF_U8 = 0,
    TG_GGUF_I8 = 1,
    TG_GGUF_U16 = 2,
    TG_GGUF_I16 = 3,
    TG_GGUF_U32 = 4,
    TG_GGUF_I32 = 5,
    TG_GGUF_F32 = 6,
    TG_GGUF_BOOL = 7,
    TG_GGUF_STRING = 8,
    TG_GGUF_ARRAY = 9,
    TG_GGUF_U64 = 10,
    TG_GGUF_I64 = 11,
    TG_GGUF_F64 = 12
} tg_gguf_type;

typedef struct tg_gguf_array {
    tg_gguf_type type; /* of the elements; never TG_GGUF_ARRAY */
    uint32_t count;
    /* count elements of the type's size, aligned; tg_str for strings, one byte for bool */
    const void *data;
} tg_gguf_array;

typedef struct tg_gguf_kv {
    tg_str key;
    tg_gguf_type type;
    uint64_t offset; /* byte of the file at which the key begins */
    union {
        uint64_t u; /* u8 u16 u32 u64 bool */
        int64_t i;  /* i8 i16 i32 i64 */
        double f;   /* f32 f64 */
        tg_str string;
        tg_gguf_array array;
    } value;
} tg_gguf_kv;

typedef struct tg_gguf_tensor {
    tg_str name;
    uint32_t n_dims;
    uint64_t dims[TG_GGUF_MAX_DIMS]; /* dims[0]: elements in a row; unused dims are 1 */
    uint32_t type;                   /* ggml's number; quant.def has a row for it */
    uint64_t offset;                 /* bytes from the start of the file */
    uint64_t size;                   /* bytes */
    uint64_t entry;                  /* byte of the file at which its directory entry begins */
} tg_gguf_tensor;

typedef struct tg_gguf tg_gguf;

/* file_size: bytes, or 0 if unknown (then the caller has to check that the tensors' bytes arrive).
 * NULL when out of memory. */
tg_gguf *tgi_gguf_new(uint64_t file_size);
void tgi_gguf_free(tg_gguf *gguf);

/* Takes the next n bytes of the header, up to and including the padding before the tensor data.
 * *consumed: how many it took; all n until the header is done. After a failure, every later call
 * returns the same status. */
tg_status tgi_gguf_feed(tg_gguf *gguf, const uint8_t *bytes, size_t n, size_t *consumed,
                        tg_error *error);
bool tgi_gguf_done(const tg_gguf *gguf);

/* For the end of the input: TG_GGUF_TRUNCATED if the header is not done, with the byte and what was
 * expected there. */
tg_status tgi_gguf_end(const tg_gguf *gguf, tg_error *error);

/* The functions below need tgi_gguf_done. */

/* Bytes from the start of the file to the tensor data. */
uint64_t tgi_gguf_data_offset(const tg_gguf *gguf);

/* The byte after the last tensor: a complete file has at least this length. */
uint64_t tgi_gguf_file_end(const tg_gguf *gguf);

/* Bytes allocated. */
size_t tgi_gguf_memory(const tg_gguf *gguf);

/* The keys in the file's order; NULL past the last one. Also before the header is complete. */
const tg_gguf_kv *tgi_gguf_kv_at(const tg_gguf *gguf, uint32_t index);

/* Writes a value as text for people, at most `capacity` bytes with the terminator, at least 1. Long
 * strings and arrays are shortened. */
void tgi_gguf_print(const tg_gguf_kv *kv, char *text, size_t capacity);

/* The tensors by ascending offset, as one array. */
uint32_t tgi_gguf_n_tensors(const tg_gguf *gguf);
const tg_gguf_tensor *tgi_gguf_tensor_at(const tg_gguf *gguf, uint32_t index);

/* NULL when there is no tensor of this name. */
const tg_gguf_tensor *tgi_gguf_find_tensor(const tg_gguf *gguf, const char *name);

/* SHA-256 of the header with its tensor directory (without the padding), followed by file_size as
 * u64 little-endian. */
void tgi_gguf_fingerprint(const tg_gguf *gguf, uint64_t file_size, uint8_t digest[32]);

/* NULL when there is no such key. */
const tg_gguf_kv *tgi_gguf_find(const tg_gguf *gguf, const char *key);

/* Element `index` of an array as a value of its own, with the array's key and offset. */
tg_gguf_kv tgi_gguf_element(const tg_gguf_kv *array, uint32_t index);

/* A value as a number. u32 accepts every integer type with a value of min to max, f32 every float
 * and integer type, bool also the integers 0 and 1. A value of another type or range is
 * TG_MODEL_KEY_BAD; the message names key and value. */
tg_status tgi_gguf_value_u32(const tg_gguf_kv *kv, uint32_t min, uint32_t max, uint32_t *out,
                             tg_error *error);
tg_status tgi_gguf_value_f32(const tg_gguf_kv *kv, float *out, tg_error *error);
tg_status tgi_gguf_value_bool(const tg_gguf_kv *kv, bool *out, tg_error *error);

/* Values by key and type. If the key is absent: with `found`, *found is false, *out stays as it was
 * and the status is TG_OK; with found NULL the status is TG_MODEL_KEY_MISSING. Numbers are read as
 * by the functions above. A value of another type is TG_MODEL_KEY_BAD. */
tg_status tgi_gguf_get_u32(const tg_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                           uint32_t *out, bool *found, tg_error *error);
tg_status tgi_gguf_get_f32(const tg_gguf *gguf, const char *key, float *out, bool *found,
                           tg_error *error);
tg_status tgi_gguf_get_bool(const tg_gguf *gguf, const char *key, bool *out, bool *found,
                            tg_error *error);
tg_status tgi_gguf_get_string(const tg_gguf *gguf, const char *key, tg_str *out, bool *found,
                              tg_error *error);
/* The array must have elements of this type; for TG_GGUF_I32 also U32, and vice versa. */
tg_status tgi_gguf_get_array(const tg_gguf *gguf, const char *key, tg_gguf_type type,
                             tg_gguf_array *out, bool *found, tg_error *error);

#endif
