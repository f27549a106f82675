/* The fields of a tg_gguf: shared by parser.c, which reads a header, check.c, which checks it, and
 * values.c, which looks values up. */
#ifndef TG_GGUF_INTERNAL_H
#define TG_GGUF_INTERNAL_H

#include "gguf.h"
#include "../base/sha256.h"

/* What the next bytes are. */
typedef enum tg_gguf_state {
    MAGIC,
    VERSION,
    COUNTS,
    KEY_LENGTH,
    KEY,
    VALUE_TYPE,
    SCALAR,
    STRING_LENGTH,
    STRING,
    ARRAY_HEAD,
    ARRAY_SCALARS,
    ARRAY_STRING_LENGTH,
    ARRAY_STRING,
    NAME_LENGTH,
    NAME,
    N_DIMS,
    DIMS,
    TYPE_AND_OFFSET,
    PADDING,
    DONE
} tg_gguf_state;

/* Strings are stored in a linked list of these blocks. */
typedef struct tg_gguf_block {
    struct tg_gguf_block *next;
    size_t used, size; /* of the bytes that follow this struct */
} tg_gguf_block;

struct tg_gguf {
    uint64_t file_size; /* bytes; 0: unknown */
    uint64_t position;  /* bytes consumed so far */
    tg_error failure;   /* the first failure */
    tg_gguf_state state;
    uint8_t *destination; /* where the next `need` bytes go; NULL: they are skipped */
    size_t have, need;
    uint8_t number[32]; /* the destination of lengths, counts and other numbers */
    uint32_t version;
    uint32_t n_kv, n_tensors;        /* by the header's counts */
    uint32_t kv_count, tensor_count; /* read so far */
    uint32_t kv_capacity, tensor_capacity;
    uint32_t element; /* index in the string array that is being read */
    tg_gguf_kv *kv;
    uint32_t *kv_by_name; /* indices, sorted; made when all keys are read */
    tg_gguf_tensor *tensors;
    uint32_t *tensor_by_name;
    tg_gguf_block *strings; /* newest first */
    uint64_t alignment, data_offset, file_end;
    size_t memory; /* bytes allocated */
    tg_sha256 sha;
};

/* Orders names by their bytes, then by their length; a NUL is a byte like any other. */
int tgi_gguf_compare(tg_str a, tg_str b);

#define TG_GGUF_N_TYPES (TG_GGUF_F64 + 1u)
/* Bytes of a scalar, in the file and in memory, by value type; 0: not a scalar. */
extern const uint8_t tgi_gguf_scalar_bytes[TG_GGUF_N_TYPES];
/* Sets kv->value from the bytes of a scalar of kv's type. */
void tgi_gguf_decode_scalar(tg_gguf_kv *kv, const uint8_t *bytes);

/* The name of a key or a tensor by its index. */
typedef tg_str tg_gguf_name_fn(const tg_gguf *g, uint32_t index);
tg_gguf_name_fn tgi_gguf_kv_name, tgi_gguf_tensor_name;

/* After the last key: sorts the keys by name, refuses duplicates, reads the alignment. */
tg_status tgi_gguf_check_keys(tg_gguf *g);

/* After the last directory entry: checks every tensor, then the tensors against each other and the
 * end of the file; sorts them by offset. */
tg_status tgi_gguf_check_tensors(tg_gguf *g);

#endif
