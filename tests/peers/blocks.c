/* Compares our weight types with ggml's, and quantizes with ggml. Usage, with the path of
 * libggml-base:
 *
 *     blocks LIBRARY compare          dequantizes random and extreme blocks of every type of
 * quant.def with both; prints a line "NAME blocks different" for each type blocks LIBRARY quantize
 * TYPE    floats on standard input, rows of whole blocks -> blocks on standard output; TYPE is
 * ggml's number
 *
 * The exit code is 1 when the library or a function is missing. blocks.mjs builds the program with
 * src/quant/. */
#include "../../src/quant/quant.h"
#include "../native/random.h"
#include "../native/quant_reference.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define BLOCKS    64
#define ROUNDS    400
#define MAX_BLOCK 256 /* weights of a block */

typedef void dequantize_fn(const void *blocks, float *out, int64_t n);
typedef size_t quantize_fn(int type, const float *x, void *out, int64_t start, int64_t rows,
                           int64_t row_length, const float *importance);

static void *library;

static void *function(const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return symbol;
}

/* ggml's function for a type: named like the type in lower case, with an upper-case K */
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
    static uint8_t blocks[BLOCKS * TG_MAX_BLOCK_BYTES];
    static float ours[BLOCKS * MAX_BLOCK], theirs[BLOCKS * MAX_BLOCK];
    test_random r = {3};
    for (int type = 0; type < TG_QUANT_COUNT; type++) {
        const tg_quant_row *row = &tg_quants[type];
        const scale_offsets offsets = scales_of((tg_quant)type);
        long different = 0;
        if (row->block == 1) /* ggml has no such function; test_quant.c checks every bit pattern */
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
                if (offsets.m >= 0)
                    memcpy(block + offsets.m, &edge_scales[random_u32(&r) % 8], 2);
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
    enum { CHUNK = 1 << 16 }; /* floats: whole rows of MAX_BLOCK */
    static float x[CHUNK], importance[MAX_BLOCK];
    static uint8_t out[CHUNK * 4];
    const tg_quant_row *row = tgi_quant_of_ggml(ggml);
    quantize_fn *quantize_chunk = (quantize_fn *)function("ggml_quantize_chunk");
    if (!row)
        return 1;
    for (int i = 0; i < MAX_BLOCK; i++)
        importance[i] = 1; /* the smallest types ask for it */
    for (size_t n; (n = fread(x, sizeof *x, CHUNK, stdin)) > 0;) {
        const size_t length = row->block > 32 ? MAX_BLOCK : row->block > 1 ? 32 : 1;
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
