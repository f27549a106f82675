/* exp in double precision for softmax: in x <= 709, out e^x; 0 below -708. No branch and no call,
 * so that a compiler can run it over several numbers at once (libm's is three times as slow over a
 * vocabulary). Range reduction by powers of two (Cody and Waite 1980, ln 2 in two parts so that n
 * times the first is exact), then the Taylor polynomial of degree 11 on |r| <= ln 2 / 2: its error
 * is below 7e-15, and with the rounding the result is within 2e-14 of e^x, relatively. */
#ifndef TG_EXPD_H
#define TG_EXPD_H

#include <stdint.h>
#include <string.h>

static inline double tgi_expd(double x)
{
    const double magic =
        0x1.8p52; /* added to a small number it leaves its whole part in the lowest bits */
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
