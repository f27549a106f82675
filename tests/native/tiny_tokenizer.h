/* A tokenizer from the bytes of a GGUF file, for the native tests. */
#ifndef TG_TINY_TOKENIZER_H
#define TG_TINY_TOKENIZER_H

#include "../../src/tokenizer/tokenizer.h"
#include "test.h"
#include "tiny_gguf.h"

typedef struct vocabulary {
    tg_gguf *gguf;
    tg_tokenizer *tokens; /* NULL if the status says why there is none */
    tg_status status;
    tg_error error;
} vocabulary;

/* Frees the file's bytes. The caller drops the vocabulary. */
static vocabulary tiny_tokenizer(tiny_bytes file)
{
    vocabulary v = {.gguf = tgi_gguf_new(0)};
    size_t used;
    CHECK(!tgi_gguf_feed(v.gguf, file.data, file.size, &used, &v.error) && tgi_gguf_done(v.gguf),
          "%s", v.error.message);
    v.status = tgi_tokenizer_new(v.gguf, &v.tokens, &v.error);
    free(file.data);
    return v;
}

static void drop(vocabulary v)
{
    tgi_tokenizer_free(v.tokens);
    tgi_gguf_free(v.gguf);
}

#endif
