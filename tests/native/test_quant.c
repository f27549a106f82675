/* The weight types: blocks against the definitions of the formats, tiles against blocks, binary16
 * against arithmetic. */
#include "../../src/quant/blocks.h"
#include "quant_reference.h"
#include "random.h"
#include "test.h"

#include <stdlib.h>

static void halves(void)
{
    for (uint32_t h = 0; h < 65536; h++) {
        const float value = tgi_half_to_float((uint16_t)h);
        const double expected = half_by_definition((uint16_t)h);
        CHECK(isnan(expected) ? isnan(value) : value == expected, "half %04x is %g, not %g",
              (unsigned)h, value, expected);
        if (!isnan(expected))
            CHECK(tgi_float_to_half(value) == h, "half %04x does not come back", (unsigned)h);
    }
    CHECK(signbit(tgi_half_to_float(0x8000)), "minus zero keeps its sign");
    CHECK((tgi_float_to_half(NAN) & 0x7fff) > 0x7c00, "NaN stays NaN");
}

static void half_rounding(void)
{
    test_random r = {7};
    for (int i = 0; i < 200000; i++) {
        /* between two neighbouring halves: the nearer one, at the midpoint the even one */
        const uint16_t low = (uint16_t)(random_u32(&r) % 0x7bff);
        const double a = half_by_definition(low), b = half_by_definition((uint16_t)(low + 1));
        const float midpoint = (float)((a + b) / 2);
        const uint16_t even = low % 2 ? (uint16_t)(low + 1) : low;
        CHECK(tgi_float_to_half(midpoint) == even, "midpoint above %04x", low);
        CHECK(tgi_float_to_half(nextafterf(midpoint, 0)) == low, "below the midpoint above %04x",
              low);
        CHECK(tgi_float_to_half(nextafterf(midpoint, 1e9f)) == low + 1,
              "above the midpoint above %04x", low);
    }
    CHECK(tgi_float_to_half(65519.996f) == 0x7bff && tgi_float_to_half(65520.0f) == 0x7c00,
          "the border of infinity");
}

#define BLOCKS 7

static void blocks_and_tiles(void)
{
    static const uint16_t edge_scales[] = {0x0000, 0x8000, 0x0001, 0x03ff,
                                           0x0400, 0x7bff, 0xfbff, 0x3c00};
    static const uint8_t edge_exponents[] = {0, 1, 2, 3, 127, 252};
    test_random r = {11};
    for (int type = 0; type < TG_QUANT_COUNT; type++) {
        const tg_quant_row *row = &tg_quants[type];
        for (int round = 0; round < 500; round++) {
            const size_t n = BLOCKS * row->block;
            /* exact sizes, so that a sanitizer detects every access past the end */
            uint8_t *file = malloc(TG_TILE_ROWS * BLOCKS * row->bytes);
            uint8_t *tiles = malloc(BLOCKS * tgi_quant_tile_bytes(row));
            float *direct = malloc(n * sizeof *direct), *through = malloc(n * sizeof *through);
            for (size_t i = 0; i < TG_TILE_ROWS * BLOCKS * row->bytes; i++)
                file[i] = (uint8_t)random_u32(&r);
            for (size_t b = 0; b < TG_TILE_ROWS * BLOCKS && row->block > 1 && round % 2; b++) {
                const scale_offsets offsets = scales_of((tg_quant)type);
                uint8_t *block = file + b * row->bytes;
                if (round % 8 == 1) /* extreme codes and scales of groups */
                    memset(block, random_u32(&r) % 2 ? 0xff : 0, row->bytes);
                if (type == TG_QUANT_MXFP4)
                    block[0] = edge_exponents[random_u32(&r) % 6];
                set_half((tg_quant)type, block, edge_scales[random_u32(&r) % 8]);
                if (offsets.m >= 0)
                    memcpy(block + offsets.m, &edge_scales[random_u32(&r) % 8], 2);
            }
            for (int lane = 0; lane < TG_TILE_ROWS; lane++) {
                const uint8_t *blocks = file + (size_t)lane * BLOCKS * row->bytes;
                /* in two runs, as bytes arrive */
                const size_t first = random_u32(&r) % (BLOCKS + 1);
                bool finite = row->repack(blocks, first, lane, tiles);
                finite &= row->repack(blocks + first * row->bytes, BLOCKS - first, lane,
                                      tiles + first * tgi_quant_tile_bytes(row));
                row->dequantize(blocks, BLOCKS, direct);
                bool expected = true;
                for (size_t i = 0; i < n; i++)
                    expected &= isfinite(direct[i]) != 0;
                for (size_t b = 0; type == TG_QUANT_MXFP4 && b < BLOCKS;
                     b++) /* whether a code overflows or not */
                    expected &= blocks[b * row->bytes] <= 252;
                CHECK(finite == expected, "%s: repack says %d", row->name, finite);
            }
            for (int lane = 0; lane < TG_TILE_ROWS; lane++) {
                const uint8_t *blocks = file + (size_t)lane * BLOCKS * row->bytes;
                row->dequantize(blocks, BLOCKS, direct);
                row->tile_row(tiles, BLOCKS, lane, through);
                CHECK(!memcmp(direct, through, n * sizeof *direct),
                      "%s: the tile does not hold what the block held", row->name);
                for (size_t i = 0; i < n; i++) {
                    const double expected =
                        weight_by_definition((tg_quant)type, blocks + i / row->block * row->bytes,
                                             (int)(i % row->block));
                    CHECK(isnan(expected) ? isnan(direct[i]) : direct[i] == (float)expected,
                          "%s: weight %zu is %g, not %g", row->name, i, direct[i], expected);
                }
                if (test_failures > 20)
                    break;
            }
            free(file);
            free(tiles);
            free(direct);
            free(through);
        }
    }
}

static void rows(void)
{
    for (int type = 0; type < TG_QUANT_COUNT; type++)
        CHECK(tgi_quant_of_ggml(tg_quants[type].ggml) == &tg_quants[type],
              "%s is found by its number", tg_quants[type].name);
    CHECK(!tgi_quant_of_ggml(4) && !tgi_quant_of_ggml(UINT32_MAX),
          "a withdrawn and an absurd number have no row");
    CHECK(!strncmp(tgi_quant_names(), "F32, F16", 8), "%s", tgi_quant_names());
}

static const tg_test tests[] = {
    {"quant-halves", "all 65,536 halves to floats and back", halves},
    {"quant-half-rounding", "floats to halves round to nearest, ties to even", half_rounding},
    {"quant-blocks", "every type: blocks by definition, tiles hold the same", blocks_and_tiles},
    {"quant-rows", "types are found by their number in files", rows},
};
TEST_MAIN(tests)
