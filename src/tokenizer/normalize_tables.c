/* Unpacks the generated data, and looks code points up. A step decomposes a code point into one or
 * two code points. The first of these may decompose again, by another step; the second does not.
 * Hangul syllables are decomposed and composed by arithmetic. */
#include "normalize_tables.h"
#include "normalization_data.h"

#include <stdlib.h>
#include <string.h>

#define END 0x30000u /* no code point from here on has properties */

#define L_BASE 0x1100u
#define V_BASE 0x1161u
#define T_BASE 0x11a7u
#define S_BASE 0xac00u
#define N_L    19u
#define N_V    21u
#define N_T    28u

struct tg_normalizer {
    /* The steps, by ascending code point; second is 0 where there is none. */
    uint32_t codes[TG_NORMAL_STEPS], firsts[TG_NORMAL_STEPS], seconds[TG_NORMAL_STEPS];
    uint16_t
        pairs[TG_NORMAL_PAIRS]; /* steps that composing undoes, by ascending first and second */
    uint16_t index[END / TG_NORMAL_BLOCK];
    uint32_t n_blocks;
    uint8_t blocks[TG_NORMAL_BLOCKS][TG_NORMAL_BLOCK];
};

/* ---- unpacking ---- */

static uint32_t next_number(const uint8_t **from)
{
    uint32_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint8_t byte = *(*from)++;
        number |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            return number;
    }
}

static void set_bits(tg_normalizer *z, uint32_t code, uint8_t bits)
{
    uint16_t *block = &z->index[code / TG_NORMAL_BLOCK];
    if (!*block)
        *block = (uint16_t)z->n_blocks++;
    z->blocks[*block][code % TG_NORMAL_BLOCK] |= bits;
}

static void unpack_ranks(tg_normalizer *z)
{
    const uint8_t *from = tg_normal_runs;
    uint32_t code = 0;
    for (int i = 0; i < TG_NORMAL_RUNS; i++) {
        code += next_number(&from);
        uint32_t n = next_number(&from);
        const uint8_t rank = (uint8_t)next_number(&from);
        while (n-- > 0)
            set_bits(z, code++, rank | TG_NORMAL_JOINS);
    }
}

static bool is_before(const tg_normalizer *z, uint16_t a, uint16_t b)
{
    return z->firsts[a] != z->firsts[b] ? z->firsts[a] < z->firsts[b]
                                        : z->seconds[a] < z->seconds[b];
}

/* Adds a pair to those that are sorted already. */
static void insert_pair(tg_normalizer *z, uint32_t n, uint16_t step)
{
    for (; n > 0 && is_before(z, step, z->pairs[n - 1]); n--)
        z->pairs[n] = z->pairs[n - 1];
    z->pairs[n] = step;
}

static void unpack_steps(tg_normalizer *z)
{
    const uint8_t *codes = tg_normal_codes, *firsts = tg_normal_firsts,
                  *seconds = tg_normal_seconds;
    uint32_t code = 0, first = 0, n_pairs = 0;
    for (uint16_t i = 0; i < TG_NORMAL_STEPS; i++) {
        const uint32_t gap = next_number(&codes), change = next_number(&firsts),
                       second = next_number(&seconds);
        z->codes[i] = code += gap;
        z->firsts[i] = first += change & 1 ? 0 - (change + 1) / 2 : change / 2;
        z->seconds[i] = second / 2;
        if (second && second % 2 == 0) {
            insert_pair(z, n_pairs++, i);
            set_bits(z, z->seconds[i], TG_NORMAL_JOINS);
        } else
            set_bits(z, code, TG_NORMAL_CHANGES);
    }
}

tg_normalizer *tgi_normalizer_new(void)
{
    tg_normalizer *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->n_blocks = 1; /* block 0 is empty */
    unpack_ranks(z);
    unpack_steps(z);
    for (uint32_t code = V_BASE; code < V_BASE + N_V; code++)
        set_bits(z, code, TG_NORMAL_JOINS);
    for (uint32_t code = T_BASE + 1; code < T_BASE + N_T; code++)
        set_bits(z, code, TG_NORMAL_JOINS);
    for (int i = 0; i < TG_NORMAL_STEPS; i++) { /* what begins with a character that joins, joins */
        uint32_t parts[TG_NORMAL_MAX_PARTS];
        tgi_normal_decompose(z, z->codes[i], parts);
        set_bits(z, z->codes[i], tgi_normal_bits(z, parts[0]) & TG_NORMAL_JOINS);
    }
    return z;
}

size_t tgi_normalizer_memory(void)
{
    return sizeof(tg_normalizer);
}

/* ---- looking up ---- */

uint8_t tgi_normal_bits(const tg_normalizer *z, uint32_t code)
{
    return code < END ? z->blocks[z->index[code / TG_NORMAL_BLOCK]][code % TG_NORMAL_BLOCK] : 0;
}

/* The step from a code point; TG_NORMAL_STEPS: it does not decompose. */
static uint32_t find_step(const tg_normalizer *z, uint32_t code)
{
    uint32_t low = 0, high = TG_NORMAL_STEPS;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (z->codes[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < TG_NORMAL_STEPS && z->codes[low] == code ? low : TG_NORMAL_STEPS;
}

size_t tgi_normal_decompose(const tg_normalizer *z, uint32_t code,
                            uint32_t parts[TG_NORMAL_MAX_PARTS])
{
    const uint32_t syllable = code - S_BASE;
    if (syllable < N_L * N_V * N_T) {
        const uint32_t tail = syllable % N_T;
        parts[0] = L_BASE + syllable / (N_V * N_T);
        parts[1] = V_BASE + syllable % (N_V * N_T) / N_T;
        parts[2] = T_BASE + tail;
        return tail ? 3 : 2;
    }
    uint32_t tails[TG_NORMAL_MAX_PARTS];
    size_t n_tails = 0, n = 0;
    for (uint32_t step; (step = find_step(z, code)) < TG_NORMAL_STEPS; code = z->firsts[step])
        if (z->seconds[step] && n_tails < TG_NORMAL_MAX_PARTS - 1)
            tails[n_tails++] = z->seconds[step];
    parts[n++] = code;
    while (n_tails)
        parts[n++] = tails[--n_tails];
    return n;
}

uint32_t tgi_normal_compose(const tg_normalizer *z, uint32_t first, uint32_t second)
{
    if (first - L_BASE < N_L && second - V_BASE < N_V)
        return S_BASE + ((first - L_BASE) * N_V + (second - V_BASE)) * N_T;
    const uint32_t syllable = first - S_BASE;
    if (syllable < N_L * N_V * N_T && syllable % N_T == 0 && second > T_BASE &&
        second < T_BASE + N_T)
        return first + (second - T_BASE);
    uint32_t low = 0, high = TG_NORMAL_PAIRS;
    while (low < high) {
        const uint32_t middle = (low + high) / 2, step = z->pairs[middle];
        if (z->firsts[step] == first && z->seconds[step] == second)
            return z->codes[step];
        if (z->firsts[step] < first || (z->firsts[step] == first && z->seconds[step] < second))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}
