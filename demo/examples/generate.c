/* Generates text from a GGUF model with the C engine alone, and prints for each token how probable
 * the token was and how many candidates the sampler left.
 *
 *     cc -std=c17 -O2 -o generate demo/examples/generate.c $(find src -name '*.c') -lm
 *     ./generate demo/model/storybook-q8_0.gguf "Once upon a time" 40 */
#include "../../src/tokenglass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536 /* bytes of the file that are fed at once */

/* Every call that can fail returns a tg_status. The model keeps the message of the last failure. */
static void check(tg_status status, const tg_model *model)
{
    if (status == TG_OK)
        return;
    fprintf(stderr, "%s: %s\n", tg_status_name(status), tg_model_error(model)->message);
    exit(1);
}

/* Feeds the file to the model. The engine stops once, when the header is complete: then the memory
 * plan is known, and the memory is allocated. */
static void load(tg_model *model, FILE *file)
{
    uint8_t bytes[CHUNK];
    size_t n, consumed;
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        for (size_t start = 0; start < n; start += consumed) {
            check(tg_model_feed(model, bytes + start, n - start, &consumed), model);
            if (tg_model_get_state(model) == TG_MODEL_PLANNED)
                check(tg_model_allocate(model), model);
        }
    check(tg_model_finish(model), model);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    tg_model *model = tg_model_new(
        &(tg_model_options){.cache_type_k = TG_CACHE_AUTO, .cache_type_v = TG_CACHE_AUTO});
    if (!file || !model) {
        fprintf(stderr, "usage: generate MODEL.gguf PROMPT MAX_TOKENS\n");
        return 2;
    }
    load(model, file);
    fclose(file);

    int32_t prompt[256];
    size_t n_prompt;
    check(tg_model_tokenize(model, argv[2], strlen(argv[2]), TG_ADD_SPECIAL, prompt, NULL, 256,
                            &n_prompt),
          model);
    tg_session *session;
    check(tg_session_new(model, &session), model);
    check(tg_session_sync(session, prompt, n_prompt < 256 ? n_prompt : 256), model);

    tg_sample_request request;
    tg_sample_defaults(&request);
    request.options[TG_OPTION_temperature] = 0.7;
    request.seed = 5;
    for (int i = 0; i < atoi(argv[3]); i++) {
        const tg_trace *trace;
        const char *bytes;
        size_t length;
        uint32_t type;
        bool ends; /* the token is one that ends a text */
        while (tg_session_pending(session))
            check(tg_session_eval(session, SIZE_MAX, 0), model);
        check(tg_session_sample(session, &request, &trace), model);
        check(tg_model_token_bytes(model, trace->token, &bytes, &length), model);
        printf("%5.1f %%  %3u kept  \"%.*s\"\n", 100 * trace->p_final,
               trace->stages[trace->n_stages - 1].kept, (int)length, bytes);
        check(tg_model_token_flags(model, trace->token, &type, &ends), model);
        check(tg_session_accept(session, trace), model);
        if (ends)
            break;
    }
    tg_session_free(session);
    tg_model_free(model);
    return 0;
}
