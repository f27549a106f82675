/* An arena: one plan and one allocation. The same code runs twice, first with base NULL, when it
 * only counts bytes, then over the allocated memory. A model's arena is
 *
 *     | weights in tiles | caches: counts, free list, pages, recurrent states | scratch, logits |
 */
#ifndef TG_ARENA_H
#define TG_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct tg_arena {
    uint8_t *base; /* NULL while counting; else aligned to TG_ARENA_ALIGN; the caller frees it */
    uint64_t used; /* bytes */
} tg_arena;

#define TG_ARENA_ALIGN 64u /* a cache line */

/* The next count * size bytes, aligned and not cleared; NULL while counting. The total has 64 bits,
 * so that a plan can exceed what a 32-bit machine addresses; a caller that multiplies to get the
 * count or the size multiplies in 64 bits, too. */
static inline void *tgi_arena_alloc(tg_arena *arena, uint64_t count, uint64_t size)
{
    uint8_t *memory = arena->base ? arena->base + arena->used : NULL;
    arena->used += (count * size + TG_ARENA_ALIGN - 1) / TG_ARENA_ALIGN * TG_ARENA_ALIGN;
    return memory;
}

#endif
