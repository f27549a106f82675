/* Checks the keys and the tensor directory of a header and sorts them. The tg_gguf owns the sorted
 * indices. */
#include "internal.h"
#include "../quant/quant.h"

#include <stdlib.h>
#include <string.h>

/* ggml's names of the types that have no row in quant.def, so that an error message can name them.
 * Numbers that have no name here were never assigned or have been withdrawn. */
static const char *const ggml_names[] = {
    [9] = "Q8_1", [15] = "Q8_K", [24] = "I8",    [25] = "I16",  [26] = "I32",
    [27] = "I64", [28] = "F64",  [40] = "NVFP4", [42] = "Q2_0",
};

/* Sorts indices by name: a stable merge sort, because qsort cannot pass g to its comparison.
 * scratch: n indices. */
static void sort_indices(const tg_gguf *g, tg_gguf_name_fn *name, uint32_t *indices,
                         uint32_t *scratch, uint32_t n)
{
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t from = 0; from < n; from += 2 * width) {
            const uint32_t middle = from + width < n ? from + width : n,
                           end = from + 2 * width < n ? from + 2 * width : n;
            uint32_t a = from, b = middle;
            for (uint32_t i = from; i < end; i++)
                scratch[i] = b >= end || (a < middle && tgi_gguf_compare(name(g, indices[a]),
                                                                         name(g, indices[b])) <= 0)
                                 ? indices[a++]
                                 : indices[b++];
        }
        memcpy(indices, scratch, n * sizeof *indices);
    }
}

static uint32_t *sorted_by_name(tg_gguf *g, tg_gguf_name_fn *name, uint32_t n)
{
    uint32_t *indices = malloc((n ? n : 1) * sizeof *indices),
             *scratch = malloc((n ? n : 1) * sizeof *scratch);
    if (!indices || !scratch) {
        tgi_fail(&g->failure, TG_OUT_OF_MEMORY, (int64_t)g->position, "no memory to sort %u names",
                 (unsigned)n);
        free(indices);
        free(scratch);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++)
        indices[i] = i;
    sort_indices(g, name, indices, scratch, n);
    free(scratch);
    g->memory += n * sizeof *indices;
    return indices;
}

tg_status tgi_gguf_check_keys(tg_gguf *g)
{
    g->kv_by_name = sorted_by_name(g, tgi_gguf_kv_name, g->kv_count);
    if (!g->kv_by_name)
        return g->failure.status;
    for (uint32_t i = 1; i < g->kv_count; i++)
        if (!tgi_gguf_compare(g->kv[g->kv_by_name[i - 1]].key, g->kv[g->kv_by_name[i]].key)) {
            const tg_gguf_kv *second = &g->kv[g->kv_by_name[i]];
            return tgi_fail(&g->failure, TG_GGUF_BAD_KEY, (int64_t)second->offset,
                            "the key %.64s occurs twice, again at byte %llu", second->key.data,
                            (unsigned long long)second->offset);
        }
    uint32_t alignment = 32;
    const tg_gguf_kv *kv = tgi_gguf_find(g, "general.alignment");
    bool found;
    if (kv && (tgi_gguf_get_u32(g, "general.alignment", 8, 65536, &alignment, &found, NULL) ||
               (alignment & (alignment - 1))))
        return tgi_fail(&g->failure, TG_GGUF_BAD_ALIGNMENT, (int64_t)kv->offset,
                        "general.alignment is not a power of two from 8 to 65,536");
    g->alignment = alignment;
    return TG_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    const tg_gguf_tensor *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Checks a tensor by itself. Its offset still counts from the start of the tensor data. */
static tg_status check_tensor(tg_gguf *g, tg_gguf_tensor *t)
{
    const tg_quant_row *quant = tgi_quant_of_ggml(t->type);
    uint64_t elements = 1;
    if (!quant) {
        const char *name =
            t->type < sizeof ggml_names / sizeof ggml_names[0] ? ggml_names[t->type] : NULL;
        return tgi_fail(&g->failure, TG_GGUF_TENSOR_TYPE, (int64_t)t->entry,
                        "tensor %s has ggml type %u (%s); supported: %s", t->name.data,
                        (unsigned)t->type, name ? name : "unknown", tgi_quant_names());
    }
    for (uint32_t i = 0; i < t->n_dims; i++) {
        const uint64_t dim = t->dims[i];
        if (!dim || dim > TG_GGUF_MAX_DIM || dim > (UINT64_C(1) << 48) / elements ||
            (i == 0 && dim % quant->block))
            return tgi_fail(
                &g->failure, TG_GGUF_BAD_DIMENSIONS, (int64_t)t->entry,
                "tensor %s of type %s: dimension %u is %llu; a row must be whole blocks of %u",
                t->name.data, quant->name, (unsigned)i, (unsigned long long)dim,
                (unsigned)quant->block);
        elements *= dim;
    }
    t->size = elements / quant->block * quant->bytes;
    if (t->offset % g->alignment)
        return tgi_fail(&g->failure, TG_GGUF_TENSOR_MISALIGNED, (int64_t)t->entry,
                        "tensor %s starts at %llu, which is not a multiple of %llu", t->name.data,
                        (unsigned long long)t->offset, (unsigned long long)g->alignment);
    if (t->offset > UINT64_C(1) << 60)
        return tgi_fail(&g->failure, TG_GGUF_TENSOR_OUTSIDE, (int64_t)t->entry,
                        "tensor %s starts at %llu, beyond any file", t->name.data,
                        (unsigned long long)t->offset);
    return TG_OK;
}

tg_status tgi_gguf_check_tensors(tg_gguf *g)
{
    const uint32_t n = g->tensor_count;
    g->data_offset = (g->position + g->alignment - 1) / g->alignment * g->alignment;
    for (uint32_t i = 0; i < n; i++) {
        const tg_status status = check_tensor(g, &g->tensors[i]);
        if (status)
            return status;
        g->tensors[i].offset += g->data_offset;
    }
    if (n)
        qsort(g->tensors, n, sizeof *g->tensors, compare_offsets);
    g->file_end = g->data_offset;
    for (uint32_t i = 0; i < n; i++) {
        const tg_gguf_tensor *t = &g->tensors[i];
        /* the offset at which this tensor would directly follow the one before */
        const uint64_t next = (g->file_end + g->alignment - 1) / g->alignment * g->alignment;
        if (t->offset < g->file_end)
            return tgi_fail(&g->failure, TG_GGUF_TENSOR_OVERLAP, (int64_t)t->entry,
                            "tensors %s and %s share bytes from %llu on", t[-1].name.data,
                            t->name.data, (unsigned long long)t->offset);
        if (g->file_size && (t->offset > g->file_size || t->size > g->file_size - t->offset)) {
            /* a tensor at the expected offset means that the file was cut off; one far away never
             * was in the file */
            if (t->offset == next)
                return tgi_fail(&g->failure, TG_GGUF_TRUNCATED, (int64_t)g->file_size,
                                "the file ends at byte %llu, but tensor %s ends at %llu",
                                (unsigned long long)g->file_size, t->name.data,
                                (unsigned long long)(t->offset + t->size));
            return tgi_fail(&g->failure, TG_GGUF_TENSOR_OUTSIDE, (int64_t)t->entry,
                            "tensor %s is at bytes %llu to %llu of a file of %llu bytes",
                            t->name.data, (unsigned long long)t->offset,
                            (unsigned long long)(t->offset + t->size),
                            (unsigned long long)g->file_size);
        }
        g->file_end = t->offset + t->size;
    }
    g->tensor_by_name = sorted_by_name(g, tgi_gguf_tensor_name, n);
    if (!g->tensor_by_name)
        return g->failure.status;
    for (uint32_t i = 1; i < n; i++)
        if (!tgi_gguf_compare(g->tensors[g->tensor_by_name[i - 1]].name,
                              g->tensors[g->tensor_by_name[i]].name)) {
            const tg_gguf_tensor *t = &g->tensors[g->tensor_by_name[i]];
            return tgi_fail(&g->failure, TG_GGUF_BAD_TENSOR_NAME, (int64_t)t->entry,
                            "tensor %s occurs twice", t->name.data);
        }
    return TG_OK;
}
