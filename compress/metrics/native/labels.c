// The labels of each video as a list of classes, out of one byte a class.

#include <stdint.h>
#include <string.h>

#include "simd.h"

// labels (rows, classes), 0 or 1. Gives counts (rows,) and the classes of all labels, ascending in each row;
// of the classes no more than `room` are written. Returns how many labels there are.
EXPORTED int64_t list_labels(const uint8_t *labels, int64_t rows, int64_t classes, int64_t room,
                             int64_t *counts, int32_t *listed) {
    int64_t all = 0;
    for (int64_t r = 0; r < rows; r++) {
        const uint8_t *row = labels + r * classes;
        int64_t before = all;
        for (int64_t first = 0; first < classes; first += 8) {
            int64_t width = classes - first < 8 ? classes - first : 8;
            uint64_t eight = 0; // nearly always all zero
            memcpy(&eight, row + first, (size_t)width);
            if (!eight) continue;
            for (int64_t class = first; class < first + width; class++) {
                if (!row[class]) continue;
                if (all < room) listed[all] = (int32_t)class;
                all++;
            }
        }
        counts[r] = all - before;
    }
    return all;
}
