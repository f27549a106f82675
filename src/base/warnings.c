/* See warnings.h. */
#include "warnings.h"

#include <stdarg.h>
#include <stdio.h>

void tgi_warn(tg_warnings *warnings, const char *format, ...)
{
    if (warnings->n == TG_MAX_WARNINGS)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(warnings->texts[warnings->n++], TG_MAX_WARNING_BYTES, format, args);
    va_end(args);
}
