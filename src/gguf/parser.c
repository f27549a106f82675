/* In: a GGUF file's first bytes in portions of any size. Out: keys, values and a checked tensor
 * directory, owned by the tg_gguf.
 *
 * The parser always waits for `need` bytes at `place`; when they are there, step() looks at them
 * and says what comes next. So a portion may end anywhere, and each byte is copied once, to where
 * it stays. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK                                                                                \
    (64u << 10) /* bytes of the first block for strings; each further one is twice as large, to    \
                   LAST_BLOCK */
#define LAST_BLOCK (4u << 20)

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
    "an array's head",
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

/* bytes of a scalar in the file and in memory; 0: not a scalar */
static const uint8_t scalar_bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
#define N_TYPES (sizeof scalar_bytes / sizeof scalar_bytes[0])

tg_gguf *tgi_gguf_new(uint64_t file_size)
{
    tg_gguf *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->file_size = file_size;
    g->place = g->small;
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
        if (i <= g->kv_count && g->kv[i].type == TG_GGUF_ARRAY) /* the one being read, too */
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

/* Room for one more entry of a table that grows as entries arrive; when there is none, NULL, and
 * the table stays. */
static void *grow(tg_gguf *g, void *table, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return table;
    const uint32_t wanted = *capacity ? *capacity * 2 : 64;
    uint8_t *larger = realloc(table, wanted * size);
    if (!larger) {
        no_memory(g, wanted * size);
        return NULL;
    }
    memset(larger + *capacity * size, 0, (wanted - *capacity) * size);
    g->memory += (wanted - *capacity) * size;
    *capacity = wanted;
    return larger;
}

/* length + 1 bytes that stay where they are; the last is 0 */
static char *string_room(tg_gguf *g, size_t length)
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
    char *room = (char *)(g->strings + 1) + g->strings->used;
    g->strings->used += length + 1;
    room[length] = 0;
    return room;
}

/* ---- the parser ---- */

static tg_status await(tg_gguf *g, tg_gguf_state next, void *place, size_t need)
{
    g->state = next;
    g->place = place;
    g->have = 0;
    g->need = need;
    return TG_OK;
}

static tg_status await_small(tg_gguf *g, tg_gguf_state next, size_t need)
{
    return await(g, next, g->small, need);
}

static uint32_t small_u32(const tg_gguf *g, size_t at)
{
    uint32_t v;
    memcpy(&v, g->small + at, 4);
    return v;
}

static uint64_t small_u64(const tg_gguf *g, size_t at)
{
    uint64_t v;
    memcpy(&v, g->small + at, 8);
    return v;
}

/* bytes left in the file, as far as that is known */
static uint64_t left(const tg_gguf *g)
{
    return g->file_size ? g->file_size - g->position : UINT64_MAX;
}

/* A string's length has come: makes room and awaits its bytes. key: whose value it is part of, or
 * NULL for a name. */
static tg_status await_string(tg_gguf *g, tg_gguf_state next, uint64_t limit, const tg_str *key,
                              tg_str *out)
{
    const uint64_t length = small_u64(g, 0), most = limit < left(g) ? limit : left(g);
    if (length > most)
        return tgi_fail(&g->failure, TG_GGUF_STRING_LIMIT, (int64_t)g->position - 8,
                        "byte %llu: %s%s%.64s has %llu bytes; %s %llu",
                        (unsigned long long)g->position - 8, state_names[next],
                        key ? " of key " : "", key ? key->data : "", (unsigned long long)length,
                        most < limit ? "the bytes left in the file are" : "the most is",
                        (unsigned long long)most);
    char *room = string_room(g, (size_t)length);
    if (!room)
        return g->failure.status;
    *out = (tg_str){room, (uint32_t)length};
    return await(g, next, room, (size_t)length);
}

/* After a value: the next key, or the directory, or its end. */
static tg_status next_entry(tg_gguf *g)
{
    if (g->kv_count < g->n_kv) {
        tg_gguf_kv *kv = grow(g, g->kv, g->kv_count, &g->kv_capacity, sizeof *g->kv);
        if (!kv)
            return g->failure.status;
        g->kv = kv;
        g->kv[g->kv_count] = (tg_gguf_kv){.offset = g->position};
        return await_small(g, KEY_LENGTH, 8);
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
        return await_small(g, NAME_LENGTH, 8);
    }
    const tg_status status = tgi_gguf_check_tensors(g);
    if (status)
        return status;
    return await(g, g->data_offset > g->position && g->n_tensors ? PADDING : DONE, NULL,
                 (size_t)(g->data_offset - g->position));
}

static tg_status read_version(tg_gguf *g)
{
    g->version = small_u32(g, 0);
    if (g->version == 2 || g->version == 3)
        return await_small(g, COUNTS, 16);
    if (g->small[0] == 0 && g->small[1] == 0 && g->small[2] == 0 && g->small[3] >= 1 &&
        g->small[3] <= 3)
        return tgi_fail(&g->failure, TG_GGUF_BIG_ENDIAN, 4,
                        "a big-endian file of version %u: only little-endian files are read",
                        g->small[3]);
    return tgi_fail(&g->failure, TG_GGUF_BAD_VERSION, 4, "GGUF version %u; supported: 2 and 3",
                    (unsigned)g->version);
}

static tg_status read_counts(tg_gguf *g)
{
    const uint64_t n_tensors = small_u64(g, 0), n_kv = small_u64(g, 8);
    /* a tensor's entry takes 32 bytes at least, a key's 13 */
    if (n_tensors > TG_GGUF_MAX_TENSORS || n_tensors > left(g) / 32)
        return tgi_fail(
            &g->failure, TG_GGUF_COUNT_LIMIT, 8,
            "the header promises %llu tensors; the most is %u, and they must fit into the file",
            (unsigned long long)n_tensors, TG_GGUF_MAX_TENSORS);
    if (n_kv > TG_GGUF_MAX_KV || n_kv > left(g) / 13)
        return tgi_fail(
            &g->failure, TG_GGUF_COUNT_LIMIT, 16,
            "the header promises %llu keys; the most is %u, and they must fit into the file",
            (unsigned long long)n_kv, TG_GGUF_MAX_KV);
    g->n_tensors = (uint32_t)n_tensors;
    g->n_kv = (uint32_t)n_kv;
    return next_entry(g);
}

static tg_status read_value_type(tg_gguf *g, tg_gguf_kv *kv)
{
    const uint32_t type = small_u32(g, 0);
    if (type >= N_TYPES)
        return tgi_fail(&g->failure, TG_GGUF_BAD_VALUE_TYPE, (int64_t)g->position - 4,
                        "key %.64s has a value of unknown type %u", kv->key.data, (unsigned)type);
    kv->type = (tg_gguf_type)type;
    if (type == TG_GGUF_STRING)
        return await_small(g, STRING_LENGTH, 8);
    if (type == TG_GGUF_ARRAY)
        return await_small(g, ARRAY_HEAD, 12);
    return await_small(g, SCALAR, scalar_bytes[type]);
}

static tg_status read_scalar(tg_gguf *g, tg_gguf_kv *kv)
{
    const size_t n = scalar_bytes[kv->type];
    uint64_t u = 0;
    float f;
    memcpy(&u, g->small, n);
    switch (kv->type) {
    case TG_GGUF_F32:
        memcpy(&f, g->small, 4);
        kv->value.f = f;
        break;
    case TG_GGUF_F64:
        memcpy(&kv->value.f, g->small, 8);
        break;
    case TG_GGUF_I8:
    case TG_GGUF_I16:
    case TG_GGUF_I32:
    case TG_GGUF_I64:
        kv->value.i = (int64_t)(u << (64 - 8 * n)) >> (64 - 8 * n); /* the sign, extended */
        break;
    default:
        kv->value.u = u;
    }
    if (kv->type == TG_GGUF_BOOL && u > 1)
        return tgi_fail(&g->failure, TG_GGUF_BAD_VALUE_TYPE, (int64_t)g->position - 1,
                        "key %.64s is a truth value of %u", kv->key.data, (unsigned)u);
    g->kv_count++;
    return next_entry(g);
}

static tg_status read_array_head(tg_gguf *g, tg_gguf_kv *kv)
{
    const uint32_t type = small_u32(g, 0);
    const uint64_t count = small_u64(g, 4);
    kv->value.array = (tg_gguf_array){(tg_gguf_type)type, 0, NULL};
    if (type >= N_TYPES || type == TG_GGUF_ARRAY)
        return tgi_fail(&g->failure, TG_GGUF_BAD_VALUE_TYPE, (int64_t)g->position - 12,
                        "key %.64s is an array of type %u", kv->key.data, (unsigned)type);
    const size_t in_file =
        type == TG_GGUF_STRING ? 8 : scalar_bytes[type]; /* at least, for an element */
    if (count > TG_GGUF_MAX_ARRAY || count > left(g) / in_file)
        return tgi_fail(&g->failure, TG_GGUF_COUNT_LIMIT, (int64_t)g->position - 8,
                        "key %.64s is an array of %llu elements; the most is %u, and they must fit "
                        "into the file",
                        kv->key.data, (unsigned long long)count, TG_GGUF_MAX_ARRAY);
    const size_t size =
        (size_t)count * (type == TG_GGUF_STRING ? sizeof(tg_str) : scalar_bytes[type]);
    void *data = malloc(size ? size : 1);
    if (!data)
        return no_memory(g, size);
    g->memory += size;
    kv->value.array = (tg_gguf_array){(tg_gguf_type)type, (uint32_t)count, data};
    g->element = 0;
    if (type != TG_GGUF_STRING)
        return await(g, ARRAY_SCALARS, data, size);
    if (count)
        return await_small(g, ARRAY_STRING_LENGTH, 8);
    g->kv_count++;
    return next_entry(g);
}

static tg_status read_n_dims(tg_gguf *g, tg_gguf_tensor *t)
{
    t->n_dims = small_u32(g, 0);
    if (!t->n_dims || t->n_dims > TG_GGUF_MAX_DIMS)
        return tgi_fail(&g->failure, TG_GGUF_BAD_DIMENSIONS, (int64_t)g->position - 4,
                        "tensor %s has %u dimensions; 1 to %u are possible", t->name.data,
                        (unsigned)t->n_dims, TG_GGUF_MAX_DIMS);
    return await(g, DIMS, t->dims, 8 * t->n_dims);
}

/* The awaited bytes are there. */
static tg_status step(tg_gguf *g)
{
    tg_gguf_kv *kv = g->kv ? &g->kv[g->kv_count] : NULL;                  /* being read */
    tg_gguf_tensor *t = g->tensors ? &g->tensors[g->tensor_count] : NULL; /* likewise */
    switch (g->state) {
    case MAGIC:
        if (memcmp(g->small, "GGUF", 4))
            return tgi_fail(&g->failure, TG_GGUF_BAD_MAGIC, 0,
                            "the file starts with %02x %02x %02x %02x, not with GGUF", g->small[0],
                            g->small[1], g->small[2], g->small[3]);
        return await_small(g, VERSION, 4);
    case VERSION:
        return read_version(g);
    case COUNTS:
        return read_counts(g);
    case KEY_LENGTH:
        if (!small_u64(g, 0))
            return tgi_fail(&g->failure, TG_GGUF_BAD_KEY, (int64_t)g->position - 8,
                            "key %u is empty", (unsigned)g->kv_count);
        return await_string(g, KEY, TG_GGUF_MAX_KEY, NULL, &kv->key);
    case KEY:
        return await_small(g, VALUE_TYPE, 4);
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
            return await_small(g, ARRAY_STRING_LENGTH, 8);
        /* fall through */
    case STRING:
    case ARRAY_SCALARS:
        g->kv_count++;
        return next_entry(g);
    case NAME_LENGTH:
        if (!small_u64(g, 0) || small_u64(g, 0) > TG_GGUF_MAX_TENSOR_NAME)
            return tgi_fail(&g->failure, TG_GGUF_BAD_TENSOR_NAME, (int64_t)g->position - 8,
                            "tensor %u has a name of %llu bytes; 1 to %u are possible",
                            (unsigned)g->tensor_count, (unsigned long long)small_u64(g, 0),
                            TG_GGUF_MAX_TENSOR_NAME);
        return await_string(g, NAME, TG_GGUF_MAX_TENSOR_NAME, NULL, &t->name);
    case NAME:
        return await_small(g, N_DIMS, 4);
    case N_DIMS:
        return read_n_dims(g, t);
    case DIMS:
        return await_small(g, TYPE_AND_OFFSET, 12);
    case TYPE_AND_OFFSET:
        t->type = small_u32(g, 0);
        t->offset = small_u64(g, 4);
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
        if (take && g->place)
            memcpy(g->place + g->have, bytes, take);
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
            status = step(g);
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
