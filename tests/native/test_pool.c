/* The pool of threads: every item done once by whoever is there; threads that come late, sleep or
 * die. */
#define TG_POOL_PATIENCE 1
#include "../../src/base/pool.c"
#include "random.h"
#include "test.h"

#define MOST    2000
#define THREADS 4

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
    _Atomic uint32_t done[MOST];
    uint32_t by[THREADS]; /* items of each thread: no two write to one */
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
            if (started < n_threads && round >= 500 * (int)started) { /* they come one by one */
                members[started] = (member){pool, started};
                CHECK(thrd_create(&threads[started], live, &members[started]) == thrd_success,
                      "thread %u", (unsigned)started);
                started++;
            }
            const size_t n = random_u32(&r) % MOST, grain = 1 + random_u32(&r) % 40;
            memset(&w, 0, sizeof w);
            CHECK(tgi_pool_run(pool, n, grain, count, &w), "round %d", round);
            for (size_t i = 0; i < MOST; i++)
                CHECK(w.done[i] == (i < n), "item %zu of %zu was done %u times", i, n,
                      (unsigned)w.done[i]);
            for (uint32_t i = 0; i < THREADS; i++)
                total[i] += w.by[i];
            if (round % 1000 == 999) /* time enough to fall asleep */
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

/* Every thread but the caller stays in its run until it is let go. */
static _Atomic int stuck, let_go;

static void stick(void *context, size_t first, size_t last, uint32_t thread)
{
    (void)context, (void)first, (void)last;
    if (thread) {
        atomic_store(&stuck, 1);
        while (!atomic_load(&let_go))
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

/* told: somebody says that the thread is dead; else the pool finds that nothing moves. */
static void lose(bool told)
{
    tg_pool *pool = tgi_pool_new(2);
    member m = {pool, 1};
    thrd_t thread, teller;
    struct timespec begin, end;
    stuck = let_go = 0;
    CHECK(thrd_create(&thread, live, &m) == thrd_success, "thread");
    while (!atomic_load(&pool->joined))
        thrd_yield();
    if (told)
        CHECK(thrd_create(&teller, fail_soon, pool) == thrd_success, "teller");
    timespec_get(&begin, TIME_UTC);
    CHECK(!tgi_pool_run(pool, 100, 1, stick, NULL), "a run with a lost thread fails");
    timespec_get(&end, TIME_UTC);
    const double seconds =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    CHECK(told ? seconds < 0.9 : seconds > 0.5 && seconds < 30, "after %.2f s", seconds);
    CHECK(tgi_pool_failed(pool) && !tgi_pool_run(pool, 100, 1, stick, NULL),
          "and so does every run after it");
    if (told)
        thrd_join(teller, NULL);
    CHECK(!tgi_pool_free(pool), "what a thread is still in stays");
    atomic_store(&let_go, 1);
    thrd_join(thread, NULL);
    free(pool);
}

static void lost_told(void)
{
    lose(true);
}

static void lost_found(void)
{
    lose(false);
}

static const tg_test tests[] = {
    {"pool-items", "every item is done once, by any number of threads that come when they like",
     items},
    {"pool-lost-told", "a thread that is said to be dead ends the run at once", lost_told},
    {"pool-lost-found", "a thread that does not move ends the run when patience does", lost_found},
};
TEST_MAIN(tests)
