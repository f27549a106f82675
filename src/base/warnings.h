/* Warnings: faults of a file that do not keep the model from running. A list of fixed size, so that
 * nothing is allocated. */
#ifndef TG_WARNINGS_H
#define TG_WARNINGS_H

#include <stdint.h>

#define TG_MAX_WARNINGS      24
#define TG_MAX_WARNING_BYTES 200 /* with the terminator; longer texts are cut */

typedef struct tg_warnings {
    uint32_t n;
    char texts[TG_MAX_WARNINGS][TG_MAX_WARNING_BYTES];
} tg_warnings;

/* Adds a text. A list that is full stays as it is. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void tgi_warn(tg_warnings *warnings, const char *format, ...);

#endif
