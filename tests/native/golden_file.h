/* Reads golden files from tests/golden/ below the current folder. */
#ifndef GOLDEN_FILE_H
#define GOLDEN_FILE_H

#include "test.h"

#include <stdlib.h>

/* A file's bytes, which the caller frees; NULL: there is no such file. The allocation is exactly as
 * long as the file, so that the sanitizer notices a read past its end. */
static inline uint8_t *read_file(const char *folder, const char *name, size_t *size)
{
    char path[256];
    snprintf(path, sizeof path, "tests/golden/%s%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + !*size);
    const bool whole = fread(bytes, 1, *size, file) == *size;
    CHECK(whole, "%s", path);
    fclose(file);
    return bytes;
}

#endif
