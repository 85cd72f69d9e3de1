// The k highest scores of each video: exact, one look at the memory. top_k.py says why it is exact.
//
// A row is folded onto GROUPS maxima of disjoint groups of classes. The k-th highest of them is at most the
// k-th highest score, so only scores from there up need a closer look: about k + 2 of 3862.

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "simd.h"

#define GROUPS 128
#define FEW 64    // as many or fewer are kept in order while they come in; more are sorted at the end
#define STRIDE 32 // classes looked at together: one or two compares of wide registers

// Ascends exactly as scores descend, one value for 0.0 and -0.0; as `descending` in ordering.py.
INLINED uint32_t descending(float score) {
    uint32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? bits : bits ^ 0x7fffffffu;
}

// Higher score first, among equal scores the smaller class: one integer in ascending order.
INLINED uint64_t key_of(float score, int64_t class) {
    return (uint64_t)descending(score) << 32 | (uint64_t)class;
}

// Maxima of classes g, g + GROUPS, ...; nonzero when a score is not a number.
INLINED int fold(const float *row, int64_t classes, float maxima[GROUPS]) {
    int strange = 0;
    for (int g = 0; g < GROUPS; g++) maxima[g] = -INFINITY;
    int64_t first = 0;
    for (; first + GROUPS <= classes; first += GROUPS)
        for (int g = 0; g < GROUPS; g++) {
            float score = row[first + g];
            strange |= score != score;
            maxima[g] = score > maxima[g] ? score : maxima[g];
        }
    for (int g = 0; first + g < classes; g++) {
        float score = row[first + g];
        strange |= score != score;
        maxima[g] = score > maxima[g] ? score : maxima[g];
    }
    return strange;
}

// A number that at least k maxima reach, and hardly more: the k-th highest without the low bits.
INLINED float reached_by(const float maxima[GROUPS], int64_t k) {
    if (k > GROUPS) return -INFINITY;
    uint32_t keys[GROUPS], low = 0; // bits of the highest key that is still needed, found from the top
    for (int g = 0; g < GROUPS; g++) keys[g] = descending(maxima[g]);
    for (uint32_t bit = 1u << 31; bit >= 1u << 8; bit >>= 1) {
        int32_t below = 0;
        for (int g = 0; g < GROUPS; g++) below += keys[g] < (low | bit);
        if (below < k) low |= bit;
    }
    uint32_t bits = low | 0xffu; // the lowest score of the range that the k-th lies in
    bits = bits >> 31 ? bits : bits ^ 0x7fffffffu;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score != score ? -INFINITY : score; // past -inf there are no scores
}

INLINED int any_reaches(const float *scores, float threshold) {
    int any = 0;
    for (int i = 0; i < STRIDE; i++) any |= scores[i] >= threshold;
    return any;
}

INLINED int64_t insert(uint64_t *best, int64_t kept, int64_t k, uint64_t key) {
    int64_t place = kept < k ? kept : k - 1;
    for (; place > 0 && best[place - 1] > key; place--) best[place] = best[place - 1];
    best[place] = key;
    return kept < k ? kept + 1 : kept;
}

// Keys of the k best in ascending order, for few. Classes come in ascending order, so once k are kept a score
// that only equals the last of them comes too late.
INLINED void few_best(const float *row, int64_t classes, int64_t k, float threshold, uint64_t *best) {
    int64_t kept = 0, class = 0;
    while (class < classes) {
        int64_t stop = class + STRIDE <= classes ? class + STRIDE : classes;
        if (stop - class == STRIDE && !any_reaches(row + class, threshold)) {
            class = stop;
            continue;
        }
        for (; class < stop; class++) {
            if (!(row[class] >= threshold)) continue;
            uint64_t key = key_of(row[class], class);
            if (kept == k && key > best[k - 1]) continue;
            kept = insert(best, kept, k, key);
            if (kept == k && row[best[k - 1] & 0xffffffffu] < INFINITY)
                threshold = nextafterf(row[best[k - 1] & 0xffffffffu], INFINITY);
        }
    }
}

static int ascending(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

INLINED void many_best(const float *row, int64_t classes, uint64_t *best) {
    for (int64_t class = 0; class < classes; class++) best[class] = key_of(row[class], class);
    qsort(best, (size_t)classes, sizeof *best, ascending);
}

// Share of a video's n labels among its n best; a score of 0 or below never counts. As perr.py.
INLINED double share(const float *row, const uint8_t *labels, int64_t n, const uint64_t *best) {
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t class = (uint32_t)best[i];
        found += labels[class] && row[class] > 0;
    }
    return (double)found / (double)(n > 1 ? n : 1);
}

// The top of each row, and what its labels say about it.
//
// scores (rows, classes); 1 <= k <= classes; scratch (classes,). Gives values and top (rows, k), best first.
// labels (rows, classes) and counts (rows,), how many each row has, are NULL when only the top is wanted; with
// them come hits (rows, k) and shares (rows,). Returns -1, or the first row with a score that is not a number.
EXPORTED CLONES int64_t top_k(const float *scores, const uint8_t *labels, const int64_t *counts, int64_t rows,
                              int64_t classes, int64_t k, uint64_t *scratch, float *values, int32_t *top,
                              uint8_t *hits, double *shares) {
    float maxima[GROUPS];
    for (int64_t r = 0; r < rows; r++) {
        const float *row = scores + r * classes;
        int64_t depth = labels && counts[r] > k ? counts[r] : k;
        if (fold(row, classes, maxima)) return r;
        if (depth <= FEW)
            few_best(row, classes, depth, reached_by(maxima, depth), scratch);
        else
            many_best(row, classes, scratch);
        for (int64_t i = 0; i < k; i++) {
            uint32_t class = (uint32_t)scratch[i];
            values[r * k + i] = row[class];
            top[r * k + i] = (int32_t)class;
            if (labels) hits[r * k + i] = labels[r * classes + class];
        }
        if (labels) shares[r] = share(row, labels + r * classes, counts[r], scratch);
    }
    return -1;
}
