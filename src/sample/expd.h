/* exp in double precision for arguments of at most 0, in plain arithmetic that compilers turn into vectors: range reduction by
 * powers of two and the Taylor polynomial of degree 11 on |r| <= ln 2 / 2, whose relative error is below 1e-13. 0 below -708. */
#ifndef TG_EXPD_H
#define TG_EXPD_H

#include <stdint.h>
#include <string.h>

static inline double tg_expd(double x)
{
    if (!(x >= -708.0))
        return 0;
    const double n = (double)(int32_t)(x * 1.4426950408889634 - 0.5); /* to nearest: x is not positive */
    const double r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
    double p = 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    const uint64_t bits = (uint64_t)((int64_t)n + 1023) << 52; /* 2^n: n is -1022 to 0 */
    double scale;
    memcpy(&scale, &bits, 8);
    return p * scale;
}

#endif
