/* Vectors: memory that grows with the number of elements. */
#ifndef TG_GROW_H
#define TG_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes room for one more element of `size` bytes after n. False when out of memory. */
bool tgi_grow(void **data, uint32_t n, uint32_t *capacity, size_t size);

#endif
