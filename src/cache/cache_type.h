/* The type of cached keys and values, named in options and used by the cache: one number for each row of cache.def. */
#ifndef TG_CACHE_TYPE_H
#define TG_CACHE_TYPE_H

typedef enum tg_cache_type {
#define TG_CACHE(NAME, suffix, elements, value_bytes) TG_CACHE_##NAME,
#include "kv_types.def"
#undef TG_CACHE
    TG_CACHE_TYPE_COUNT,
    TG_CACHE_AUTO = TG_CACHE_TYPE_COUNT /* as exact as the weights are: the model chooses */
} tg_cache_type;

#endif
