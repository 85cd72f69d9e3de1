// How many scores of a class reach each of its positives: the second pass of an exact MAP.

#include <stdint.h>
#include <string.h>

#include "simd.h"

#define TILE 16   // classes at once: their scores of one video share a cache line
#define BLOCK 256 // videos at once: a tile of them stays in the nearest cache
#define LANES 64  // searched together, so that no search waits for its own memory

// For LANES scores, all of them reaching sorted[0]: the last place whose number they reach.
INLINED void last_reached(const float *sorted, int32_t size, const float *scores, int32_t places[LANES]) {
    for (int i = 0; i < LANES; i++) places[i] = 0;
    while (size > 1) {
        int32_t half = size >> 1;
        for (int i = 0; i < LANES; i++)
            places[i] += sorted[places[i] + half] <= scores[i] ? half : 0;
        size -= half;
    }
}

INLINED void count_class(const float *scores, int64_t videos, const float *sorted, int32_t size, uint32_t *counts) {
    float reaching[BLOCK + LANES];
    int32_t places[LANES];
    int64_t found = 0;
    for (int64_t i = 0; i < videos; i++) {
        reaching[found] = scores[i];
        found += scores[i] >= sorted[0];
    }
    if (size == 1) {
        counts[0] += (uint32_t)found;
        return;
    }
    for (int i = 0; i < LANES; i++) reaching[found + i] = sorted[0];
    for (int64_t first = 0; first < found; first += LANES) {
        last_reached(sorted, size, reaching + first, places);
        int64_t lanes = found - first < LANES ? found - first : LANES;
        for (int64_t i = 0; i < lanes; i++) counts[places[i]]++;
    }
}

// scores (videos, classes), none of them NaN; positives, the scores of each class's positives in ascending
// order, class c at starts[c] to starts[c + 1], fewer than 2^31 each. Adds to counts, which stands like
// positives: of each score, 1 at the last place whose positive it reaches.
EXPORTED CLONES void count_above(const float *scores, int64_t videos, int64_t classes, const float *positives,
                                 const int64_t *starts, uint32_t *counts) {
    float columns[TILE][BLOCK];
    for (int64_t video = 0; video < videos; video += BLOCK) {
        int64_t rows = videos - video < BLOCK ? videos - video : BLOCK;
        for (int64_t first = 0; first < classes; first += TILE) {
            int64_t width = classes - first < TILE ? classes - first : TILE;
            for (int64_t r = 0; r < rows; r++)
                for (int64_t c = 0; c < width; c++) columns[c][r] = scores[(video + r) * classes + first + c];
            for (int64_t c = 0; c < width; c++) {
                int64_t start = starts[first + c], size = starts[first + c + 1] - start;
                if (size) count_class(columns[c], rows, positives + start, (int32_t)size, counts + start);
            }
        }
    }
}

// Adds to sums (classes,) the bits of each score, one value for 0.0 and -0.0. Returns -1, or the first video
// with a score that is not a number.
EXPORTED CLONES int64_t add_bits(const float *scores, int64_t videos, int64_t classes, uint64_t *sums) {
    for (int64_t r = 0; r < videos; r++) {
        int strange = 0;
        for (int64_t c = 0; c < classes; c++) {
            float score = scores[r * classes + c] + 0.0f;
            uint32_t bits;
            memcpy(&bits, &score, sizeof bits);
            strange |= score != score;
            sums[c] += bits;
        }
        if (strange) return r;
    }
    return -1;
}
