/* The golden files through the public header, with sanitizers: the valid files load, the others
 * fail with the code of expect.json, whole and in portions, with and without the file's length. A
 * file that is cut at any byte fails, too. */
#include "../../src/tokenglass.h"
#include "golden_file.h"
#include "test.h"

#include <stdlib.h>

/* Loads a model in portions and returns its error; status TG_OK when it loaded. */
static tg_error load(const uint8_t *bytes, size_t size, size_t portion, bool size_known,
                     bool vocab_only)
{
    const tg_model_options options = {.file_size = size_known ? size : 0, .vocab_only = vocab_only};
    tg_model *model = tg_model_new(&options);
    tg_status status = TG_OK;
    for (size_t at = 0, used; at < size && !status; at += used) {
        status = tg_model_feed(model, bytes + at, portion < size - at ? portion : size - at, &used);
        if (!status && tg_model_get_state(model) == TG_MODEL_PLANNED)
            status = tg_model_allocate(model);
    }
    if (!status)
        status = tg_model_finish(model);
    const tg_error error = *tg_model_error(model);
    CHECK(status == error.status, "%s returned, %s reported", tg_status_name(status),
          tg_status_name(error.status));
    CHECK((tg_model_get_state(model) == TG_MODEL_READY) == !status, "the state matches the status");
    tg_model_free(model);
    return error;
}

static const size_t portions[] = {SIZE_MAX, 1, 7, 4096};
#define N_PORTIONS (sizeof portions / sizeof portions[0])

/* Copies the text after `"name": "` up to the next quote; returns its end, or NULL when there is
 * none. */
static const char *field(const char *json, const char *name, char *out, size_t size)
{
    char start[32];
    snprintf(start, sizeof start, "\"%s\": \"", name);
    const char *from = json ? strstr(json, start) : NULL;
    if (!from)
        return NULL;
    from += strlen(start);
    const size_t n = strcspn(from, "\"");
    snprintf(out, size, "%.*s", (int)n, from);
    return from + n;
}

static void must_fail(void)
{
    size_t size;
    uint8_t *expect = read_file("must-fail/", "expect.json", &size);
    if (!expect) {
        SKIP("the golden files are found only from the project's root");
        return;
    }
    char *json = calloc(1, size + 1), file[128], code[64];
    memcpy(json, expect, size);
    free(expect);
    int count = 0;
    for (const char *at = json;
         (at = field(at, "file", file, sizeof file)) && (at = field(at, "code", code, sizeof code));
         count++) {
        uint8_t *bytes = read_file("must-fail/", file, &size);
        CHECK(bytes, "%s is not there", file);
        for (size_t i = 0; bytes && i < N_PORTIONS; i++) {
            tg_error error = load(bytes, size, portions[i], true, false);
            const char *name = tg_status_name(error.status);
            CHECK(!strcmp(name, code), "%s in portions of %zu: %s, expected %s", file, portions[i],
                  name, code);
            CHECK(error.message[0] && error.offset <= (int64_t)size,
                  "%s: no message, or an offset past its end", file);
            /* without the length, a tensor past the end of the file looks like a truncated file */
            name = tg_status_name(load(bytes, size, portions[i], false, false).status);
            CHECK(!strcmp(name, code) || !strcmp(name, "GGUF_TRUNCATED"),
                  "%s of unknown length: %s", file, name);
        }
        free(bytes);
    }
    CHECK(count > 60, "only %d files were listed", count);
    free(json);
}

static void valid(void)
{
    static const char *const names[] = {
        "v2.gguf",         "alignment-8.gguf",    "alignment-4096.gguf", "f32.gguf",
        "f16.gguf",        "bf16.gguf",           "q8_0.gguf",           "q4_0.gguf",
        "own-output.gguf", "gemma2.gguf",         "lfm2.gguf",           "granitemoe.gguf",
        "qwen35.gguf",     "guessing-layer.gguf", "gemma4.gguf"};
    size_t size;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        uint8_t *bytes = read_file("valid/", names[k], &size);
        if (!bytes) {
            SKIP("the golden files are found only from the project's root");
            return;
        }
        for (size_t i = 0; i < 2 * N_PORTIONS; i++) {
            const tg_error error = load(bytes, size, portions[i / 2], i % 2, false);
            CHECK(!error.status, "%s in portions of %zu: %s", names[k], portions[i / 2],
                  error.message);
        }
        free(bytes);
    }
    uint8_t *bytes = read_file("valid/", "vocabulary.gguf", &size);
    CHECK(bytes, "vocabulary.gguf is not there");
    if (bytes)
        CHECK(!load(bytes, size, SIZE_MAX, true, true).status,
              "a file with only a vocabulary loads with vocab_only");
    free(bytes);
}

static void cut(void)
{
    size_t size;
    uint8_t *bytes = read_file("valid/", "own-output.gguf", &size);
    if (!bytes) {
        SKIP("the golden files are found only from the project's root");
        return;
    }
    for (size_t i = 0; i < 500; i++) {
        const size_t end = size * i / 500;
        uint8_t *part = malloc(end + !end);
        memcpy(part, bytes, end);
        for (int known = 0; known < 2; known++) {
            const tg_error error = load(part, end, i % 2 ? 4096 : SIZE_MAX, known, false);
            /* with the length, a count that cannot be true fails where it is in the header */
            const bool early = known && (error.status == TG_GGUF_STRING_LIMIT ||
                                         error.status == TG_GGUF_COUNT_LIMIT);
            CHECK(early ? error.offset < (int64_t)end
                        : error.status == TG_GGUF_TRUNCATED && error.offset == (int64_t)end,
                  "cut at %zu of %zu, length %s: %s at %lld", end, size,
                  known ? "known" : "unknown", tg_status_name(error.status),
                  (long long)error.offset);
        }
        free(part);
    }
    free(bytes);
}

static const tg_test tests[] = {
    {"golden-must-fail", "every file of must-fail/ fails with its code, in any portions",
     must_fail},
    {"golden-valid", "every file of valid/ loads, in any portions", valid},
    {"golden-cut", "a file cut at 500 bytes fails as truncated", cut},
};
TEST_MAIN(tests)
