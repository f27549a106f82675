/* Text to token ids and back. A tg_tokenizer is made from the tokenizer.ggml.* keys of a GGUF
 * header, which must outlive it, because its strings point into the header. Text is UTF-8; bytes
 * that are not UTF-8 pass through as bytes. The caller frees the tg_tokenizer. */
#ifndef TG_TOKENIZER_H
#define TG_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/status.h"
#include "../gguf/gguf.h"
#include "../tokenglass.h"

typedef struct tg_tokenizer tg_tokenizer;

tg_status tgi_tokenizer_new(const tg_gguf *gguf, tg_tokenizer **out, tg_error *error);
void tgi_tokenizer_free(tg_tokenizer *tokenizer);

/* Bytes allocated. */
size_t tgi_tokenizer_memory(const tg_tokenizer *tokenizer);

/* Faults of the file that do not keep the vocabulary from being used, one text each; NULL past the
 * last. Valid as long as the tokenizer. */
const char *tgi_tokenizer_warning(const tg_tokenizer *tokenizer, uint32_t index);

/* Tokens in the vocabulary. */
uint32_t tgi_tokenizer_count(const tg_tokenizer *tokenizer);

/* The ids of BOS and EOS; -1 if the vocabulary has none. */
int32_t tgi_tokenizer_bos(const tg_tokenizer *tokenizer);
int32_t tgi_tokenizer_eos(const tg_tokenizer *tokenizer);

/* Whether the token ends a generation: EOS, EOT, EOM, and tokens that known models use as such. */
bool tgi_tokenizer_is_eog(const tg_tokenizer *tokenizer, int32_t id);

tg_token_type tgi_tokenizer_token_type(const tg_tokenizer *tokenizer, int32_t id);

/* The bytes that this token adds to a text (none for control tokens); valid as long as the
 * tokenizer. id must be in range. */
tg_str tgi_tokenizer_bytes(const tg_tokenizer *tokenizer, int32_t id);

/* The token as the vocabulary writes it ("<s>", "▁the", "<0x0A>"), for display. id must be in
 * range. */
tg_str tgi_tokenizer_piece(const tg_tokenizer *tokenizer, int32_t id);

/* Writes the ids of a text of `length` bytes. flags: TG_ADD_SPECIAL adds BOS and EOS as the model's
 * file says; TG_PARSE_SPECIAL turns the names of control tokens in the text into their ids (else
 * they are plain text). Writes at most `capacity` ids; *n is the number of ids of the whole text
 * (capacity 0 with ids NULL only counts). ends, unless NULL: for each id, the byte of the text at
 * which its part ends. A part begins where the one before ends, the first at 0, so that a token
 * that is not in the text (BOS, a lone space prefix) has an empty part. The cost is nearly linear
 * in length. */
tg_status tgi_tokenizer_encode(const tg_tokenizer *tokenizer, const char *text, size_t length,
                               unsigned flags, int32_t *ids, uint32_t *ends, size_t capacity,
                               size_t *n, tg_error *error);

/* Writes the exact bytes of the ids, joined. The space that encoding adds before a text
 * (SentencePiece's space prefix) is left out at the beginning and after a user-defined token, where
 * encoding adds one, too. Writes at most `capacity` bytes; *n is the number of all bytes. */
tg_status tgi_tokenizer_decode(const tg_tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                               char *text, size_t capacity, size_t *n, tg_error *error);

#define TG_MAX_BREAKER 40 /* bytes */

/* Lists every token sequence that contains `text` (1 to TG_MAX_BREAKER bytes), for DRY's sequence
 * breakers. Format: length, then that many ids, repeated. A token whose bytes (its piece, if it has
 * no bytes) contain the whole text is a sequence of one. A token that ends with the beginning of
 * the text is followed by the tokens of the rest, encoded on its own. Writes at most `capacity`
 * numbers to ids; *n is the number of all. */
tg_status tgi_tokenizer_sequence_breakers(const tg_tokenizer *tokenizer, const char *text,
                                          size_t length, int32_t *ids, size_t capacity, size_t *n,
                                          tg_error *error);

#endif
