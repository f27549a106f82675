/* A pool of threads that share out the items of one task after another. In: a task and how many
 * items it has. Out: all of them done.
 *
 * Threads are made elsewhere (this code has no platform): each calls tgi_pool_thread_main and stays
 * in there until tg_pool_close. A task runs with whoever is there, the caller first, so that a
 * thread that comes late, sleeps or never comes costs speed and nothing else. Items are handed out
 * in runs by an atomic counter; which thread gets which run must not matter to the results. An idle
 * thread spins briefly and then sleeps. One that is lost with a run in hand (it trapped, or was
 * killed) is noticed when nothing has moved for TG_POOL_PATIENCE: the pool has failed then, for
 * good. A thread that only stood still may go on with its run even after that, and with what its
 * task points to: whoever can should end it. */
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

/* Does items first to last - 1 of the n; thread: 0 for the caller, below n_threads for the others.
 */
typedef void tg_task(void *context, size_t first, size_t last, uint32_t thread);

tg_pool *tgi_pool_new(
    uint32_t n_threads); /* 1 to TG_MAX_THREADS, the caller included; NULL when out of memory */
/* Sends every thread out and waits until they are gone; then frees the pool. Returns false when one
 * does not go: it may only stand still, and what its task works on must stay, as the pool does. */
bool tgi_pool_free(tg_pool *pool);

uint32_t tgi_pool_n_threads(const tg_pool *pool);

/* A thread's life in the pool: returns when the pool is freed. thread: 1 to n_threads - 1, each
 * once. */
void tgi_pool_thread_main(tg_pool *pool, uint32_t thread);

/* Runs task over n items in runs of at least `grain`; returns when all are done. Returns false, and
 * leaves items undone, when the pool has failed. Only one thread may call this at a time, and not
 * from within a task. */
bool tgi_pool_run(tg_pool *pool, size_t n, size_t grain, tg_task *task, void *context);

bool tgi_pool_failed(const tg_pool *pool);
/* Tells the pool that one of its threads has died; may be called at any time by any thread. */
void tgi_pool_fail(tg_pool *pool);

#endif
