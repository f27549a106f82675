/* The GGUF push parser: the first bytes of a file, in portions of any size, become keys, values and
 * a checked tensor directory, which the tg_gguf owns.
 *
 * The parser always waits for `need` bytes, which go to `destination`. When they have arrived,
 * handle_bytes() reads them and sets what comes next. So a portion may end anywhere, and each byte
 * is copied once, to its final place. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the first block for strings; each further block is twice as large, up to the last. */
#define FIRST_BLOCK (64u << 10)
#define LAST_BLOCK  (4u << 20)

static const char *const state_names[] = {
    "the magic number",
    "the version",
    "the counts",
    "a key's length",
    "a key",
    "a value's type",
    "a value",
    "a string's length",
    "a string",
    "an array's type and length",
    "an array's elements",
    "a string's length",
    "a string",
    "a tensor's name",
    "a tensor's name",
    "a tensor's dimensions",
    "a tensor's dimensions",
    "a tensor's type and offset",
    "padding",
    "nothing",
};

tg_gguf *tgi_gguf_new(uint64_t file_size)
{
    tg_gguf *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->file_size = file_size;
    g->destination = g->number;
    g->need = 4;
    g->memory = sizeof *g;
    tgi_error_clear(&g->failure);
    tgi_sha256_init(&g->sha);
    return g;
}

void tgi_gguf_free(tg_gguf *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->kv_capacity; i++)
        if (i <= g->kv_count && g->kv[i].type == TG_GGUF_ARRAY) /* also the one being read */
            free((void *)g->kv[i].value.array.data);
    for (tg_gguf_block *b = g->strings, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(g->kv);
    free(g->kv_by_name);
    free(g->tensors);
    free(g->tensor_by_name);
    free(g);
}

/* ---- memory ---- */

static tg_status no_memory(tg_gguf *g, size_t bytes)
{
    return tgi_fail(&g->failure, TG_OUT_OF_MEMORY, (int64_t)g->position,
                    "no memory for %zu bytes of the header", bytes);
}

/* Makes room for one more entry of a table. Returns the table, which may have moved; NULL when out
 * of memory (the table is unchanged). */
static void *grow(tg_gguf *g, void *table, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return table;
    const uint32_t new_capacity = *capacity ? *capacity * 2 : 64;
    uint8_t *larger = realloc(table, new_capacity * size);
    if (!larger) {
        no_memory(g, new_capacity * size);
        return NULL;
    }
    memset(larger + *capacity * size, 0, (new_capacity - *capacity) * size);
    g->memory += (new_capacity - *capacity) * size;
    *capacity = new_capacity;
    return larger;
}

/* Allocates length + 1 bytes that never move; the last is NUL. */
static char *alloc_string(tg_gguf *g, size_t length)
{
    if (!g->strings || g->strings->size - g->strings->used <= length) {
        size_t size = g->strings ? g->strings->size * 2 : FIRST_BLOCK;
        size = size > LAST_BLOCK ? LAST_BLOCK : size;
        size = size > length ? size : length + 1;
        tg_gguf_block *b = malloc(sizeof *b + size);
        if (!b) {
            no_memory(g, size);
            return NULL;
        }
        *b = (tg_gguf_block){g->strings, 0, size};
        g->strings = b;
        g->memory += sizeof *b + size;
    }
    char *data = (char *)(g->strings + 1) + g->strings->used;
    g->strings->used += length + 1;
    data[length] = 0;
    return data;
}

/* ---- the parser ---- */

static tg_status await(tg_gguf *g, tg_gguf_state next, void *destination, size_t need)
{
    g->state = next;
    g->destination = destination;
    g->have = 0;
    g->need = need;
    return TG_OK;
}

static tg_status await_number(tg_gguf *g, tg_gguf_state next, size_t need)
{
    return await(g, next, g->number, need);
}

static uint32_t number_u32(const tg_gguf *g, size_t at)
{
    uint32_t v;
    memcpy(&v, g->number + at, 4);
    return v;
}

static uint64_t number_u64(const tg_gguf *g, size_t at)
{
    uint64_t v;
    memcpy(&v, g->number + at, 8);
    return v;
}

/* Bytes left in the file; UINT64_MAX if its size is unknown. */
static uint64_t bytes_left(const tg_gguf *g)
{
    return g->file_size ? g->file_size - g->position : UINT64_MAX;
}

/* After a string's length: allocates the string and waits for its bytes. key: the key whose value
 * it belongs to; NULL for a name. */
static tg_status await_string(tg_gguf *g, tg_gguf_state next, uint64_t limit, const tg_str *key,
                              tg_str *out)
{
    const uint64_t length = number_u64(g, 0), max = limit < bytes_left(g) ? limit : bytes_left(g);
    if (length > max)
        return tgi_fail(&g->failure, TG_GGUF_STRING_LIMIT, (int64_t)g->position - 8,
                        "byte %llu: %s%s%.64s has %llu bytes; %s %llu",
                        (unsigned long long)g->position - 8, state_names[next],
                        key ? " of key " : "", key ? key->data : "", (unsigned long long)length,
                        max < limit ? "the bytes left in the file are" : "the maximum is",
                        (unsigned long long)max);
    char *data = alloc_string(g, (size_t)length);
    if (!data)
        return g->failure.status;
    *out = (tg_str){data, (uint32_t)length};
    return await(g, next, data, (size_t)length);
}

/* After an entry: the next key, the tensor directory or its end. */
static tg_status next_entry(tg_gguf *g)
{
    if (g->kv_count < g->n_kv) {
        tg_gguf_kv *kv = grow(g, g->kv, g->kv_count, &g->kv_capacity, sizeof *g->kv);
        if (!kv)
            return g->failure.status;
        g->kv = kv;
        g->kv[g->kv_count] = (tg_gguf_kv){.offset = g->position};
        return await_number(g, KEY_LENGTH, 8);
    }
    if (!g->kv_by_name) {
        const tg_status status = tgi_gguf_check_keys(g);
        if (status)
            return status;
    }
    if (g->tensor_count < g->n_tensors) {
        tg_gguf_tensor *tensors =
            grow(g, g->tensors, g->tensor_count, &g->tensor_capacity, sizeof *g->tensors);
        if (!tensors)
            return g->failure.status;
        g->tensors = tensors;
        g->tensors[g->tensor_count] = (tg_gguf_tensor){.dims = {1, 1, 1, 1}, .entry = g->position};
        return await_number(g, NAME_LENGTH, 8);
    }
    const tg_status status = tgi_gguf_check_tensors(g);
    if (status)
        return status;
    return await(g, g->data_offset > g->position && g->n_tensors ? PADDING : DONE, NULL,
                 (size_t)(g->data_offset - g->position));
}

static tg_status read_version(tg_gguf *g)
{
    g->version = number_u32(g, 0);
    if (g->version == 2 || g->version == 3)
        return await_number(g, COUNTS, 16);
    if (g->number[0] == 0 && g->number[1] == 0 && g->number[2] == 0 && g->number[3] >= 1 &&
        g->number[3] <= 3)
        return tgi_fail(&g->failure, TG_GGUF_BIG_ENDIAN, 4,
                        "a big-endian file of version %u: only little-endian files are read",
                        g->number[3]);
    return tgi_fail(&g->failure, TG_GGUF_BAD_VERSION, 4, "GGUF version %u; supported: 2 and 3",
                    (unsigned)g->version);
}

static tg_status read_counts(tg_gguf *g)
{
    const uint64_t n_tensors = number_u64(g, 0), n_kv = number_u64(g, 8);
    /* a tensor's entry takes at least 32 bytes, a key's 13 */
    if (n_tensors > TG_GGUF_MAX_TENSORS || n_tensors > bytes_left(g) / 32)
        return tgi_fail(
            &g->failure, TG_GGUF_COUNT_LIMIT, 8,
            "the header claims %llu tensors; the maximum is %u, and they must fit into the file",
            (unsigned long long)n_tensors, TG_GGUF_MAX_TENSORS);
    if (n_kv > TG_GGUF_MAX_KV || n_kv > bytes_left(g) / 13)
        return tgi_fail(
            &g->failure, TG_GGUF_COUNT_LIMIT, 16,
            "the header claims %llu keys; the maximum is %u, and they must fit into the file",
            (unsigned long long)n_kv, TG_GGUF_MAX_KV);
    g->n_tensors = (uint32_t)n_tensors;
    g->n_kv = (uint32_t)n_kv;
    return next_entry(g);
}

static tg_status read_value_type(tg_gguf *g, tg_gguf_kv *kv)
{
    const uint32_t type = number_u32(g, 0);
    if (type >= TG_GGUF_N_TYPES)
        return tgi_fail(&g->failure, TG_GGUF_BAD_VALUE_TYPE, (int64_t)g->position - 4,
                        "key %.64s has a value of unknown type %u", kv->key.data, (unsigned)type);
    kv->type = (tg_gguf_type)type;
    if (type == TG_GGUF_STRING)
        return await_number(g, STRING_LENGTH, 8);
    if (type == TG_GGUF_ARRAY)
        return await_number(g, ARRAY_HEAD, 12);
    return await_number(g, SCALAR, tgi_gguf_scalar_bytes[type]);
}

static tg_status read_scalar(tg_gguf *g, tg_gguf_kv *kv)
{
    tgi_gguf_decode_scalar(kv, g->number);
    if (kv->type == TG_GGUF_BOOL && kv->value.u > 1)
        return tgi_fail(&g->failure, TG_GGUF_BAD_VALUE_TYPE, (int64_t)g->position - 1,
                        "key %.64s is a boolean with the value %u", kv->key.data,
                        (unsigned)kv->value.u);
    g->kv_count++;
    return next_entry(g);
}

static tg_status read_array_head(tg_gguf *g, tg_gguf_kv *kv)
{
    const uint32_t type = number_u32(g, 0);
    const uint64_t count = number_u64(g, 4);
    kv->value.array = (tg_gguf_array){(tg_gguf_type)type, 0, NULL};
    if (type >= TG_GGUF_N_TYPES || type == TG_GGUF_ARRAY)
        return tgi_fail(&g->failure, TG_GGUF_BAD_VALUE_TYPE, (int64_t)g->position - 12,
                        "key %.64s is an array of type %u", kv->key.data, (unsigned)type);
    /* the least bytes that an element takes in the file */
    const size_t in_file = type == TG_GGUF_STRING ? 8 : tgi_gguf_scalar_bytes[type];
    if (count > TG_GGUF_MAX_ARRAY || count > bytes_left(g) / in_file)
        return tgi_fail(
            &g->failure, TG_GGUF_COUNT_LIMIT, (int64_t)g->position - 8,
            "key %.64s is an array of %llu elements; the maximum is %u, and they must fit "
            "into the file",
            kv->key.data, (unsigned long long)count, TG_GGUF_MAX_ARRAY);
    const size_t size =
        (size_t)count * (type == TG_GGUF_STRING ? sizeof(tg_str) : tgi_gguf_scalar_bytes[type]);
    void *data = malloc(size ? size : 1);
    if (!data)
        return no_memory(g, size);
    g->memory += size;
    kv->value.array = (tg_gguf_array){(tg_gguf_type)type, (uint32_t)count, data};
    g->element = 0;
    if (type != TG_GGUF_STRING)
        return await(g, ARRAY_SCALARS, data, size);
    if (count)
        return await_number(g, ARRAY_STRING_LENGTH, 8);
    g->kv_count++;
    return next_entry(g);
}

static tg_status read_n_dims(tg_gguf *g, tg_gguf_tensor *t)
{
    t->n_dims = number_u32(g, 0);
    if (!t->n_dims || t->n_dims > TG_GGUF_MAX_DIMS)
        return tgi_fail(&g->failure, TG_GGUF_BAD_DIMENSIONS, (int64_t)g->position - 4,
                        "tensor %s has %u dimensions; 1 to %u are possible", t->name.data,
                        (unsigned)t->n_dims, TG_GGUF_MAX_DIMS);
    return await(g, DIMS, t->dims, 8 * t->n_dims);
}

/* Reads the bytes that have arrived and sets what to wait for next. */
static tg_status handle_bytes(tg_gguf *g)
{
    tg_gguf_kv *kv = g->kv ? &g->kv[g->kv_count] : NULL;                  /* being read */
    tg_gguf_tensor *t = g->tensors ? &g->tensors[g->tensor_count] : NULL; /* being read */
    switch (g->state) {
    case MAGIC:
        if (memcmp(g->number, "GGUF", 4))
            return tgi_fail(&g->failure, TG_GGUF_BAD_MAGIC, 0,
                            "the file starts with %02x %02x %02x %02x, not with GGUF", g->number[0],
                            g->number[1], g->number[2], g->number[3]);
        return await_number(g, VERSION, 4);
    case VERSION:
        return read_version(g);
    case COUNTS:
        return read_counts(g);
    case KEY_LENGTH:
        if (!number_u64(g, 0))
            return tgi_fail(&g->failure, TG_GGUF_BAD_KEY, (int64_t)g->position - 8,
                            "key %u is empty", (unsigned)g->kv_count);
        return await_string(g, KEY, TG_GGUF_MAX_KEY, NULL, &kv->key);
    case KEY:
        return await_number(g, VALUE_TYPE, 4);
    case VALUE_TYPE:
        return read_value_type(g, kv);
    case SCALAR:
        return read_scalar(g, kv);
    case STRING_LENGTH:
        return await_string(g, STRING, TG_GGUF_MAX_STRING, &kv->key, &kv->value.string);
    case ARRAY_HEAD:
        return read_array_head(g, kv);
    case ARRAY_STRING_LENGTH:
        return await_string(g, ARRAY_STRING, TG_GGUF_MAX_STRING, &kv->key,
                            (tg_str *)kv->value.array.data + g->element);
    case ARRAY_STRING:
        if (++g->element < kv->value.array.count)
            return await_number(g, ARRAY_STRING_LENGTH, 8);
        /* fall through */
    case STRING:
    case ARRAY_SCALARS:
        g->kv_count++;
        return next_entry(g);
    case NAME_LENGTH:
        if (!number_u64(g, 0) || number_u64(g, 0) > TG_GGUF_MAX_TENSOR_NAME)
            return tgi_fail(&g->failure, TG_GGUF_BAD_TENSOR_NAME, (int64_t)g->position - 8,
                            "tensor %u has a name of %llu bytes; 1 to %u are possible",
                            (unsigned)g->tensor_count, (unsigned long long)number_u64(g, 0),
                            TG_GGUF_MAX_TENSOR_NAME);
        return await_string(g, NAME, TG_GGUF_MAX_TENSOR_NAME, NULL, &t->name);
    case NAME:
        return await_number(g, N_DIMS, 4);
    case N_DIMS:
        return read_n_dims(g, t);
    case DIMS:
        return await_number(g, TYPE_AND_OFFSET, 12);
    case TYPE_AND_OFFSET:
        t->type = number_u32(g, 0);
        t->offset = number_u64(g, 4);
        g->tensor_count++;
        return next_entry(g);
    case PADDING:
        g->state = DONE;
        return TG_OK;
    case DONE:
        break;
    }
    return TG_OK;
}

tg_status tgi_gguf_feed(tg_gguf *g, const uint8_t *bytes, size_t n, size_t *consumed,
                        tg_error *error)
{
    tg_status status = g->failure.status;
    *consumed = 0;
    while (!status && g->state != DONE && (n || g->have == g->need)) {
        const size_t take = n < g->need - g->have ? n : g->need - g->have;
        if (take && g->destination)
            memcpy(g->destination + g->have, bytes, take);
        if (take && g->state != PADDING)
            tgi_sha256_update(&g->sha, bytes, take);
        if (take) {
            bytes += take;
            n -= take;
        }
        g->have += take;
        g->position += take;
        *consumed += take;
        if (g->position > TG_GGUF_MAX_HEADER)
            status = tgi_fail(&g->failure, TG_GGUF_HEADER_LIMIT, (int64_t)g->position,
                              "the header has more than %llu bytes",
                              (unsigned long long)TG_GGUF_MAX_HEADER);
        else if (g->have == g->need)
            status = handle_bytes(g);
    }
    if (status && error && error->status == TG_OK)
        *error = g->failure;
    return status;
}

bool tgi_gguf_done(const tg_gguf *g)
{
    return g->state == DONE && !g->failure.status;
}

tg_status tgi_gguf_end(const tg_gguf *g, tg_error *error)
{
    if (g->failure.status) {
        if (error && error->status == TG_OK)
            *error = g->failure;
        return g->failure.status;
    }
    if (g->state == DONE)
        return TG_OK;
    return tgi_fail(error, TG_GGUF_TRUNCATED, (int64_t)g->position,
                    "the file ends at byte %llu, where %s was expected",
                    (unsigned long long)g->position, state_names[g->state]);
}
