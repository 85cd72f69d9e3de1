/* What the parts of the scan share; scan.c says how it works. */

#ifndef SCAN_H
#define SCAN_H

#include <stdint.h>

#if defined(__x86_64__) && defined(__gnu_linux__) && \
    (defined(__clang__) ? __clang_major__ >= 11 : __GNUC__ >= 11) /* that know bfloat16 */
#define HAS_BFLOAT16
#endif

#define FAST __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define PANEL 64 /* rows of a tile: four vectors */
#define GROUP 6  /* queries of a tile: 24 sums in registers */

typedef struct {
    float score;
    int32_t row;
} Candidate;

typedef struct {
    int64_t rows, dim, pairs, padded, queries, groups, k, capacity;
    uint32_t *packed_queries; /* (groups * GROUP, padded), two bfloat16 each */
    uint32_t *sixteen;        /* (16, padded): rows on their way into a panel */
    uint32_t *packed_rows;    /* (panels, pairs, PANEL) */
    double *norm, *residual;  /* of each query: of its rounded self, and of what rounding took away */
    double row_norm, row_residual; /* the largest seen so far */
    double *known;            /* k rows have at least this true score */
    float *threshold;         /* (groups * GROUP): what a score must reach, one margin below `known` */
    float *scratch;           /* (capacity) */
    Candidate *kept;          /* (queries, capacity) */
    int64_t *count;
    uint8_t *undone;
} Scan;

/* candidates.c: which rows may still be among the k best of a query. */
void set_threshold(Scan *scan, int64_t query);
void thin_out(Scan *scan, int64_t query);
void rank(float *scores, int32_t *rows, int64_t k, float score, int32_t row);

/* pack.c: float32 to bfloat16, in the order in which the scan reads it. */
void pack_panel(Scan *scan, const float *rows, int64_t count, uint32_t *panel);
void pack_queries(Scan *scan, const float *queries);

/* Keep one more row for a query; here, so that it becomes a part of the loop that calls it. */
static inline void keep(Scan *scan, int64_t query, float score, int64_t row) {
    if (query >= scan->queries || row >= scan->rows) return; /* What fills up the last group or panel. */
    if (scan->undone[query] || score < scan->threshold[query]) return;
    if (scan->count[query] == scan->capacity) {
        thin_out(scan, query);
        if (scan->undone[query] || score < scan->threshold[query]) return;
    }
    scan->kept[query * scan->capacity + scan->count[query]++] = (Candidate){score, (int32_t)row};
}

#endif
