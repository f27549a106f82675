/* Which tokens can come next: a bit for each token of the vocabulary. The mask of a state is found
 * by one walk over the tree of the vocabulary, and kept for the next text that comes to the state.
 */
#ifndef TG_MASKS_H
#define TG_MASKS_H

#include "automaton.h"
#include "trie.h"

/* A vocabulary as grammars see it. */
typedef struct tg_grammar_vocabulary {
    uint32_t n_vocab;
    tg_trie *trie;
    int32_t *ends; /* [n_ends] tokens that end a text */
    uint32_t n_ends;
    /* Some tokenizers put a space before a text, which is no part of the text. So the first token
     * of a text loses its leading space, except one of these: [n_unstripped], sorted. */
    bool strips;
    int32_t *unstripped;
    uint32_t n_unstripped;
} tg_grammar_vocabulary;

typedef struct tg_masks tg_masks;

/* NULL: out of memory. automaton and vocabulary stay the caller's. */
tg_masks *tgi_masks_new(tg_automaton *automaton, const tg_grammar_vocabulary *vocabulary);
void tgi_masks_free(tg_masks *masks);

/* Bytes allocated. */
size_t tgi_masks_memory(const tg_masks *masks);

/* *bits: [(n_vocab + 31) / 32], the tokens that can follow in a state of the automaton, valid until
 * the next call for the masks. at_start: the text begins here, so the space before it does not
 * count. ended: nothing can follow. TG_GRAMMAR_INVALID: a limit of the automaton; TG_OUT_OF_MEMORY.
 */
tg_status tgi_masks_of(tg_masks *masks, const tg_root *root, bool at_start, bool ended,
                       const uint32_t **bits, tg_error *error);

/* Whether a token keeps its leading space at the start of a text. */
bool tgi_keeps_space(const tg_grammar_vocabulary *vocabulary, int32_t token);

#endif
