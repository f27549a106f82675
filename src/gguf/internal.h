/* The inside of a tg_gguf, for gguf.c, which parses, gguf_check.c, which believes nothing, and
 * gguf_values.c, which answers. */
#ifndef TG_GGUF_INTERNAL_H
#define TG_GGUF_INTERNAL_H

#include "gguf.h"
#include "../base/sha256.h"

typedef enum tg_gguf_state { /* what the awaited bytes are */
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

typedef struct tg_gguf_block { /* strings lie in a chain of these */
    struct tg_gguf_block *next;
    size_t used, size; /* bytes after this struct */
} tg_gguf_block;

struct tg_gguf {
    uint64_t file_size, position; /* bytes; position: consumed so far */
    tg_error failure;             /* sticky */
    tg_gguf_state state;
    uint8_t *place; /* where the awaited bytes go */
    size_t have, need;
    uint8_t small[32]; /* numbers wait here */
    uint32_t version;
    uint32_t n_kv, n_tensors;        /* promised */
    uint32_t kv_count, tensor_count; /* read */
    uint32_t kv_capacity, tensor_capacity;
    uint32_t element; /* of the string array being read */
    tg_gguf_kv *kv;
    uint32_t *kv_by_name; /* indices, sorted; made when all are there */
    tg_gguf_tensor *tensors;
    uint32_t *tensor_by_name;
    tg_gguf_block *strings; /* newest first */
    uint64_t alignment, data_offset, file_end;
    size_t memory;
    tg_sha256 sha;
};

/* Order of names, by their bytes and then their lengths: a NUL inside one is a byte like others. */
int tgi_gguf_compare(tg_str a, tg_str b);

/* The name of a key or a tensor by its index. */
typedef tg_str tg_gguf_name_fn(const tg_gguf *g, uint32_t index);
tg_gguf_name_fn tgi_gguf_kv_name, tgi_gguf_tensor_name;
/* After the last key: sorts them by name, refuses doubles, reads the alignment. */
tg_status tgi_gguf_check_keys(tg_gguf *g);
/* After the last entry of the directory: checks every tensor by itself, then all of them against
 * each other and the file's end; sorts them. */
tg_status tgi_gguf_check_tensors(tg_gguf *g);

#endif
