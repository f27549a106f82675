/* Chooses which session gives up its pages and checkpoints when the caches are full. */
#include "evict.h"

void tgi_cache_add_user(tg_cache *cache, tg_cache_user *user)
{
    user->next = cache->users;
    cache->users = user;
}

void tgi_cache_remove_user(tg_cache *cache, tg_cache_user *user)
{
    tgi_cache_truncate(cache, user, 0);
    tg_cache_user **link = &cache->users;
    while (*link != user)
        link = &(*link)->next;
    *link = user->next;
}

void tgi_cache_share(tg_cache *cache, const tg_cache_user *from, tg_cache_user *to)
{
    to->last_used = from->last_used;
    to->n_cached = from->n_cached;
    tgi_kv_share(&cache->kv, &from->table, &to->table);
    tgi_checkpoints_share(&cache->recurrent, &from->checkpoints, &to->checkpoints);
    /* pages after the cached positions belong to an unfinished batch of `from` */
    tgi_kv_truncate(&cache->kv, &to->table, to->n_cached);
}

void tgi_cache_truncate(tg_cache *cache, tg_cache_user *user, uint32_t n)
{
    if (user->n_cached > n)
        user->n_cached = n;
    if (cache->recurrent.state_size) {
        user->n_cached = tgi_checkpoints_position(&user->checkpoints, user->n_cached);
        tgi_checkpoints_truncate(&cache->recurrent, &user->checkpoints, user->n_cached);
    }
    tgi_kv_truncate(&cache->kv, &user->table, user->n_cached);
}

/* ---- pages ---- */

/* What a session's last page is worth to `runner` when the session gives it up. A lower number is
 * given up first. Forks share pages at the same index. */
enum {
    PAGE_BECOMES_FREE, /* nobody else holds it */
    PAGE_SHARED,       /* other idle sessions hold it: it stays taken until they give it up, too */
    PAGE_NEEDED        /* runner holds it: it stays taken */
};

static int last_page_sharing(const tg_cache *cache, const tg_cache_user *user,
                             const tg_cache_user *runner)
{
    const uint32_t last = user->table.n_pages - 1, page = user->table.pages[last];
    if (cache->kv.refs[page] == 1)
        return PAGE_BECOMES_FREE;
    return last < runner->table.n_pages && runner->table.pages[last] == page ? PAGE_NEEDED
                                                                             : PAGE_SHARED;
}

/* The session that gives up its last page for `runner`: the one that has not run for the longest
 * time, and sessions whose last page is shared after the others. NULL: no other session can give up
 * a page. */
static tg_cache_user *choose_page_victim(const tg_cache *cache, const tg_cache_user *runner)
{
    tg_cache_user *victim = NULL;
    int min_sharing = 0;
    for (tg_cache_user *user = cache->users; user; user = user->next) {
        if (user == runner || user->pinned || !user->table.n_pages)
            continue;
        const int sharing = last_page_sharing(cache, user, runner);
        if (!victim || sharing < min_sharing ||
            (sharing == min_sharing && user->last_used < victim->last_used)) {
            victim = user;
            min_sharing = sharing;
        }
    }
    return victim;
}

tg_status tgi_cache_reserve(tg_cache *cache, tg_cache_user *user, uint32_t upto, tg_error *error)
{
    tg_kv *kv = &cache->kv;
    user->last_used = ++cache->clock;
    for (;;) {
        const tg_status status = tgi_kv_reserve(kv, &user->table, user->n_cached, upto, error);
        if (status != TG_KV_FULL)
            return status;
        const bool fits = upto <= kv->n_pages * TG_PAGE;
        tg_cache_user *victim = fits ? choose_page_victim(cache, user) : NULL;
        if (!victim)
            return status;
        tgi_error_clear(error);
        const uint32_t n_kept = (victim->table.n_pages - 1) * TG_PAGE;
        tgi_cache_truncate(cache, victim, n_kept);
    }
}

/* ---- checkpoints ---- */

/* Whether a session's last checkpoint has this slot: without it the session would have to start
 * from an earlier one. only_pinned: looks at the pinned sessions only. */
static bool is_last_checkpoint(const tg_cache *cache, uint32_t slot, bool only_pinned)
{
    for (const tg_cache_user *user = cache->users; user; user = user->next)
        if ((user->pinned || !only_pinned) && tgi_checkpoints_last(&user->checkpoints) == slot)
            return true;
    return false;
}

/* The last checkpoint of the session that has not run for the longest time, unless `runner` or a
 * pinned session needs it. */
static uint32_t oldest_last_checkpoint(const tg_cache *cache, const tg_cache_user *runner)
{
    const uint32_t needed = tgi_checkpoints_last(&runner->checkpoints);
    const tg_cache_user *oldest = NULL;
    for (const tg_cache_user *user = cache->users; user; user = user->next) {
        const uint32_t last = tgi_checkpoints_last(&user->checkpoints);
        if (last != TG_NO_SLOT && last != needed && !is_last_checkpoint(cache, last, true) &&
            (!oldest || user->last_used < oldest->last_used))
            oldest = user;
    }
    return oldest ? tgi_checkpoints_last(&oldest->checkpoints) : TG_NO_SLOT;
}

/* The slot to evict: of the checkpoints that are no session's last, the one with the smallest loss
 * (tgi_checkpoints_victim); else another session's last. TG_NO_SLOT: there is none. */
static uint32_t choose_slot_victim(const tg_cache *cache, const tg_cache_user *runner)
{
    uint32_t victim = TG_NO_SLOT;
    double min_loss = 0;
    for (const tg_cache_user *user = cache->users; user; user = user->next) {
        double loss;
        if (user->checkpoints.n < 2)
            continue;
        const uint32_t slot = tgi_checkpoints_victim(&user->checkpoints, &loss);
        if (!is_last_checkpoint(cache, slot, false) && (victim == TG_NO_SLOT || loss < min_loss)) {
            victim = slot;
            min_loss = loss;
        }
    }
    return victim != TG_NO_SLOT ? victim : oldest_last_checkpoint(cache, runner);
}

tg_status tgi_cache_alloc_recurrent(tg_cache *cache, tg_cache_user *user, uint32_t *slot,
                                    tg_error *error)
{
    tg_recurrent_cache *recurrent = &cache->recurrent;
    *slot = TG_NO_SLOT;
    if (!recurrent->state_size)
        return TG_OK;
    while ((*slot = tgi_recurrent_alloc(recurrent)) == TG_NO_SLOT) {
        const uint32_t victim = choose_slot_victim(cache, user);
        if (victim == TG_NO_SLOT)
            return tgi_fail(error, TG_KV_FULL, TG_NO_OFFSET,
                            "all %u slots for recurrent states are taken",
                            (unsigned)recurrent->n_slots);
        for (tg_cache_user *u = cache->users; u; u = u->next)
            if (tgi_checkpoints_remove(recurrent, &u->checkpoints, victim) && !u->pinned)
                tgi_cache_truncate(cache, u, u->n_cached);
    }
    return TG_OK;
}
