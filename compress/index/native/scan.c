/* The nearest rows of each query, by inner product: a scan in bfloat16 that provably loses none of them.

   A score in bfloat16 differs from the true one by no more than a margin that follows from the norms of what
   rounding took away (Cauchy-Schwarz). So a row whose rounded score stays two margins below the k-th best
   cannot be one of the k best; all others are scored again, from the float32 numbers, in float64. Where too
   many rows lie within the margins, the query is given back to the caller undone. */

#include <stdlib.h>

#include "scan.h"

#define EXPORT __attribute__((visibility("default")))

#ifdef HAS_BFLOAT16

#include <immintrin.h>

#define CHUNK_BYTES 393216 /* packed rows that stay in the second-level cache */
#define CANDIDATES 512     /* kept for each query before the worst are thrown out */

FAST static void keep_some(Scan *scan, int64_t query, __m512 scores, __mmask16 which, int64_t row) {
    float values[16];
    _mm512_storeu_ps(values, scores);
    for (unsigned left = which; left; left &= left - 1) {
        int place = __builtin_ctz(left);
        keep(scan, query, values[place], row + place);
    }
}

#define EACH_QUERY(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define ZERO(q) __m512 a##q = _mm512_setzero_ps(), b##q = a##q, c##q = a##q, d##q = a##q;
#define MULTIPLY(q)                                                                            \
    {                                                                                          \
        __m512bh both = (__m512bh)_mm512_set1_epi32((int)queries[q * padded + pair]);           \
        a##q = _mm512_dpbf16_ps(a##q, both, first);                                            \
        b##q = _mm512_dpbf16_ps(b##q, both, second);                                           \
        c##q = _mm512_dpbf16_ps(c##q, both, third);                                            \
        d##q = _mm512_dpbf16_ps(d##q, both, fourth);                                           \
    }
#define COMPARE(q)                                                                             \
    {                                                                                          \
        __m512 least = _mm512_set1_ps(scan->threshold[query + q]);                             \
        __mmask16 in_a = _mm512_cmp_ps_mask(a##q, least, _CMP_GE_OQ);                          \
        __mmask16 in_b = _mm512_cmp_ps_mask(b##q, least, _CMP_GE_OQ);                          \
        __mmask16 in_c = _mm512_cmp_ps_mask(c##q, least, _CMP_GE_OQ);                          \
        __mmask16 in_d = _mm512_cmp_ps_mask(d##q, least, _CMP_GE_OQ);                          \
        if (in_a | in_b | in_c | in_d) {                                                       \
            keep_some(scan, query + q, a##q, in_a, row);                                       \
            keep_some(scan, query + q, b##q, in_b, row + 16);                                  \
            keep_some(scan, query + q, c##q, in_c, row + 32);                                  \
            keep_some(scan, query + q, d##q, in_d, row + 48);                                  \
        }                                                                                      \
    }

/* Score PANEL rows for GROUP queries, from `query` on, and keep what reaches their thresholds. */
FAST static void tile(Scan *scan, const uint32_t *panel, int64_t query, int64_t row) {
    const uint32_t *queries = scan->packed_queries + query * scan->padded;
    int64_t pairs = scan->pairs, padded = scan->padded;
    EACH_QUERY(ZERO)
    for (int64_t pair = 0; pair < pairs; pair++) {
        __m512bh first = (__m512bh)_mm512_loadu_si512(panel + pair * PANEL);
        __m512bh second = (__m512bh)_mm512_loadu_si512(panel + pair * PANEL + 16);
        __m512bh third = (__m512bh)_mm512_loadu_si512(panel + pair * PANEL + 32);
        __m512bh fourth = (__m512bh)_mm512_loadu_si512(panel + pair * PANEL + 48);
        EACH_QUERY(MULTIPLY)
    }
    EACH_QUERY(COMPARE)
}

FAST static double exact(const float *query, const float *row, int64_t dim) {
    __m512d sum = _mm512_setzero_pd();
    for (int64_t at = 0; at < dim; at += 8) {
        __mmask8 inside = dim - at >= 8 ? 0xff : (__mmask8)((1u << (dim - at)) - 1);
        __m512d left = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(inside, query + at));
        sum = _mm512_fmadd_pd(left, _mm512_cvtps_pd(_mm256_maskz_loadu_ps(inside, row + at)), sum);
    }
    return _mm512_reduce_add_pd(sum);
}

static void release(Scan *scan) {
    void *owned[] = {scan->packed_queries, scan->sixteen,   scan->packed_rows, scan->norm, scan->residual,
                     scan->known,          scan->threshold, scan->scratch,     scan->kept, scan->count};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

static int64_t chunk_panels(const Scan *scan) {
    int64_t most = CHUNK_BYTES / (scan->pairs * PANEL * 4), all = (scan->rows + PANEL - 1) / PANEL;
    return most < 1 ? 1 : most < all ? most : all;
}

static int reserve(Scan *scan) {
    size_t padded = (size_t)(scan->groups * GROUP), queries = (size_t)scan->queries;
    size_t in_panels = (size_t)(chunk_panels(scan) * PANEL);
    scan->packed_queries = calloc(padded * (size_t)scan->padded, sizeof *scan->packed_queries);
    scan->sixteen = malloc(16 * (size_t)scan->padded * sizeof *scan->sixteen);
    scan->packed_rows = malloc(in_panels * (size_t)scan->pairs * sizeof *scan->packed_rows);
    scan->norm = calloc(queries, sizeof *scan->norm);
    scan->residual = calloc(queries, sizeof *scan->residual);
    scan->known = malloc(queries * sizeof *scan->known);
    scan->threshold = malloc(padded * sizeof *scan->threshold);
    scan->scratch = malloc((size_t)scan->capacity * sizeof *scan->scratch);
    scan->kept = malloc(queries * (size_t)scan->capacity * sizeof *scan->kept);
    scan->count = calloc(queries, sizeof *scan->count);
    return scan->packed_queries && scan->sixteen && scan->packed_rows && scan->norm && scan->residual &&
           scan->known && scan->threshold && scan->scratch && scan->kept && scan->count;
}

static void look_at_all(Scan *scan, const float *rows) {
    int64_t step = chunk_panels(scan) * PANEL;
    for (int64_t start = 0; start < scan->rows; start += step) {
        int64_t stop = start + step < scan->rows ? start + step : scan->rows;
        for (int64_t row = start; row < stop; row += PANEL)
            pack_panel(scan, rows + row * scan->dim, scan->rows - row,
                       scan->packed_rows + (row - start) * scan->pairs);
        for (int64_t query = 0; query < scan->queries; query++) /* The margin may have grown. */
            if (!scan->undone[query]) set_threshold(scan, query);
        for (int64_t row = start; row < stop; row += PANEL)
            for (int64_t group = 0; group < scan->groups; group++)
                tile(scan, scan->packed_rows + (row - start) * scan->pairs, group * GROUP, row);
    }
}

static int64_t rank_all(Scan *scan, const float *rows, const float *queries, float *scores, int32_t *found) {
    int64_t ranked = 0;
    for (int64_t query = 0; query < scan->queries; query++) {
        thin_out(scan, query);
        ranked += scan->count[query];
        for (int64_t i = 0; i < scan->count[query]; i++) {
            int32_t row = scan->kept[query * scan->capacity + i].row;
            double score = exact(queries + query * scan->dim, rows + row * scan->dim, scan->dim);
            rank(scores + query * scan->k, found + query * scan->k, scan->k, (float)score, row);
        }
    }
    return ranked;
}

EXPORT int scan_works(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bf16");
}

/* The best k rows, (rows, dim), for each query, (queries, dim), that score at least `floors`, (queries).

   `scores` and `found`, (queries, k), come as -infinity and -1 and stay so where there are fewer. `undone`,
   (queries), comes as zeros; 1 means that this query was given up. Returns how many rows were scored twice,
   or -1 when there is no memory. */
EXPORT int64_t scan_rows(const float *rows, int64_t num_rows, const float *queries, int64_t num_queries,
                         int64_t dim, int64_t k, const float *floors, float *scores, int32_t *found,
                         uint8_t *undone) {
    if (num_rows < 1 || num_rows > INT32_MAX || num_queries < 1 || dim < 1 || k < 1) return 0;
    Scan scan = {.rows = num_rows, .dim = dim, .pairs = (dim + 1) / 2, .queries = num_queries, .k = k};
    scan.groups = (num_queries + GROUP - 1) / GROUP;
    scan.padded = (scan.pairs + 15) / 16 * 16;
    scan.capacity = 4 * k > CANDIDATES ? 4 * k : CANDIDATES;
    scan.undone = undone;
    int64_t ranked = -1;
    if (reserve(&scan)) {
        pack_queries(&scan, queries);
        for (int64_t query = 0; query < num_queries; query++) scan.known[query] = floors[query];
        for (int64_t query = num_queries; query < scan.groups * GROUP; query++)
            scan.threshold[query] = __builtin_inff();
        look_at_all(&scan, rows);
        ranked = rank_all(&scan, rows, queries, scores, found);
    }
    release(&scan);
    return ranked;
}

#else /* Another machine: the caller has FAISS. */

EXPORT int scan_works(void) { return 0; }

EXPORT int64_t scan_rows(const float *rows, int64_t num_rows, const float *queries, int64_t num_queries,
                         int64_t dim, int64_t k, const float *floors, float *scores, int32_t *found,
                         uint8_t *undone) {
    (void)rows, (void)num_rows, (void)queries, (void)num_queries, (void)dim, (void)k;
    (void)floors, (void)scores, (void)found, (void)undone;
    return -1;
}

#endif
