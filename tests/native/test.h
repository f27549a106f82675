/* The harness of the native tests. Each test_*.c is a program: a table of named functions and
 * TEST_MAIN(table). A failed CHECK prints file, line and values, and fails its test. The program's
 * last line is "N passed, N failed, N skipped", and its exit code is 1 if a test failed. A test
 * that cannot run calls SKIP(reason) and returns. With an argument, only the tests run whose name
 * contains the argument. */
#ifndef TG_TEST_H
#define TG_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tg_test {
    const char *name, *description;
    void (*run)(void);
} tg_test;

static int test_failures; /* in the running test */
static const char *test_skip;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_failures++;                                                                       \
            printf("    %s:%d: %s: ", __FILE__, __LINE__, #condition);                             \
            printf("" __VA_ARGS__);                                                                \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)
#define SKIP(reason) (test_skip = (reason))

/* Whether the long forms of tests are asked for: npm run test:all. */
static inline bool test_all(void)
{
    const char *value = getenv("TOKENGLASS_ALL");
    return value && *value;
}

static int test_main(const tg_test *tests, int count, int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    for (int i = 0; i < count; i++) {
        if (argc > 1 && !strstr(tests[i].name, argv[1]))
            continue;
        test_failures = 0;
        test_skip = NULL;
        tests[i].run();
        if (test_failures)
            failed++;
        else if (test_skip)
            skipped++;
        else
            passed++;
        printf("%s %s: %s%s%s\n",
               test_failures ? "not ok"
               : test_skip   ? "skip"
                             : "ok",
               tests[i].name, tests[i].description, test_skip ? " # " : "",
               test_skip ? test_skip : "");
        fflush(stdout);
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}

#define TEST_MAIN(table)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main(table, (int)(sizeof(table) / sizeof(table)[0]), argc, argv);              \
    }

#endif
