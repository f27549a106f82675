/* The pool of threads: every item is done once, with threads that start late, sleep or die. */
#define TG_POOL_PATIENCE 1
#include "../../src/base/pool.c"
#include "random.h"
#include "test.h"

#define MAX_ITEMS 2000
#define THREADS   4

typedef struct member {
    tg_pool *pool;
    uint32_t thread;
} member;

static int live(void *context)
{
    const member *m = context;
    tgi_pool_thread_main(m->pool, m->thread);
    return 0;
}

typedef struct work {
    _Atomic uint32_t done[MAX_ITEMS];
    uint32_t by[THREADS]; /* items of each thread, which alone writes its element */
} work;

static void count(void *context, size_t first, size_t last, uint32_t thread)
{
    work *w = context;
    for (size_t i = first; i < last; i++)
        atomic_fetch_add(&w->done[i], 1);
    w->by[thread] += (uint32_t)(last - first);
}

static void items(void)
{
    test_random r = {11};
    static work w;
    for (uint32_t n_threads = 1; n_threads <= THREADS; n_threads++) {
        tg_pool *pool = tgi_pool_new(n_threads);
        member members[THREADS];
        thrd_t threads[THREADS];
        uint32_t started = 1, total[THREADS] = {0};
        for (int round = 0; round < 4000; round++) {
            if (started < n_threads &&
                round >= 500 * (int)started) { /* the threads start one after the other */
                members[started] = (member){pool, started};
                CHECK(thrd_create(&threads[started], live, &members[started]) == thrd_success,
                      "thread %u", (unsigned)started);
                started++;
            }
            const size_t n = random_u32(&r) % MAX_ITEMS, grain = 1 + random_u32(&r) % 40;
            memset(&w, 0, sizeof w);
            CHECK(tgi_pool_run(pool, n, grain, count, &w), "round %d", round);
            for (size_t i = 0; i < MAX_ITEMS; i++)
                CHECK(w.done[i] == (i < n), "item %zu of %zu was done %u times", i, n,
                      (unsigned)w.done[i]);
            for (uint32_t i = 0; i < THREADS; i++)
                total[i] += w.by[i];
            if (round % 1000 == 999) /* long enough for the threads to fall asleep */
                thrd_sleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
            if (test_failures > 5)
                break;
        }
        printf("    %u threads did %u, %u, %u and %u items\n", (unsigned)n_threads,
               (unsigned)total[0], (unsigned)total[1], (unsigned)total[2], (unsigned)total[3]);
        tgi_pool_free(pool);
        for (uint32_t i = 1; i < started; i++)
            thrd_join(threads[i], NULL);
    }
}

/* A task in which every thread except the caller waits until it is released. */
static _Atomic int stuck, released;

static void stick(void *context, size_t first, size_t last, uint32_t thread)
{
    (void)context, (void)first, (void)last;
    if (thread) {
        atomic_store(&stuck, 1);
        while (!atomic_load(&released))
            thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    } else
        while (!atomic_load(&stuck))
            thrd_yield();
}

static int fail_soon(void *context)
{
    thrd_sleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    tgi_pool_fail(context);
    return 0;
}

/* reported: another thread calls tgi_pool_fail; else the pool notices that nothing moves. */
static void lose(bool reported)
{
    tg_pool *pool = tgi_pool_new(2);
    member m = {pool, 1};
    thrd_t thread, reporter;
    struct timespec begin, end;
    stuck = released = 0;
    CHECK(thrd_create(&thread, live, &m) == thrd_success, "thread");
    while (!atomic_load(&pool->joined))
        thrd_yield();
    if (reported)
        CHECK(thrd_create(&reporter, fail_soon, pool) == thrd_success, "reporter");
    timespec_get(&begin, TIME_UTC);
    CHECK(!tgi_pool_run(pool, 100, 1, stick, NULL), "a run with a lost thread fails");
    timespec_get(&end, TIME_UTC);
    const double seconds =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    CHECK(reported ? seconds < 0.9 : seconds > 0.5 && seconds < 30, "after %.2f s", seconds);
    CHECK(tgi_pool_failed(pool) && !tgi_pool_run(pool, 100, 1, stick, NULL),
          "and so does every run after it");
    if (reported)
        thrd_join(reporter, NULL);
    CHECK(!tgi_pool_free(pool), "a pool with a thread in it is not freed");
    atomic_store(&released, 1);
    thrd_join(thread, NULL);
    free(pool);
}

static void lost_reported(void)
{
    lose(true);
}

static void lost_noticed(void)
{
    lose(false);
}

static const tg_test tests[] = {
    {"pool-items", "every item is done once, by any number of threads that start at any time",
     items},
    {"pool-lost-reported", "a thread that is reported as dead ends the run at once", lost_reported},
    {"pool-lost-noticed", "a thread that does not move ends the run after TG_POOL_PATIENCE",
     lost_noticed},
};
TEST_MAIN(tests)
