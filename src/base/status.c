/* Records errors, and the names of their numbers. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

tg_status tgi_fail(tg_error *error, tg_status status, int64_t offset, const char *format, ...)
{
    if (error && error->status == TG_OK) {
        va_list args;
        error->status = status;
        error->offset = offset;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

void tgi_error_clear(tg_error *error)
{
    error->status = TG_OK;
    error->offset = TG_NO_OFFSET;
    error->message[0] = 0;
}

const char *tg_status_name(tg_status status)
{
    switch (status) {
#define TG_STATUS(name, number, meaning)                                                           \
    case TG_##name:                                                                                \
        return #name;
#include "status.def"
#undef TG_STATUS
    }
    return "UNKNOWN";
}
