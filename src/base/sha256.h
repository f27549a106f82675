/* SHA-256 (FIPS 180-4) of bytes in portions of any size. */
#ifndef TG_SHA256_H
#define TG_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct tg_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
} tg_sha256;

void tgi_sha256_init(tg_sha256 *sha);
void tgi_sha256_update(tg_sha256 *sha, const void *bytes, size_t n);
/* Ends the message; init must come before the next update. */
void tgi_sha256_final(tg_sha256 *sha, uint8_t digest[32]);

#endif
