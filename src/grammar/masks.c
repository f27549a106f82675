/* Masks of states. The number of masks that are kept is bounded: a new one takes the place of the
 * least recently used one. */
#include "masks.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES ((size_t)4 << 20)
#define MIN_SLOTS   8u
#define MAX_SLOTS   1024u

typedef struct tg_mask_slot {
    uint32_t *bits; /* [n_words]; NULL: not used yet */
    uint32_t state;
    uint64_t used; /* when it was last used; 0: free */
} tg_mask_slot;

struct tg_masks {
    tg_automaton *automaton;
    const tg_grammar_vocabulary *vocabulary;
    uint32_t n_words, n_slots;
    tg_mask_slot *slots;
    uint32_t *own_bits;  /* [n_words] a mask that is not kept; NULL: not used yet */
    uint32_t *path;      /* [max_depth + 2] the states along the walk */
    uint32_t generation; /* of the automaton when the slots were filled */
    uint64_t clock;
};

tg_masks *tgi_masks_new(tg_automaton *automaton, const tg_grammar_vocabulary *vocabulary)
{
    tg_masks *masks = calloc(1, sizeof *masks);
    if (!masks)
        return NULL;
    const uint32_t n_words = (vocabulary->n_vocab + 31) / 32;
    const size_t slots = CACHE_BYTES / (n_words * sizeof(uint32_t) + 1);
    *masks = (tg_masks){.automaton = automaton,
                        .vocabulary = vocabulary,
                        .n_words = n_words,
                        .n_slots = slots < MIN_SLOTS   ? MIN_SLOTS
                                   : slots > MAX_SLOTS ? MAX_SLOTS
                                                       : (uint32_t)slots,
                        .generation = automaton->generation};
    masks->slots = calloc(masks->n_slots, sizeof *masks->slots);
    masks->path = malloc(((size_t)vocabulary->trie->max_depth + 2) * sizeof *masks->path);
    if (masks->slots && masks->path)
        return masks;
    tgi_masks_free(masks);
    return NULL;
}

void tgi_masks_free(tg_masks *masks)
{
    if (!masks)
        return;
    for (uint32_t i = 0; masks->slots && i < masks->n_slots; i++)
        free(masks->slots[i].bits);
    free(masks->slots);
    free(masks->own_bits);
    free(masks->path);
    free(masks);
}

size_t tgi_masks_memory(const tg_masks *masks)
{
    size_t n = masks->own_bits != NULL;
    for (uint32_t i = 0; i < masks->n_slots; i++)
        n += masks->slots[i].bits != NULL;
    return sizeof *masks + masks->n_slots * sizeof *masks->slots +
           n * masks->n_words * sizeof(uint32_t) +
           ((size_t)masks->vocabulary->trie->max_depth + 2) * sizeof *masks->path;
}

static void set_bit(uint32_t *bits, int32_t token, bool on)
{
    const uint32_t bit = 1u << (uint32_t)token % 32;
    if (on)
        bits[token / 32] |= bit;
    else
        bits[token / 32] &= ~bit;
}

/* Sets the bits of the tokens of nodes[from..to). path[0]: the state before bytes of depth `base`.
 */
static tg_status walk(tg_masks *masks, uint32_t from, uint32_t to, uint32_t base, uint32_t *bits,
                      tg_error *error)
{
    tg_automaton *a = masks->automaton;
    const tg_trie *trie = masks->vocabulary->trie;
    uint32_t *path = masks->path;
    for (uint32_t node = from; node < to;) {
        const uint32_t depth = (trie->depth_byte[node] >> 8) - base;
        const uint8_t byte = (uint8_t)trie->depth_byte[node];
        uint32_t next = tgi_automaton_known(a, path[depth], byte);
        if (next == TG_UNKNOWN) {
            const tg_status status = tgi_automaton_step(a, path, depth + 1, byte, &next, error);
            if (status)
                return status;
        }
        if (next == TG_STATE_DEAD) {
            node = trie->skip[node];
            continue;
        }
        path[depth + 1] = next;
        for (uint32_t i = trie->first[node]; i < trie->first[node + 1]; i++)
            set_bit(bits, trie->tokens[i], true);
        node++;
    }
    return TG_OK;
}

/* Forgets the masks if the automaton has given its states new ids. */
static void follow_generation(tg_masks *masks)
{
    if (masks->generation == masks->automaton->generation)
        return;
    masks->generation = masks->automaton->generation;
    for (uint32_t i = 0; i < masks->n_slots; i++)
        masks->slots[i].used = 0;
}

/* The slot to fill next. NULL: out of memory. */
static tg_mask_slot *take_slot(tg_masks *masks)
{
    tg_mask_slot *slot = &masks->slots[0];
    for (uint32_t i = 0; i < masks->n_slots && slot->used; i++)
        if (masks->slots[i].used < slot->used)
            slot = &masks->slots[i];
    if (!slot->bits)
        slot->bits = malloc(masks->n_words * sizeof *slot->bits + 1);
    if (slot->used)
        masks->automaton->states[slot->state].mask = 0;
    slot->used = 0;
    return slot->bits ? slot : NULL;
}

static tg_status usual_mask(tg_masks *masks, const tg_root *root, const uint32_t **bits,
                            tg_error *error)
{
    tg_automaton *a = masks->automaton;
    const tg_grammar_vocabulary *vocabulary = masks->vocabulary;
    follow_generation(masks);
    const uint32_t known = a->states[root->state].mask;
    if (known) {
        masks->slots[known - 1].used = ++masks->clock;
        *bits = masks->slots[known - 1].bits;
        return TG_OK;
    }
    tg_mask_slot *slot = take_slot(masks);
    if (!slot)
        return tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar's mask");
    memset(slot->bits, 0, masks->n_words * sizeof *slot->bits);
    masks->path[0] = root->state;
    const tg_status status = walk(masks, 0, vocabulary->trie->n_nodes, 0, slot->bits, error);
    follow_generation(masks); /* the walk may have dropped states */
    if (status)
        return status;
    if (tgi_automaton_accepting(a, root->state))
        for (uint32_t i = 0; i < vocabulary->n_ends; i++)
            set_bit(slot->bits, vocabulary->ends[i], true);
    slot->state = root->state;
    slot->used = ++masks->clock;
    a->states[root->state].mask = (uint32_t)(slot - masks->slots) + 1;
    *bits = slot->bits;
    return TG_OK;
}

bool tgi_keeps_space(const tg_grammar_vocabulary *vocabulary, int32_t token)
{
    uint32_t first = 0, end = vocabulary->n_unstripped;
    while (first < end) {
        const uint32_t middle = (first + end) / 2;
        if (vocabulary->unstripped[middle] < token)
            first = middle + 1;
        else
            end = middle;
    }
    return first < vocabulary->n_unstripped && vocabulary->unstripped[first] == token;
}

/* The memory of masks that are not kept; NULL: out of memory. */
static uint32_t *own_bits(tg_masks *masks, tg_error *error)
{
    if (!masks->own_bits)
        masks->own_bits = malloc(masks->n_words * sizeof *masks->own_bits + 1);
    if (!masks->own_bits)
        tgi_fail(error, TG_OUT_OF_MEMORY, TG_NO_OFFSET, "no memory for a grammar's mask");
    return masks->own_bits;
}

/* The mask of a text's start: tokens with a leading space count without it. */
static tg_status start_mask(tg_masks *masks, const tg_root *root, const uint32_t **bits,
                            tg_error *error)
{
    const tg_grammar_vocabulary *vocabulary = masks->vocabulary;
    const tg_trie *trie = vocabulary->trie;
    const uint32_t *usual;
    const tg_status status = usual_mask(masks, root, &usual, error);
    if (status)
        return status;
    uint32_t *out = own_bits(masks, error);
    if (!out)
        return TG_OUT_OF_MEMORY;
    memcpy(out, usual, masks->n_words * sizeof *out);
    const uint32_t from = trie->roots[' '], to = trie->roots[' ' + 1];
    if (from == to) {
        *bits = out;
        return TG_OK;
    }
    /* a space alone leaves the text empty, which is good if something can follow */
    const bool empty = tgi_automaton_can_go_on(masks->automaton, root->state);
    for (uint32_t i = trie->first[from]; i < trie->first[to]; i++)
        set_bit(out, trie->tokens[i], empty && i < trie->first[from + 1]);
    masks->path[0] = root->state;
    const tg_status walked = walk(masks, from + 1, to, 1, out, error);
    for (uint32_t i = 0; i < vocabulary->n_unstripped; i++) {
        const int32_t token = vocabulary->unstripped[i];
        set_bit(out, token, usual[token / 32] >> token % 32 & 1);
    }
    *bits = out;
    return walked;
}

tg_status tgi_masks_of(tg_masks *masks, const tg_root *root, bool at_start, bool ended,
                       const uint32_t **bits, tg_error *error)
{
    tgi_automaton_begin(masks->automaton);
    if (!ended)
        return at_start && masks->vocabulary->strips ? start_mask(masks, root, bits, error)
                                                     : usual_mask(masks, root, bits, error);
    *bits = own_bits(masks, error);
    if (!*bits)
        return TG_OUT_OF_MEMORY;
    memset(masks->own_bits, 0, masks->n_words * sizeof *masks->own_bits);
    return TG_OK;
}
