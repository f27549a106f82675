/* The caches of a model and the sessions that use them. When no page or slot is free, the sessions
 * that have not run for the longest time lose theirs. A session loses only work: its tokens and
 * logits stay, and the positions that it lost are run again when it needs them. */
#ifndef TG_EVICT_H
#define TG_EVICT_H

#include <stddef.h>
#include <stdint.h>

#include "kv.h"
#include "recurrent.h"

/* One session's share of the caches, embedded in the session. */
typedef struct tg_cache_user {
    struct tg_cache_user *next;
    uint64_t last_used; /* tg_cache.clock when the session last ran */
    uint32_t n_cached;  /* the first positions, whose keys, values and recurrent state are cached */
    bool pinned; /* in the batch that is being made: it gives up no page and no last checkpoint */
    tg_kv_table table;
    tg_checkpoints checkpoints;
} tg_cache_user;

typedef struct tg_cache {
    tg_kv kv;
    tg_recurrent_cache recurrent;
    tg_cache_user *users; /* a list of all sessions, the newest first */
    uint64_t clock;       /* counts up when a session runs */
} tg_cache;

/* Adds a session that has nothing cached. user->table.pages must be set; the rest is 0. */
void tgi_cache_add_user(tg_cache *cache, tg_cache_user *user);
/* Gives back what the session has cached, and removes it from the list. */
void tgi_cache_remove_user(tg_cache *cache, tg_cache_user *user);
/* Makes a new user share everything that `from` has cached. */
void tgi_cache_share(tg_cache *cache, const tg_cache_user *from, tg_cache_user *to);

/* Keeps at most the first n positions. With recurrent layers it keeps those up to the last
 * checkpoint within them. */
void tgi_cache_truncate(tg_cache *cache, tg_cache_user *user, uint32_t n);

/* The two functions below may take pages and slots from any other session that is not pinned, so no
 * batch may be under way. */

/* Makes positions n_cached to upto - 1 writable for the session. TG_KV_FULL: the cache is too small
 * for this session and the pinned ones. */
tg_status tgi_cache_reserve(tg_cache *cache, tg_cache_user *user, uint32_t upto, tg_error *error);
/* Takes a slot for a recurrent state of the session; TG_NO_SLOT when the model has no recurrent
 * layers. TG_KV_FULL: there are too few slots for this session and the pinned ones. */
tg_status tgi_cache_alloc_recurrent(tg_cache *cache, tg_cache_user *user, uint32_t *slot,
                                    tg_error *error);

/* The recurrent state after the cached positions; NULL: nothing is cached, or the model has no
 * recurrent layers. */
static inline float *tgi_cache_recurrent(const tg_cache *cache, const tg_cache_user *user)
{
    return user->checkpoints.n
               ? tgi_recurrent_at(&cache->recurrent, tgi_checkpoints_last(&user->checkpoints))
               : NULL;
}

#endif
