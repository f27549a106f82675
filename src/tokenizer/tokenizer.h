/* Text <-> token ids. In: the tokenizer.ggml.* keys of a GGUF header, which must outlive the tg_tokens (its strings point there).
 * Out: ids for UTF-8 text (any bytes: invalid UTF-8 goes through as bytes), and each token's exact bytes. The caller frees it. */
#ifndef TG_TOKENS_H
#define TG_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../gguf/gguf.h"
#include "../base/status.h"

typedef struct tg_tokens tg_tokens;

enum { TG_ADD_SPECIAL = 1, TG_PARSE_SPECIAL = 2 };

typedef enum tg_token_kind { /* tokenizer.ggml.token_type */
                             TG_TOKEN_NORMAL = 1,
                             TG_TOKEN_UNKNOWN = 2,
                             TG_TOKEN_CONTROL = 3,
                             TG_TOKEN_USER_DEFINED = 4,
                             TG_TOKEN_UNUSED = 5,
                             TG_TOKEN_BYTE = 6
} tg_token_kind;

tg_status tg_tokens_new(const tg_gguf *gguf, tg_tokens **out, tg_error *error);
void tg_tokens_free(tg_tokens *tokens);
size_t tg_tokens_memory(const tg_tokens *tokens); /* bytes allocated */

uint32_t tg_tokens_count(const tg_tokens *tokens); /* vocabulary size */
int32_t tg_tokens_bos(const tg_tokens *tokens);    /* -1 when there is none, likewise below */
int32_t tg_tokens_eos(const tg_tokens *tokens);
bool tg_tokens_add_bos(const tg_tokens *tokens);
bool tg_tokens_is_eog(const tg_tokens *tokens, int32_t id); /* ends a generation: EOS, EOT, EOM and their known spellings */
tg_token_kind tg_tokens_kind(const tg_tokens *tokens, int32_t id);

/* The bytes this token adds to a text (none for control tokens): a view, valid as long as tokens. id must be in range. */
tg_str tg_tokens_bytes(const tg_tokens *tokens, int32_t id);
/* The entry as the vocabulary spells it ("<s>", "▁the", "<0x0A>"), for display. */
tg_str tg_tokens_entry(const tg_tokens *tokens, int32_t id);

/* ids of text (length bytes). flags: TG_ADD_SPECIAL adds BOS/EOS by the model's rule; TG_PARSE_SPECIAL turns the spelling of
 * control tokens into their ids (else it is plain text). *n is the count needed, also when it exceeds capacity (then only the
 * first capacity ids are written; capacity 0 with ids NULL asks for the count). ends, unless NULL: where each token's part of the
 * text ends, in bytes; it begins where that of the token before ends, the first at 0 (so what is not in the text, BOS or a space
 * prefix alone, has a part of no bytes). Cost is near linear in length. */
tg_status tg_tokens_encode(const tg_tokens *tokens, const char *text, size_t length, unsigned flags, int32_t *ids, uint32_t *ends,
                           size_t capacity, size_t *n, tg_error *error);
/* The exact bytes of ids joined, less the one space that tokenizing put before a text (SentencePiece's space prefix) when ids
 * begin a text, and likewise after a user-defined token, where tokenizing put one, too. *n likewise. */
tg_status tg_tokens_decode(const tg_tokens *tokens, const int32_t *ids, size_t n_ids, char *text, size_t capacity, size_t *n,
                           tg_error *error);

#define TG_MAX_BREAKER 40 /* bytes */
/* The token sequences in which a text of 1 to TG_MAX_BREAKER bytes can begin, as the sampler's dry takes its breakers: for each
 * how many tokens, and they. Every token that has all of it in its bytes (or, when it has none, in its entry) is one by itself;
 * one that ends with the text's beginning is followed by the tokens of the rest, as that is cut alone. *n is the count needed,
 * likewise. */
tg_status tg_tokens_breakers(const tg_tokens *tokens, const char *text, size_t length, int32_t *ids, size_t capacity, size_t *n,
                             tg_error *error);

#endif
