/* Errors are values: a numbered status and, in the caller's tg_error, the first message with the
 * byte offset it belongs to. Nothing here allocates; nothing in this library ever calls exit or
 * abort. */
#ifndef TG_STATUS_H
#define TG_STATUS_H

#include <stdint.h>

#include "../tokenglass.h"

/* Records the failure unless one is recorded already; returns status, so that `return
 * tgi_fail(...)` reads well. error may be NULL. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
tg_status
tgi_fail(tg_error *error, tg_status status, int64_t offset, const char *format, ...);

void tgi_error_clear(tg_error *error);

#endif
