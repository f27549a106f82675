/* The GGUF parser: every value type, portions of any size, mutated and truncated headers, bounded
 * memory; and SHA-256. */
#include "../../src/gguf/gguf.h"
#include "../../src/base/sha256.h"
#include "random.h"
#include "test.h"
#include "tiny_gguf.h"

/* A header with one key of each type, and two tensors. */
static uint8_t *header(size_t *size)
{
    tiny_bytes b = {0};
    const uint8_t scalars[8] = {0xfe, 0xff, 0xff, 0xff,
                                0xff, 0xff, 0xff, 0xff}; /* -2 of every width */
    static const uint32_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    tiny_head(&b, 2, 11 + 2 + 3);
    for (uint32_t type = 0; type < 13; type++) {
        char key[8];
        if (!widths[type])
            continue;
        snprintf(key, sizeof key, "k%u", (unsigned)type);
        tiny_string(&b, key);
        tiny_u32(&b, type);
        const float f = -2;
        const double d = -2;
        const uint8_t truth = 1;
        tiny_put(&b,
                 type == 6    ? (const void *)&f
                 : type == 12 ? (const void *)&d
                 : type == 7  ? &truth
                              : scalars,
                 widths[type]);
    }
    tiny_u64(&b, 6), tiny_put(&b, "text\0x", 6); /* not the same key as text */
    tiny_u32(&b, 4), tiny_u32(&b, 5);
    tiny_key_string(&b, "text", "glass");
    tiny_string(&b, "strings");
    tiny_u32(&b, 9), tiny_u32(&b, 8), tiny_u64(&b, 3);
    tiny_string(&b, "a"), tiny_string(&b, ""), tiny_string(&b, "ccc");
    tiny_string(&b, "numbers");
    tiny_u32(&b, 9), tiny_u32(&b, 3), tiny_u64(&b, 2);
    tiny_put(&b, "\x01\x00\xff\xff", 4);
    tiny_string(&b, "nothing");
    tiny_u32(&b, 9), tiny_u32(&b, 8), tiny_u64(&b, 0);
    for (uint32_t i = 0; i < 2; i++) { /* the second tensor comes first in the data */
        tiny_string(&b, i ? "early" : "late");
        tiny_u32(&b, 1), tiny_u64(&b, 8), tiny_u32(&b, 0), tiny_u64(&b, i ? 0 : 32);
    }
    while (b.size % 32)
        tiny_put(&b, "", 1);
    *size = b.size;
    return b.data;
}

/* Every value as text, in the file's order, and in too little room. */
static void check_text(const tg_gguf *g)
{
    static const char *const texts[] = {"254",   "-2",           "65534",
                                        "-2",    "4294967294",   "-2",
                                        "-2",    "true",         "18446744073709551614",
                                        "-2",    "-2",           "5",
                                        "glass", "[3] a, , ccc", "[2] 1, -1",
                                        "[0]"};
    const uint32_t n = sizeof texts / sizeof texts[0];
    for (uint32_t i = 0; i < n; i++) {
        char text[64], cut[5];
        tgi_gguf_print(tgi_gguf_kv_at(g, i), text, sizeof text);
        CHECK(!strcmp(text, texts[i]), "a value as text");
        tgi_gguf_print(tgi_gguf_kv_at(g, i), cut, sizeof cut);
        CHECK(!strncmp(cut, texts[i], 4) && strlen(cut) <= 4, "a value as text, cut");
    }
    CHECK(!tgi_gguf_kv_at(g, n), "no key past the last");
}

static void check_values(const tg_gguf *g)
{
    const tg_gguf_kv *kv = tgi_gguf_find(g, "k0");
    CHECK(kv && kv->type == TG_GGUF_U8 && kv->value.u == 0xfe, "u8");
    CHECK((kv = tgi_gguf_find(g, "k1")) && kv->value.i == -2, "i8");
    CHECK((kv = tgi_gguf_find(g, "k2")) && kv->value.u == 0xfffe, "u16");
    CHECK((kv = tgi_gguf_find(g, "k3")) && kv->value.i == -2, "i16");
    CHECK((kv = tgi_gguf_find(g, "k4")) && kv->value.u == 0xfffffffe, "u32");
    CHECK((kv = tgi_gguf_find(g, "k5")) && kv->value.i == -2, "i32");
    CHECK((kv = tgi_gguf_find(g, "k6")) && kv->value.f == -2, "f32");
    CHECK((kv = tgi_gguf_find(g, "k7")) && kv->value.u == 1, "bool");
    CHECK((kv = tgi_gguf_find(g, "k10")) && kv->value.u == 0xfffffffffffffffe, "u64");
    CHECK((kv = tgi_gguf_find(g, "k11")) && kv->value.i == -2, "i64");
    CHECK((kv = tgi_gguf_find(g, "k12")) && kv->value.f == -2, "f64");
    CHECK((kv = tgi_gguf_find(g, "text")) && kv->value.string.length == 5 &&
              !strcmp(kv->value.string.data, "glass"),
          "string");
    CHECK(!tgi_gguf_find(g, "tex") && !tgi_gguf_find(g, "texts"), "no key by part of its name");

    check_text(g);

    tg_gguf_array a;
    bool found;
    uint32_t u = 7;
    float f;
    CHECK(!tgi_gguf_get_array(g, "strings", TG_GGUF_STRING, &a, NULL, NULL) && a.count == 3,
          "array of strings");
    const tg_str *strings = a.data;
    CHECK(!strcmp(strings[0].data, "a") && strings[1].length == 0 &&
              !strcmp(strings[2].data, "ccc"),
          "its elements");
    CHECK(!tgi_gguf_get_array(g, "numbers", TG_GGUF_I16, &a, NULL, NULL) &&
              ((const int16_t *)a.data)[1] == -1,
          "array of numbers");
    CHECK(!tgi_gguf_get_array(g, "nothing", TG_GGUF_STRING, &a, NULL, NULL) && a.count == 0,
          "empty array");
    CHECK(tgi_gguf_get_array(g, "numbers", TG_GGUF_I32, &a, NULL, NULL) == TG_MODEL_KEY_BAD,
          "of another type");
    CHECK(!tgi_gguf_get_u32(g, "absent", 0, 9, &u, &found, NULL) && !found && u == 7,
          "absent keys keep the default");
    CHECK(tgi_gguf_get_u32(g, "absent", 0, 9, &u, NULL, NULL) == TG_MODEL_KEY_MISSING,
          "unless they are needed");
    CHECK(tgi_gguf_get_u32(g, "k1", 0, UINT32_MAX, &u, NULL, NULL) == TG_MODEL_KEY_BAD,
          "a negative number");
    CHECK(tgi_gguf_get_u32(g, "k0", 0, 9, &u, NULL, NULL) == TG_MODEL_KEY_BAD,
          "a number too large");
    CHECK(!tgi_gguf_get_u32(g, "k0", 0, 254, &u, NULL, NULL) && u == 254, "a number in range");
    CHECK(!tgi_gguf_get_f32(g, "k12", &f, NULL, NULL) && f == -2 &&
              tgi_gguf_get_f32(g, "text", &f, NULL, NULL) == TG_MODEL_KEY_BAD,
          "floats");
    CHECK(!tgi_gguf_get_f32(g, "k1", &f, NULL, NULL) && f == -2 &&
              !tgi_gguf_get_f32(g, "k0", &f, NULL, NULL) && f == 254,
          "integers as floats");
    bool b = false;
    CHECK(!tgi_gguf_get_bool(g, "k7", &b, NULL, NULL) && b &&
              tgi_gguf_get_bool(g, "k0", &b, NULL, NULL) == TG_MODEL_KEY_BAD,
          "booleans");
    const tg_gguf_kv last = tgi_gguf_element(tgi_gguf_find(g, "numbers"), 1);
    CHECK(last.type == TG_GGUF_I16 && last.value.i == -1 && !strcmp(last.key.data, "numbers") &&
              tgi_gguf_value_u32(&last, 0, 9, &u, NULL) == TG_MODEL_KEY_BAD,
          "an element of an array");
    CHECK(!strcmp(tgi_gguf_element(tgi_gguf_find(g, "strings"), 2).value.string.data, "ccc"),
          "an element that is a string");

    CHECK(tgi_gguf_n_tensors(g) == 2 && !strcmp(tgi_gguf_tensor_at(g, 0)->name.data, "early"),
          "tensors by their offset in the file");
    CHECK(tgi_gguf_find_tensor(g, "late") == tgi_gguf_tensor_at(g, 1) &&
              !tgi_gguf_find_tensor(g, "lat"),
          "tensors by name");
    CHECK(tgi_gguf_tensor_at(g, 1)->offset == tgi_gguf_data_offset(g) + 32 &&
              tgi_gguf_tensor_at(g, 1)->size == 32,
          "offsets count from the file's start");
}

static void portions(void)
{
    size_t size;
    uint8_t *bytes = header(&size), digest[2][32];
    test_random r = {1};
    for (int round = 0; round < 200; round++) {
        tg_gguf *g = tgi_gguf_new(round % 2 ? size + 64 : 0);
        tg_error error = {0};
        tg_status status = TG_OK;
        for (size_t at = 0, used; at < size && !status; at += used) {
            const size_t n = round == 0 ? size : 1 + random_u32(&r) % (round == 1 ? 1 : 40);
            /* exact sizes, so that a sanitizer detects a read past the end */
            const size_t give = n < size - at ? n : size - at;
            uint8_t *part = malloc(give);
            memcpy(part, bytes + at, give);
            status = tgi_gguf_feed(g, part, give, &used, &error);
            CHECK(used == give || tgi_gguf_done(g), "%zu of %zu bytes were taken", used, give);
            free(part);
        }
        CHECK(!status && tgi_gguf_done(g) && !tgi_gguf_end(g, &error), "%s", error.message);
        if (!status)
            check_values(g);
        tgi_gguf_fingerprint(g, size + 64, digest[round > 0]);
        CHECK(!memcmp(digest[0], digest[round > 0], 32),
              "the fingerprint does not depend on the portions");
        tgi_gguf_free(g);
    }
    free(bytes);
}

/* Feeds bytes and checks that the parser succeeds or gives an error with a message and an offset,
 * within the memory bound. */
static void survive(const uint8_t *bytes, size_t size, uint64_t file_size, size_t portion)
{
    tg_gguf *g = tgi_gguf_new(file_size);
    tg_error error = {0};
    tg_status status = TG_OK;
    size_t at = 0, used = 1;
    for (; at < size && !status && used; at += used) {
        status =
            tgi_gguf_feed(g, bytes + at, portion < size - at ? portion : size - at, &used, &error);
        CHECK(tgi_gguf_memory(g) <= TG_GGUF_MAX_MEMORY(at + used),
              "%zu bytes of memory after %zu fed", tgi_gguf_memory(g), at + used);
    }
    if (status) {
        CHECK(error.status == status && error.message[0] && error.offset >= 0,
              "%s without a message or an offset", tg_status_name(status));
        CHECK(tgi_gguf_feed(g, bytes, 1, &used, NULL) == status && !tgi_gguf_done(g),
              "a failure stays");
    } else if (!tgi_gguf_done(g)) {
        CHECK(tgi_gguf_end(g, &error) == TG_GGUF_TRUNCATED && error.offset == (int64_t)size,
              "an unfinished header is truncated at its end");
    }
    tgi_gguf_free(g);
}

static void mutations(void)
{
    size_t size;
    uint8_t *bytes = header(&size), *copy = malloc(size);
    test_random r = {2};
    for (size_t cut = 0; cut <= size; cut++)
        survive(bytes, cut, cut % 2 ? cut : 0, 7);
    for (int round = 0; round < 30000; round++) {
        memcpy(copy, bytes, size);
        for (uint32_t n = 1 + random_u32(&r) % 4; n; n--) {
            static const uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, 8, 9, 13};
            const uint32_t at = random_u32(&r) % (uint32_t)size;
            copy[at] = random_u32(&r) % 2 ? interesting[random_u32(&r) % sizeof interesting]
                                          : (uint8_t)random_u32(&r);
        }
        survive(copy, size, round % 3 ? size + 64 : 0, 1 + random_u32(&r) % 64);
    }
    free(copy);
    free(bytes);
}

static void many_entries(void)
{
    /* tens of thousands of keys and tensors: no quadratic work (this would take minutes) */
    tiny_bytes b = {0};
    const uint32_t n = 60000;
    char name[32];
    tiny_head(&b, n, n);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "key.%u", (unsigned)(i * 7919 % n));
        tiny_key_u32(&b, name, i);
    }
    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "tensor.%u", (unsigned)i);
        tiny_string(&b, name);
        tiny_u32(&b, 1), tiny_u64(&b, 8), tiny_u32(&b, 0), tiny_u64(&b, (uint64_t)(n - 1 - i) * 32);
    }
    while (b.size % 32)
        tiny_put(&b, "", 1);
    tg_gguf *g = tgi_gguf_new(0);
    tg_error error = {0};
    size_t used;
    uint32_t value = 0;
    CHECK(!tgi_gguf_feed(g, b.data, b.size, &used, &error) && tgi_gguf_done(g), "%s",
          error.message);
    CHECK(!tgi_gguf_get_u32(g, "key.7919", 0, n, &value, NULL, NULL) && value == 1,
          "found among many");
    CHECK(!strcmp(tgi_gguf_tensor_at(g, 0)->name.data, "tensor.59999"), "sorted by offset");
    tgi_gguf_free(g);
    free(b.data);
}

static void sha256(void)
{
    /* FIPS 180-4's examples */
    static const struct {
        const char *text;
        size_t repeat;
        const char *digest;
    } examples[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        tg_sha256 sha;
        uint8_t digest[32];
        char hex[65];
        tgi_sha256_init(&sha);
        for (size_t k = 0; k < examples[i].repeat; k++)
            tgi_sha256_update(&sha, examples[i].text, strlen(examples[i].text));
        tgi_sha256_final(&sha, digest);
        for (int k = 0; k < 32; k++)
            snprintf(hex + 2 * k, 3, "%02x", digest[k]);
        CHECK(!strcmp(hex, examples[i].digest), "\"%.8s\" x %zu gives %s", examples[i].text,
              examples[i].repeat, hex);
    }
}

static const tg_test tests[] = {
    {"gguf-portions", "every value type, fed in portions of any size", portions},
    {"gguf-mutations",
     "truncated and mutated headers load or give a message and an offset, within memory bounds",
     mutations},
    {"gguf-many", "60,000 keys and tensors", many_entries},
    {"gguf-sha256", "the published examples", sha256},
};
TEST_MAIN(tests)
