/* Scores of rows whose every byte stands for a vector of its own: each byte is looked up, and all are added.

   Bytes are added from the first to the last, for one query as for eight, so that a query gets the same score
   alone and in company, and equal codes get equal scores. */

#include "codes.h"

#define LANES 8 /* queries whose tables lie side by side: one load serves them all */
#define ROWS 4  /* sums under way at once, as each waits for its own last addition */

typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4)));

INLINED void eight(const uint8_t *codes, int64_t stride, int64_t width, int64_t count, const float *tables,
                   int64_t rows, float *scores) {
    Lanes sums[ROWS] = {0};
    for (int64_t byte = 0; byte < width; byte++)
        for (int64_t i = 0; i < count; i++)
            sums[i] += *(const Lanes *)(tables + (byte * 256 + codes[i * stride + byte]) * LANES);
    for (int64_t i = 0; i < count; i++)
        for (int lane = 0; lane < LANES; lane++) scores[lane * rows + i] = sums[i][lane];
}

/* codes (rows, stride) of which the first `width` bytes count, tables (width, 256, LANES)
   -> scores (LANES, rows) */
CLONES EXPORTED void look_up_eight(const uint8_t *codes, int64_t rows, int64_t stride, int64_t width,
                                   const float *tables, float *scores) {
    int64_t row = 0;
    for (; row + ROWS <= rows; row += ROWS)
        eight(codes + row * stride, stride, width, ROWS, tables, rows, scores + row);
    for (; row < rows; row++) eight(codes + row * stride, stride, width, 1, tables, rows, scores + row);
}

INLINED void one(const uint8_t *codes, int64_t stride, int64_t width, int64_t count, const float *table,
                 float *scores) {
    float sums[2 * ROWS] = {0};
    for (int64_t byte = 0; byte < width; byte++)
        for (int64_t i = 0; i < count; i++) sums[i] += table[byte * 256 + codes[i * stride + byte]];
    for (int64_t i = 0; i < count; i++) scores[i] = sums[i];
}

/* codes (rows, stride) of which the first `width` bytes count, table (width, 256) -> scores (rows) */
CLONES EXPORTED void look_up_one(const uint8_t *codes, int64_t rows, int64_t stride, int64_t width,
                                 const float *table, float *scores) {
    int64_t row = 0;
    for (; row + 2 * ROWS <= rows; row += 2 * ROWS)
        one(codes + row * stride, stride, width, 2 * ROWS, table, scores + row);
    for (; row < rows; row++) one(codes + row * stride, stride, width, 1, table, scores + row);
}
