/* A pool of threads that share the items of one task after another.
 *
 * Threads are created elsewhere (this code has no platform): each calls tgi_pool_thread_main and
 * stays there until the pool is freed. A task runs on the threads that are there, always including
 * the caller, so a thread that is late, asleep or never starts costs only speed. An atomic counter
 * hands out items in chunks; which thread gets which chunk must not change the results. An idle
 * thread spins briefly and then sleeps.
 *
 * A thread can be lost in the middle of a chunk: it trapped, or was killed. When nothing has moved
 * for TG_POOL_PATIENCE, the pool has failed for good. A thread that was only stopped may continue
 * its chunk after that, and use what its task points to. */
#ifndef TG_POOL_H
#define TG_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tokenglass.h"

#ifndef TG_POOL_PATIENCE
#define TG_POOL_PATIENCE 10 /* seconds */
#endif

typedef struct tg_pool tg_pool;

/* Does items first to last - 1. thread: 0 for the caller, 1 to n_threads - 1 for the others. */
typedef void tg_task(void *context, size_t first, size_t last, uint32_t thread);

/* n_threads: 1 to TG_MAX_THREADS, the caller included. NULL: out of memory. */
tg_pool *tgi_pool_new(uint32_t n_threads);
/* Makes every thread leave, waits for them and frees the pool. Returns false, and frees nothing,
 * when a thread does not leave: it may continue later, with the pool and with what its task uses.
 */
bool tgi_pool_free(tg_pool *pool);

uint32_t tgi_pool_n_threads(const tg_pool *pool);

/* The life of a further thread: returns when the pool is freed. thread: 1 to n_threads - 1, each
 * once. */
void tgi_pool_thread_main(tg_pool *pool, uint32_t thread);

/* Runs a task over n items, in chunks of at least `grain` items; returns when all are done. Returns
 * false, with items left undone, when the pool has failed. Only one thread may call it at a time,
 * and no task may. */
bool tgi_pool_run(tg_pool *pool, size_t n, size_t grain, tg_task *task, void *context);

bool tgi_pool_failed(const tg_pool *pool);
/* Says that a thread has died. Any thread may call it at any time. */
void tgi_pool_fail(tg_pool *pool);

#endif
