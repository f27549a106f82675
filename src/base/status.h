/* Errors are values: a numbered status, and a tg_error of the caller's that keeps the first message
 * with the byte offset that it is about. Nothing here allocates. */
#ifndef TG_STATUS_H
#define TG_STATUS_H

#include <stdint.h>

#include "../tokenglass.h"

/* Records a failure unless one is recorded already. offset: a byte in the file, or TG_NO_OFFSET.
 * error may be NULL. Returns status, for `return tgi_fail(...)`. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
tg_status
tgi_fail(tg_error *error, tg_status status, int64_t offset, const char *format, ...);

void tgi_error_clear(tg_error *error);

#endif
