// Average precision of videos that count several times, or not at all: one resample of the bootstrap.

#include <stdint.h>

#include "simd.h"

// Pairs stand in their order, group after group, hits and misses apart. Of each hit: its video, its group, how
// many misses stand before it and before its group, in all groups; of each miss its video. A video counts
// weights[video] times. Adds to sums (groups,) the precision at each hit, once for every copy of it.
EXPORTED void weighted_precision(const int32_t *weights, int64_t hits, const int32_t *hit_videos,
                                 const int32_t *groups, const int64_t *before_hit, const int64_t *before_group,
                                 const int32_t *miss_videos, double *sums) {
    int64_t group = -1, at = 0, misses = 0, found = 0;
    for (int64_t hit = 0; hit < hits; hit++) {
        if (groups[hit] != group) group = groups[hit], at = before_group[hit], misses = 0, found = 0;
        for (; at < before_hit[hit]; at++) misses += weights[miss_videos[at]];
        for (int32_t copy = weights[hit_videos[hit]]; copy > 0; copy--) {
            found++;
            sums[group] += (double)found / (double)(found + misses);
        }
    }
}
