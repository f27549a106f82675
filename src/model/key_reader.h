/* Reads the keys of a file that begin with its architecture's name. The first error stays, and
 * later reads do nothing, so that a caller can read many keys and check the status once. */
#ifndef TG_KEY_READER_H
#define TG_KEY_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/status.h"
#include "../gguf/gguf.h"

typedef struct tg_key_reader {
    const tg_gguf *gguf;
    tg_error *error;
    tg_status status;
} tg_key_reader;

#define TG_KEY 96 /* bytes for the name of a key with its architecture */
/* Writes "<architecture>.<key>". */
void tgi_arch_key(const tg_gguf *gguf, const char *key, char out[TG_KEY]);

/* The functions below return whether the file has the key. Without it *out stays as it is, or, when
 * the key is required, TG_MODEL_KEY_MISSING. A value outside min .. max is TG_MODEL_KEY_BAD. A list
 * of equal values, one for each layer, counts as this value; a list of different values is
 * TG_MODEL_OPTION_UNSUPPORTED. */
bool tgi_key_u32(tg_key_reader *r, const char *key, uint32_t min, uint32_t max, bool required,
                 uint32_t *out);
bool tgi_key_f32(tg_key_reader *r, const char *key, bool required, float *out);
bool tgi_key_f32_between(tg_key_reader *r, const char *key, bool required, float min, float max,
                         float *out);
bool tgi_key_bool(tg_key_reader *r, const char *key, bool *out);

/* For a key that this architecture does not have: a value other than `neutral` and 0 is
 * TG_MODEL_OPTION_UNSUPPORTED. what: the reason, for the message. */
void tgi_key_neutral(tg_key_reader *r, const char *key, float neutral, const char *what);

/* The length of a list that has one value for each layer; 0: it has another length, which is
 * TG_MODEL_KEY_BAD, or there was an error before. */
uint32_t tgi_key_list_length(tg_key_reader *r, const tg_gguf_kv *list);

/* Records TG_MODEL_KEY_BAD with the key's value and a reason, which may be "". */
void tgi_key_bad(tg_key_reader *r, const char *key, double value, const char *why);
/* Records TG_MODEL_OPTION_UNSUPPORTED with the key's value and a reason. */
void tgi_key_unsupported(tg_key_reader *r, const char *key, double value, const char *what);

#endif
