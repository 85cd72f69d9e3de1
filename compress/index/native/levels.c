/* Scores of rows that hold one small number a dimension: the number as float32 times the query's weight.

   A row is widened once for all queries. Sixteen sums run along it, and are added at the end in a fixed order,
   whatever the processor's vectors are. */

#include <string.h>

#include "codes.h"

#define LANES 16

typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4)));

/* `row` and the weights of each query hold `padded` numbers, whole lanes; zeros fill them up. */
INLINED float weighted(const float *row, const float *weights, int64_t padded) {
    Lanes even = {0}, odd = {0};
    int64_t at = 0;
    for (; at + 2 * LANES <= padded; at += 2 * LANES) {
        even += *(const Lanes *)(row + at) * *(const Lanes *)(weights + at);
        odd += *(const Lanes *)(row + at + LANES) * *(const Lanes *)(weights + at + LANES);
    }
    if (at < padded) even += *(const Lanes *)(row + at) * *(const Lanes *)(weights + at);
    even += odd;
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) even[i] += even[i + half];
    return even[0];
}

/* A half in the bits of a float32 of 2^-112 times its value, subnormal halves too. */
INLINED float from_half(uint16_t half) {
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13 | (uint32_t)(half & 0x8000) << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value * 0x1p112f;
}

INLINED void widen_int8(const int8_t *codes, int64_t width, float *row) {
    for (int64_t i = 0; i < width; i++) row[i] = codes[i];
}

INLINED void widen_float16(const uint16_t *codes, int64_t width, float *row) {
    for (int64_t i = 0; i < width; i++) row[i] = from_half(codes[i]);
}

/* Two to a byte: all lower halves, then all upper ones, as the weights come. */
INLINED void widen_int4(const uint8_t *codes, int64_t width, float *row) {
    for (int64_t i = 0; i < width; i++) {
        row[i] = codes[i] & 15;
        row[width + i] = codes[i] >> 4;
    }
}

/* codes (rows, width), weights (queries, padded) -> scores (queries, rows); buffer (padded), at least what a
   row is widened to */
#define SCORE(KIND, TYPE)                                                                               \
    CLONES EXPORTED void score_##KIND(const TYPE *codes, int64_t rows, int64_t width,                   \
                                      const float *weights, int64_t padded, int64_t queries,            \
                                      float *buffer, float *scores) {                                   \
        memset(buffer, 0, (size_t)padded * sizeof *buffer);                                             \
        for (int64_t row = 0; row < rows; row++) {                                                      \
            widen_##KIND(codes + row * width, width, buffer);                                           \
            for (int64_t query = 0; query < queries; query++)                                           \
                scores[query * rows + row] = weighted(buffer, weights + query * padded, padded);        \
        }                                                                                               \
    }

SCORE(int8, int8_t)
SCORE(float16, uint16_t)
SCORE(int4, uint8_t)
