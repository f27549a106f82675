/* The weight types beside ggml's own: blocks dequantized by both, and floats quantized by ggml. In:
 * the path of libggml-base, then compare            every type of quant.def, random and awkward
 * blocks: a line "NAME blocks different" each quantize TYPE floats on standard input, rows of whole
 * blocks, -> blocks on standard output; TYPE: ggml's number Out: as said; exit code 1 when the
 * library or a function is missing. Built with src/quant/ by blocks.mjs. */
#include "../../src/quant/quant.h"
#include "../native/random.h"
#include "../native/quant_reference.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define BLOCKS     64
#define ROUNDS     400
#define MOST       256 /* elements of a block */
#define MOST_BYTES 256

typedef void dequantize_fn(const void *blocks, float *out, int64_t n);
typedef size_t quantize_fn(int type, const float *x, void *out, int64_t start, int64_t rows,
                           int64_t row_length, const float *importance);

static void *library;

static void *function(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

/* ggml's function for a type is named as the type, with the K of the K types as a capital */
static dequantize_fn *dequantizer(const tg_quant_row *row)
{
    char name[64];
    snprintf(name, sizeof name, "dequantize_row_%s", row->name);
    for (char *c = name + strlen("dequantize_row_"); *c; c++)
        if (*c >= 'A' && *c <= 'Z' && *c != 'K')
            *c = (char)(*c + 'a' - 'A');
    return (dequantize_fn *)function(name);
}

static void compare(void)
{
    static const uint16_t edge_scales[] = {0x0000, 0x8000, 0x0001, 0x83ff,
                                           0x0400, 0x7bff, 0xfbff, 0x3c00};
    static uint8_t blocks[BLOCKS * MOST_BYTES];
    static float ours[BLOCKS * MOST], theirs[BLOCKS * MOST];
    test_random r = {3};
    for (int type = 0; type < TG_QUANT_COUNT; type++) {
        const tg_quant_row *row = &tg_quants[type];
        const scale_places places = scales_of((tg_quant)type);
        long different = 0;
        if (row->block ==
            1) /* ggml has no such function for them, and every bit pattern is checked elsewhere */
            continue;
        dequantize_fn *dequantize = dequantizer(row);
        for (int round = 0; round < ROUNDS; round++) {
            for (size_t i = 0; i < BLOCKS * row->bytes; i++)
                blocks[i] = (uint8_t)random_u32(&r);
            for (size_t b = 0; b < BLOCKS && round % 2; b++) {
                uint8_t *block = blocks + b * row->bytes;
                if (round % 8 == 1)
                    memset(block, random_u32(&r) % 2 ? 0xff : 0, row->bytes);
                if (type == TG_QUANT_MXFP4)
                    block[0] = (uint8_t)random_u32(&r);
                set_half((tg_quant)type, block, edge_scales[random_u32(&r) % 8]);
                if (places.m >= 0)
                    memcpy(block + places.m, &edge_scales[random_u32(&r) % 8], 2);
            }
            row->dequantize(blocks, BLOCKS, ours);
            dequantize(blocks, theirs, (int64_t)BLOCKS * row->block);
            for (size_t i = 0; i < BLOCKS * row->block; i++)
                different += memcmp(&ours[i], &theirs[i], sizeof(float)) &&
                             !(isnan(ours[i]) && isnan(theirs[i]));
        }
        printf("%s %d %ld\n", row->name, ROUNDS * BLOCKS, different);
    }
}

static int quantize(uint32_t ggml)
{
    enum { CHUNK = 1 << 16 }; /* floats: whole rows of MOST */
    static float x[CHUNK], importance[MOST];
    static uint8_t out[CHUNK * 4];
    const tg_quant_row *row = tgi_quant_of_ggml(ggml);
    quantize_fn *quantize_chunk = (quantize_fn *)function("ggml_quantize_chunk");
    if (!row)
        return 1;
    for (int i = 0; i < MOST; i++)
        importance[i] = 1; /* the smallest types ask for it */
    for (size_t n; (n = fread(x, sizeof *x, CHUNK, stdin)) > 0;) {
        const size_t length = row->block > 32 ? MOST : row->block > 1 ? 32 : 1;
        if (n % length)
            return 1;
        const size_t size = quantize_chunk((int)ggml, x, out, 0, (int64_t)(n / length),
                                           (int64_t)length, importance);
        if (fwrite(out, 1, size, stdout) != size)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    library = argc > 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n",
                argc > 2 ? dlerror() : "usage: blocks LIBRARY compare | quantize TYPE");
        return 1;
    }
    if (!strcmp(argv[2], "quantize"))
        return argc > 3 ? quantize((uint32_t)atoi(argv[3])) : 1;
    compare();
    return 0;
}
