/* The pool of threads: how they wait, share items and leave. */
#include "pool.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Sleeping until a word of memory changes. In WebAssembly with threads this is memory.atomic.wait;
 * a native build, which is for tests, sleeps for a slice of time. */
#if defined(__wasm_atomics__)
#define SLICE_MS 50
static void sleep_while(_Atomic uint32_t *word, uint32_t value, bool forever)
{
    __builtin_wasm_memory_atomic_wait32((int *)word, (int)value,
                                        forever ? -1 : SLICE_MS * 1000000ll);
}

static void wake(_Atomic uint32_t *word)
{
    __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX);
}
#elif defined(__wasm__) /* without threads nothing waits */
#define SLICE_MS 1
static void sleep_while(_Atomic uint32_t *word, uint32_t value, bool forever)
{
    (void)word, (void)value, (void)forever;
}

static void wake(_Atomic uint32_t *word)
{
    (void)word;
}
#else
#include <threads.h>
#define SLICE_MS 1
static void sleep_while(_Atomic uint32_t *word, uint32_t value, bool forever)
{
    (void)forever;
    if (atomic_load(word) == value)
        thrd_sleep(&(struct timespec){.tv_nsec = SLICE_MS * 1000000}, NULL);
}

static void wake(_Atomic uint32_t *word)
{
    (void)word;
}
#endif

/* Reads of a word before a thread sleeps on it: some tens of microseconds. */
#define SPINS 20000u
/* In gate: threads may enter the task. The lower bits count the threads that are in it. */
#define OPEN 0x80000000u

struct tg_pool {
    uint32_t n_threads;
    /* the task; written while the gate is closed and no thread is in it */
    tg_task *task;
    void *context;
    size_t n, chunk;
    /* each word that several threads write has its own cache line */
    _Alignas(64) _Atomic size_t next;     /* the first item that no thread has taken */
    _Alignas(64) _Atomic uint32_t gate;   /* OPEN, and the threads in the task without the caller */
    _Alignas(64) _Atomic uint32_t signal; /* changes with every task, and when the pool closes */
    _Alignas(64) _Atomic uint32_t sleepers; /* threads that sleep on signal, or are about to */
    _Atomic uint32_t caller_sleeps;         /* the caller sleeps on gate */
    _Atomic uint32_t joined;                /* threads in tgi_pool_thread_main */
    _Atomic uint32_t closing, failed;
};

tg_pool *tgi_pool_new(uint32_t n_threads)
{
    tg_pool *pool = aligned_alloc(64, sizeof *pool); /* its size is a multiple of its alignment */
    if (pool)
        *pool = (tg_pool){.n_threads = n_threads};
    return pool;
}

uint32_t tgi_pool_n_threads(const tg_pool *pool)
{
    return pool->n_threads;
}

bool tgi_pool_failed(const tg_pool *pool)
{
    return atomic_load(&pool->failed);
}

void tgi_pool_fail(tg_pool *pool)
{
    atomic_store(&pool->failed, 1);
    wake(&pool->gate);
}

static void take_items(tg_pool *pool, uint32_t thread)
{
    const size_t n = pool->n, chunk = pool->chunk;
    for (;;) {
        const size_t first = atomic_fetch_add_explicit(&pool->next, chunk, memory_order_relaxed);
        if (first >= n)
            return;
        pool->task(pool->context, first, n - first < chunk ? n : first + chunk, thread);
    }
}

/* Enters the task if it is open. The caller then waits until this thread leaves. */
static bool enter(tg_pool *pool)
{
    uint32_t gate = atomic_load(&pool->gate);
    while (gate & OPEN)
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1))
            return true;
    return false;
}

static void leave(tg_pool *pool)
{
    atomic_fetch_sub(&pool->gate, 1);
    if (atomic_load(&pool->caller_sleeps))
        wake(&pool->gate);
}

void tgi_pool_thread_main(tg_pool *pool, uint32_t thread)
{
    /* signal starts at 0, without a task: a thread that starts late enters the current task */
    uint32_t seen = 0;
    atomic_fetch_add(&pool->joined, 1);
    while (!atomic_load(&pool->closing)) {
        const uint32_t signal = atomic_load(&pool->signal);
        if (signal != seen) {
            seen = signal;
            if (enter(pool)) {
                take_items(pool, thread);
                leave(pool);
            }
            continue;
        }
        for (uint32_t i = 0;
             i < SPINS && atomic_load_explicit(&pool->signal, memory_order_relaxed) == seen; i++)
            ;
        if (atomic_load(&pool->signal) != seen)
            continue;
        /* a change of signal after this line wakes the sleeper; a change before it makes
         * sleep_while return at once */
        atomic_fetch_add(&pool->sleepers, 1);
        sleep_while(&pool->signal, seen, true);
        atomic_fetch_sub(&pool->sleepers, 1);
    }
    atomic_fetch_sub(&pool->joined, 1);
}

/* Waits until word is 0. Returns false when it has not changed for TG_POOL_PATIENCE, or, with
 * stop_on_failure, when the pool has failed. */
static bool wait_until_zero(tg_pool *pool, _Atomic uint32_t *word, bool stop_on_failure)
{
    uint32_t last = atomic_load(word);
    for (uint32_t i = 0; i < SPINS && last; i++)
        last = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store(&pool->caller_sleeps, 1);
    uint32_t patience = TG_POOL_PATIENCE * 1000 / SLICE_MS;
    for (uint32_t now;
         (now = atomic_load(word)) != 0 && patience && !(stop_on_failure && tgi_pool_failed(pool));
         patience--) {
        if (now != last)
            patience = TG_POOL_PATIENCE * 1000 / SLICE_MS;
        last = now;
        sleep_while(word, now, false);
    }
    atomic_store(&pool->caller_sleeps, 0);
    return atomic_load(word) == 0;
}

bool tgi_pool_run(tg_pool *pool, size_t n, size_t grain, tg_task *task, void *context)
{
    if (tgi_pool_failed(pool))
        return false;
    /* four chunks for each thread, so that the others do not wait long for a slow one */
    const size_t share = n / (4 * (size_t)pool->n_threads), chunk = share > grain ? share : grain;
    if (n <= chunk || !atomic_load(&pool->joined)) {
        if (n)
            task(context, 0, n, 0);
        return true;
    }
    pool->task = task;
    pool->context = context;
    pool->n = n;
    pool->chunk = chunk;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store(&pool->gate, OPEN);
    atomic_fetch_add(&pool->signal, 1);
    if (atomic_load(&pool->sleepers))
        wake(&pool->signal);
    take_items(pool, 0);
    atomic_fetch_and(&pool->gate, ~OPEN);
    if (wait_until_zero(pool, &pool->gate, true))
        return !tgi_pool_failed(pool);
    tgi_pool_fail(pool);
    return false;
}

bool tgi_pool_free(tg_pool *pool)
{
    if (!pool)
        return true;
    atomic_store(&pool->closing, 1);
    atomic_fetch_add(&pool->signal, 1);
    wake(&pool->signal);
    /* a lost thread never leaves and may still use the pool, which then is not freed */
    if (!wait_until_zero(pool, &pool->joined, false))
        return false;
    free(pool);
    return true;
}
