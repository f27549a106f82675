/* exp in double precision, for softmax. Without branches and calls, so that a compiler can compute
 * several numbers at once (libm's exp is three times as slow over a vocabulary). Range reduction by
 * powers of two (Cody and Waite 1980, ln 2 in two parts so that n times the first is exact), then
 * the Taylor polynomial of degree 11 on |r| <= ln 2 / 2, whose error is below 7e-15. With rounding,
 * the relative error is below 2e-14. */
#ifndef TG_EXPD_H
#define TG_EXPD_H

#include <stdint.h>
#include <string.h>

/* e^x for x <= 709; 0 below -708. */
static inline double tgi_expd(double x)
{
    const double magic = 0x1.8p52; /* added to a small number, leaves its integer in the low bits */
    const double shifted = x * 1.4426950408889634 + magic;
    const double n = shifted - magic;
    const double r = x - n * 0x1.62e42feep-1 - n * 0x1.a39ef35793c76p-33;
    double sum = 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 1.0 / 2;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52; /* 2^n */
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return x < -708.0 ? 0.0 : sum * scale;
}

#endif
