/* One plan, one allocation. The same code runs twice: first with base NULL, when it only counts,
 * then over the memory that was had.
 *
 *     model arena:  | weights: tiles, tensor after tensor | kv: counts, free list, pages | scratch:
 * activations, tables, logits |
 *
 * Owns nothing: whoever allocated base frees it. */
#ifndef TG_ARENA_H
#define TG_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct tg_arena {
    uint8_t *base; /* NULL while counting; else aligned to TG_ARENA_ALIGN */
    uint64_t used; /* bytes */
} tg_arena;

#define TG_ARENA_ALIGN 64u /* a cache line: tiles and pages start on their own */

/* The next count * size bytes, aligned, not cleared; NULL while counting. The total is 64-bit, so
 * that a plan too large for this machine can still be told. */
static inline void *tgi_arena_alloc(tg_arena *arena, uint64_t count, uint64_t size)
{
    uint8_t *here = arena->base ? arena->base + arena->used : NULL;
    arena->used += (count * size + TG_ARENA_ALIGN - 1) / TG_ARENA_ALIGN * TG_ARENA_ALIGN;
    return here;
}

#endif
