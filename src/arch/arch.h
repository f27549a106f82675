/* What an architecture is: how to read its hyper-parameters, which tensors it has, and one layer written in the steps of
 * forward.h. In: the file's keys. Out: hyper-parameters and declared tensors, in structs that the model owns. */
#ifndef TG_ARCH_H
#define TG_ARCH_H

#include "../forward.h"
#include "../gguf.h"
#include "../status.h"
#include "../weights.h"

typedef struct tg_arch_weights {
    tg_matrix token_embd;  /* (n_vocab, n_embd) */
    tg_vector output_norm; /* (n_embd) */
    tg_matrix output;      /* (n_vocab, n_embd); unused when tied */
    bool tied;             /* the output matrix is the embedding */
    tg_layer *layers;      /* [n_layer] */
} tg_arch_weights;

typedef struct tg_arch {
    const char *name;
    /* Fills hparams from keys that begin with "<name>."; n_vocab is set already. */
    tg_status (*read_hparams)(const tg_gguf *gguf, tg_hparams *hparams, tg_error *error);
    /* Declares every tensor; weights->layers has hparams->n_layer entries. */
    tg_status (*want_tensors)(tg_weights *list, const tg_gguf *gguf, const tg_hparams *hparams, tg_arch_weights *weights,
                              tg_error *error);
    /* x += attention, x += feed-forward, for the batch the forward pass has begun. */
    void (*layer)(tg_forward *forward, const tg_layer *layer, uint32_t index);
} tg_arch;

/* By general.architecture; TG_MODEL_ARCH_UNSUPPORTED lists what there is. */
tg_status tg_arch_find(const tg_gguf *gguf, const tg_arch **out, tg_error *error);

#define TG_ARCH(name) extern const tg_arch tg_arch_##name;
#include "arch.def"
#undef TG_ARCH

#endif
