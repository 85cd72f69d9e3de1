// Average precision of classes whose pairs are ranked already.

#include <stdint.h>

#include "simd.h"

// keys (pairs,) in ascending order, class << 33 | score << 1 | hit as `class_keys` in ordering.py makes them,
// of classes in [low, high). Adds to sums (high - low,) the precision at each hit. Returns 0, or -1 when a key
// has another class.
EXPORTED int64_t precision_sums(const uint64_t *keys, int64_t pairs, int64_t low, int64_t high, double *sums) {
    int64_t class = -1, first = 0, found = 0;
    for (int64_t i = 0; i < pairs; i++) {
        int64_t of_pair = (int64_t)(keys[i] >> 33);
        if (of_pair != class) {
            if (of_pair < low || of_pair >= high) return -1;
            class = of_pair, first = i, found = 0;
        }
        if (keys[i] & 1) sums[class - low] += (double)++found / (double)(i - first + 1);
    }
    return 0;
}
