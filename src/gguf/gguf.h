/*
 * The GGUF container, versions 2 and 3, little-endian:
 *
 *     "GGUF"  u32 version  u64 n_tensors  u64 n_kv
 *     n_kv      x { string key, u32 value type, value }            string = u64 length, bytes (no
 * NUL) n_tensors x { string name, u32 n_dims, u64 dims[n_dims], u32 type, u64 offset }      dims[0]
 * is the row length zero padding to general.alignment (32 unless given), then tensor data at those
 * offsets
 *
 * A push parser: it is fed the file's first bytes in portions of any size and keeps keys, values
 * and the tensor directory in memory of its own, each byte copied once. Before an array's or
 * string's bytes have arrived, no single allocation exceeds TG_GGUF_MAX_AHEAD; all together never
 * exceed TG_GGUF_MAX_MEMORY of the bytes fed. In: bytes. Out: keys and a checked tensor directory.
 * The caller frees the tg_gguf; every tg_str and array points into it.
 */
#ifndef TG_GGUF_H
#define TG_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"

/* Named limits: a header beyond one of these is refused, so that a hostile file cannot make us
 * allocate. */
#define TG_GGUF_MAX_KV          65536u /* keys: real files have 20 to 60 */
#define TG_GGUF_MAX_TENSORS     65536u /* tensors: real small models have 20 to 1,000 */
#define TG_GGUF_MAX_KEY         65535u /* bytes in a key: the format's own limit */
#define TG_GGUF_MAX_TENSOR_NAME 64u    /* bytes in a tensor name: ggml's own limit */
#define TG_GGUF_MAX_STRING                                                                         \
    (1u << 20) /* bytes in a string value: long chat templates have 20 KB                          \
                */
#define TG_GGUF_MAX_ARRAY                                                                          \
    (1u << 20) /* elements in an array: the largest vocabularies and merge lists have 512 K */
#define TG_GGUF_MAX_HEADER (UINT64_C(128) << 20) /* bytes in all before the tensor data */
#define TG_GGUF_MAX_AHEAD                                                                          \
    (16u << 20) /* bytes allocated at once on the word of a count or length: the largest array     \
                   (2^20 x 16) */
/* bytes of memory after so many fed: an empty string in an array takes 8 in the file and 17 here;
 * the tables of keys and tensors at their limits, and the blocks for strings being filled, stay
 * under 16 MiB */
#define TG_GGUF_MAX_MEMORY(fed) (3 * (uint64_t)(fed) + TG_GGUF_MAX_AHEAD + (16u << 20))
#define TG_GGUF_MAX_DIMS        4u
#define TG_GGUF_MAX_DIM         (UINT64_C(1) << 31) /* elements along one axis */

typedef struct tg_str {
    const char *data; /* NUL-terminated for convenience; may hold NULs of its own */
    uint32_t length;  /* bytes, without the terminator */
} tg_str;

typedef enum tg_gguf_type { /* the format's numbers */
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
    const void *data; /* count elements in the type's own size, aligned; tg_str for strings; one
                         byte each for bool */
} tg_gguf_array;

typedef struct tg_gguf_kv {
    tg_str key;
    tg_gguf_type type;
    uint64_t offset; /* byte in the file where the key begins */
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
    uint64_t dims[TG_GGUF_MAX_DIMS]; /* dims[0]: elements in a row; unused ones are 1 */
    uint32_t type;                   /* ggml's number; always one of quant.def */
    uint64_t offset;                 /* bytes from the start of the file */
    uint64_t size;                   /* bytes */
    uint64_t entry;                  /* byte in the file where its entry in the directory begins */
} tg_gguf_tensor;

typedef struct tg_gguf tg_gguf;

/* file_size: bytes, or 0 when unknown (then the ends of the tensors are checked by whoever feeds
 * them). NULL when out of memory.
 */
tg_gguf *tgi_gguf_new(uint64_t file_size);
void tgi_gguf_free(tg_gguf *gguf);

/* Takes header bytes, up to and including the padding before the tensor data; *consumed says how
 * many (all of them until done). After a failure every later call returns the same status. */
tg_status tgi_gguf_feed(tg_gguf *gguf, const uint8_t *bytes, size_t n, size_t *consumed,
                        tg_error *error);
bool tgi_gguf_done(const tg_gguf *gguf);
/* Says TG_GGUF_TRUNCATED, with the byte and what was expected there, unless the header is done. For
 * when the input has ended. */
tg_status tgi_gguf_end(const tg_gguf *gguf, tg_error *error);

/* The following need tgi_gguf_done. */
uint64_t tgi_gguf_data_offset(const tg_gguf *gguf); /* bytes from the start of the file */
uint64_t tgi_gguf_file_end(
    const tg_gguf *gguf); /* byte after the last tensor: what a whole file has at least */
uint32_t tgi_gguf_version(const tg_gguf *gguf);
size_t tgi_gguf_memory(const tg_gguf *gguf); /* bytes allocated */
uint32_t tgi_gguf_n_kv(const tg_gguf *gguf);
const tg_gguf_kv *tgi_gguf_kv_at(const tg_gguf *gguf, uint32_t index); /* in the file's order */
uint32_t tgi_gguf_n_tensors(const tg_gguf *gguf);
const tg_gguf_tensor *tgi_gguf_tensor_at(const tg_gguf *gguf,
                                         uint32_t index); /* ascending offsets, one array */
const tg_gguf_tensor *tgi_gguf_find_tensor(const tg_gguf *gguf,
                                           const char *name); /* NULL when absent */
/* SHA-256 of the header with its tensor directory (up to, not including, the padding) followed by
 * file_size as u64 little-endian.
 */
void tgi_gguf_fingerprint(const tg_gguf *gguf, uint64_t file_size, uint8_t digest[32]);

/* Typed look-ups. Absent key: *found (when given) is false, *out keeps the caller's default and
 * TG_OK is returned; with found = NULL an absent key is TG_MODEL_KEY_MISSING. Any integer type is
 * taken for u32 when the value fits between min and max; f32 and f64 for f32. A value of another
 * type or range is TG_MODEL_KEY_BAD, naming key and value. */
const tg_gguf_kv *tgi_gguf_find(const tg_gguf *gguf, const char *key);
tg_status tgi_gguf_get_u32(const tg_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                           uint32_t *out, bool *found, tg_error *error);
tg_status tgi_gguf_get_f32(const tg_gguf *gguf, const char *key, float *out, bool *found,
                           tg_error *error);
tg_status tgi_gguf_get_bool(const tg_gguf *gguf, const char *key, bool *out, bool *found,
                            tg_error *error);
tg_status tgi_gguf_get_string(const tg_gguf *gguf, const char *key, tg_str *out, bool *found,
                              tg_error *error);
/* The array must have this element type (for TG_GGUF_I32 also U32, and the other way round). */
tg_status tgi_gguf_get_array(const tg_gguf *gguf, const char *key, tg_gguf_type type,
                             tg_gguf_array *out, bool *found, tg_error *error);

#endif
