/* Errors are values: a numbered status and, in the caller's tg_error, the first message with the byte offset it belongs to.
 * Nothing here allocates; nothing in this library ever calls exit or abort. */
#ifndef TG_STATUS_H
#define TG_STATUS_H

#include <stdint.h>

typedef enum tg_status {
#define TG_STATUS(name, number, meaning) TG_##name = (number),
#include "status.def"
#undef TG_STATUS
} tg_status;

#define TG_NO_OFFSET INT64_C(-1)

typedef struct tg_error {
    tg_status status;  /* TG_OK until the first failure; later failures do not replace it */
    int64_t offset;    /* byte in the file, or TG_NO_OFFSET */
    char message[240]; /* UTF-8, NUL-terminated, says what and where */
} tg_error;

/* Records the failure unless one is recorded already; returns status, so that `return tg_fail(...)` reads well. error may be
 * NULL. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
tg_status
tg_fail(tg_error *error, tg_status status, int64_t offset, const char *format, ...);

void tg_error_clear(tg_error *error);

/* "GGUF_BAD_MAGIC" for TG_GGUF_BAD_MAGIC; "UNKNOWN" for a number that is not in the list. */
const char *tg_status_name(tg_status status);

#endif
