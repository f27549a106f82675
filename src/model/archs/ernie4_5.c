/* ERNIE 4.5 (Baidu 2025), the dense models: llama, with biases of queries, keys and values in some
 * files. */
#include "../arch.h"

const tg_arch tg_arch_ernie4_5 = {
    .name = "ernie4_5",
    .required = TG_NORMS | TG_ATTENTION | TG_GATED_FFN,
    .optional = TG_QKV_BIASES,
};
