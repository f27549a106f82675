/* The memory of the GGUF parser: each allocation fails in turn, and files that need as much memory
 * as possible stay below the documented bound. The test includes the parser's files, so that their
 * allocations are counted. */
#include <stdlib.h>

#include "test.h"
#include "tiny_gguf.h"

static long fails_after = -1; /* allocations until one fails; negative: never */
static long live;             /* blocks not freed */

static int fails(void)
{
    return fails_after >= 0 && fails_after-- == 0;
}

static void *counted(void *block)
{
    live += block != NULL;
    return block;
}

static void *test_malloc(size_t size)
{
    return fails() ? NULL : counted(malloc(size));
}

static void *test_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(calloc(count, size));
}

static void *test_realloc(void *block, size_t size)
{
    if (fails())
        return NULL;
    return block ? realloc(block, size) : counted(malloc(size));
}

static void test_free(void *block)
{
    live -= block != NULL;
    free(block);
}

#define malloc  test_malloc
#define calloc  test_calloc
#define realloc test_realloc
#define free    test_free
#include "../../src/gguf/parser.c"
#include "../../src/gguf/check.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

/* A file that makes every table grow: n keys, each an array of one number, a string longer than a
 * block, and n tensors. */
static tiny_bytes growing(uint32_t n)
{
    tiny_bytes b = {0};
    char name[16], *text = calloc(1, 2 * FIRST_BLOCK + 1);
    tiny_head(&b, n, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "k%u", (unsigned)i);
        tiny_string(&b, name);
        tiny_u32(&b, TG_GGUF_ARRAY), tiny_u32(&b, TG_GGUF_U32), tiny_u64(&b, 1), tiny_u32(&b, i);
    }
    memset(text, 'x', 2 * FIRST_BLOCK);
    tiny_key_string(&b, "text", text);
    free(text);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "t%u", (unsigned)i);
        tiny_string(&b, name);
        tiny_u32(&b, 1), tiny_u64(&b, 8), tiny_u32(&b, 0), tiny_u64(&b, (uint64_t)i * 32);
    }
    while (b.size % 32)
        tiny_put(&b, "", 1);
    return b;
}

static void exhaustion(void)
{
    tiny_bytes b = growing(300);
    size_t used;
    bool done = false;
    long n = 0;
    for (; !done; n++) {
        tg_error error = {0};
        live = 0;
        fails_after = n;
        tg_gguf *g = tgi_gguf_new(0);
        if (g) {
            const tg_status status = tgi_gguf_feed(g, b.data, b.size, &used, &error);
            done = tgi_gguf_done(g);
            CHECK(done ? !status : status == TG_OUT_OF_MEMORY && error.message[0],
                  "allocation %ld fails: %s", n, tg_status_name(status));
            CHECK(tgi_gguf_feed(g, b.data, b.size, &used, NULL) == status, "a failure is final");
            tgi_gguf_free(g);
        }
        CHECK(live == 0, "allocation %ld fails: %ld blocks are not freed", n, live);
    }
    CHECK(n > 300, "only %ld allocations were tried", n);
    fails_after = -1;
    free(b.data);
}

/* Feeds the file and checks the bound after each portion. Frees the bytes. */
static void bounded(const char *what, tiny_bytes *b)
{
    tg_gguf *g = tgi_gguf_new(0);
    tg_error error = {0};
    tg_status status = TG_OK;
    for (size_t at = 0, used = 1; at < b->size && !status && used; at += used) {
        status =
            tgi_gguf_feed(g, b->data + at, b->size - at < 997 ? b->size - at : 997, &used, &error);
        CHECK(tgi_gguf_memory(g) <= TG_GGUF_MAX_MEMORY(at + used),
              "%s: %zu bytes of memory after %zu fed", what, tgi_gguf_memory(g), at + used);
    }
    CHECK(!status, "%s: %s", what, error.message);
    tgi_gguf_free(g);
    free(b->data);
    *b = (tiny_bytes){0};
}

static void bound(void)
{
    tiny_bytes b = {0};
    char name[16];
    /* as many keys and tensors as allowed, each as small as possible */
    tiny_head(&b, TG_GGUF_MAX_TENSORS, TG_GGUF_MAX_KV);
    for (uint32_t i = 0; i < TG_GGUF_MAX_KV; i++) {
        snprintf(name, sizeof name, "%x", (unsigned)i);
        tiny_string(&b, name);
        tiny_u32(&b, TG_GGUF_BOOL), tiny_put(&b, "", 1);
    }
    for (uint32_t i = 0; i < TG_GGUF_MAX_TENSORS; i++) {
        snprintf(name, sizeof name, "%x", (unsigned)i);
        tiny_string(&b, name);
        tiny_u32(&b, 1), tiny_u64(&b, 1), tiny_u32(&b, 0), tiny_u64(&b, (uint64_t)i * 32);
    }
    bounded("tables", &b);

    /* arrays of empty strings, the last without its elements */
    tiny_head(&b, 0, 4);
    for (uint32_t k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "%x", (unsigned)k);
        tiny_string(&b, name);
        tiny_u32(&b, TG_GGUF_ARRAY), tiny_u32(&b, TG_GGUF_STRING), tiny_u64(&b, TG_GGUF_MAX_ARRAY);
        for (uint32_t i = 0; k < 2 && i < TG_GGUF_MAX_ARRAY; i++)
            tiny_u64(&b, 0);
    }
    bounded("empty strings", &b);

    char *text = calloc(1, TG_GGUF_MAX_STRING + 1);
    memset(text, 'x', TG_GGUF_MAX_STRING);
    /* strings that leave as much of a block unused as possible */
    tiny_head(&b, 0, 30);
    for (uint32_t k = 0; k < 16; k++) {
        snprintf(name, sizeof name, "%x", (unsigned)k);
        tiny_key_string(&b, name, text);
    }
    bounded("long strings", &b);
    free(text);
}

static const tg_test tests[] = {
    {"gguf-exhaustion", "each allocation fails in turn: OUT_OF_MEMORY, and nothing leaks",
     exhaustion},
    {"gguf-bound", "the memory stays below the bound for the bytes fed", bound},
};
TEST_MAIN(tests)
