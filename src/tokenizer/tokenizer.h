/* Text <-> token ids. In: the tokenizer.ggml.* keys of a GGUF header, which must outlive the
 * tg_tokenizer (its strings point there). Out: ids for UTF-8 text (any bytes: invalid UTF-8 goes
 * through as bytes), and each token's exact bytes. The caller frees it. */
#ifndef TG_TOKENIZER_H
#define TG_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../gguf/gguf.h"
#include "../base/status.h"
#include "../tokenglass.h"

typedef struct tg_tokenizer tg_tokenizer;

tg_status tgi_tokenizer_new(const tg_gguf *gguf, tg_tokenizer **out, tg_error *error);
void tgi_tokenizer_free(tg_tokenizer *tokens);
size_t tgi_tokenizer_memory(const tg_tokenizer *tokens); /* bytes allocated */

uint32_t tgi_tokenizer_count(const tg_tokenizer *tokens); /* vocabulary size */
int32_t tgi_tokenizer_bos(const tg_tokenizer *tokens); /* -1 when there is none, likewise below */
int32_t tgi_tokenizer_eos(const tg_tokenizer *tokens);
bool tgi_tokenizer_add_bos(const tg_tokenizer *tokens);
bool tgi_tokenizer_is_eog(
    const tg_tokenizer *tokens,
    int32_t id); /* ends a generation: EOS, EOT, EOM and their known spellings */
tg_token_type tgi_tokenizer_token_type(const tg_tokenizer *tokens, int32_t id);

/* The bytes this token adds to a text (none for control tokens): a view, valid as long as tokens.
 * id must be in range. */
tg_str tgi_tokenizer_bytes(const tg_tokenizer *tokens, int32_t id);
/* The entry as the vocabulary spells it ("<s>", "▁the", "<0x0A>"), for display. */
tg_str tgi_tokenizer_piece(const tg_tokenizer *tokens, int32_t id);

/* ids of text (length bytes). flags: TG_ADD_SPECIAL adds BOS/EOS by the model's rule;
 * TG_PARSE_SPECIAL turns the spelling of control tokens into their ids (else it is plain text). *n
 * is the count needed, also when it exceeds capacity (then only the first capacity ids are written;
 * capacity 0 with ids NULL asks for the count). ends, unless NULL: where each token's part of the
 * text ends, in bytes; it begins where that of the token before ends, the first at 0 (so what is
 * not in the text, BOS or a space prefix alone, has a part of no bytes). Cost is near linear in
 * length. */
tg_status tgi_tokenizer_encode(const tg_tokenizer *tokens, const char *text, size_t length,
                               unsigned flags, int32_t *ids, uint32_t *ends, size_t capacity,
                               size_t *n, tg_error *error);
/* The exact bytes of ids joined, less the one space that tokenizing put before a text
 * (SentencePiece's space prefix) when ids begin a text, and likewise after a user-defined token,
 * where tokenizing put one, too. *n likewise. */
tg_status tgi_tokenizer_decode(const tg_tokenizer *tokens, const int32_t *ids, size_t n_ids,
                               char *text, size_t capacity, size_t *n, tg_error *error);

#define TG_MAX_BREAKER 40 /* bytes */
/* The token sequences in which a text of 1 to TG_MAX_BREAKER bytes can begin, as the sampler's dry
 * takes its breakers: for each how many tokens, and they. Every token that has all of it in its
 * bytes (or, when it has none, in its entry) is one by itself; one that ends with the text's
 * beginning is followed by the tokens of the rest, as that is cut alone. *n is the count needed,
 * likewise. */
tg_status tgi_tokenizer_sequence_breakers(const tg_tokenizer *tokens, const char *text,
                                          size_t length, int32_t *ids, size_t capacity, size_t *n,
                                          tg_error *error);

#endif
