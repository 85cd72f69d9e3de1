/* The nearest rows of each query, by inner product: a scan in bfloat16 that provably loses none of them.

   A score in bfloat16 differs from the true one by no more than a margin that follows from the norms of what
   rounding took away (Cauchy-Schwarz). So a row whose rounded score stays two margins below the k-th best
   cannot be one of the k best; all others are scored again, from the float32 numbers, in float64. Where too
   many rows lie within the margins, the query is given back to the caller undone. */

#include <stdint.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

#if defined(__x86_64__) && defined(__gnu_linux__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define FAST __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define PANEL 64            /* rows of a tile: four vectors */
#define GROUP 6             /* queries of a tile: 24 sums in registers */
#define CHUNK_BYTES 393216  /* packed rows that stay in the second-level cache */
#define CANDIDATES 512      /* kept for each query before the worst are thrown out */

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
    float *threshold;         /* (groups * GROUP): what a rounded score must reach, one margin below `known` */
    float *scratch;           /* (capacity) */
    Candidate *kept;          /* (queries, capacity) */
    int64_t *count;
    uint8_t *undone;
} Scan;

/* How far a rounded score can be from the true one. The last terms are for the rounding of the sums, for that
   of the norms themselves, and for what underflows. */
static double margin(const Scan *scan, int64_t query) {
    double sums = (double)(scan->dim + 16) * 0x1p-23;
    double norm = scan->norm[query], residual = scan->residual[query];
    double rounded = scan->row_norm + scan->row_residual;
    double bound = residual * scan->row_norm + norm * scan->row_residual + sums * norm * rounded;
    return bound * (1 + sums) + (double)scan->dim * (1e-18 * (norm + residual + rounded) + 1e-37);
}

static void set_threshold(Scan *scan, int64_t query) {
    double least = scan->known[query] - margin(scan, query);
    scan->threshold[query] = least > -3e38 ? nextafterf((float)least, -INFINITY) : -INFINITY;
}

/* The k-th largest of n numbers, which it reorders. */
static float kth_largest(float *values, int64_t n, int64_t k) {
    int64_t low = 0, high = n - 1;
    while (low < high) {
        float pivot = values[(low + high) / 2];
        int64_t left = low, right = high;
        while (left <= right) {
            while (values[left] > pivot) left++;
            while (values[right] < pivot) right--;
            if (left <= right) {
                float other = values[left];
                values[left++] = values[right];
                values[right--] = other;
            }
        }
        if (k - 1 <= right)
            high = right;
        else if (k - 1 >= left)
            low = left;
        else
            break;
    }
    return values[k - 1];
}

/* Throw out what cannot be among the k best any more; give the query up when that leaves too many. */
static void thin_out(Scan *scan, int64_t query) {
    Candidate *kept = scan->kept + query * scan->capacity;
    int64_t count = scan->count[query], left = 0;
    if (count >= scan->k) {
        for (int64_t i = 0; i < count; i++) scan->scratch[i] = kept[i].score;
        double least = kth_largest(scan->scratch, count, scan->k) - margin(scan, query);
        if (least > scan->known[query]) scan->known[query] = least;
    }
    set_threshold(scan, query);
    for (int64_t i = 0; i < count; i++)
        if (kept[i].score >= scan->threshold[query]) kept[left++] = kept[i];
    scan->count[query] = left;
    if (left > scan->capacity * 3 / 4) {
        scan->undone[query] = 1;
        scan->count[query] = 0;
        scan->threshold[query] = INFINITY;
    }
}

FAST static __m512i rounded_pair(const float *row, int64_t left, __m512 *squares, __m512 *lost) {
    __mmask16 low = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
    __mmask16 high = left >= 32 ? 0xffff : left <= 16 ? 0 : (__mmask16)((1u << (left - 16)) - 1);
    __m512 first = _mm512_maskz_loadu_ps(low, row), second = _mm512_maskz_loadu_ps(high, row + 16);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
    __m512i first_bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(both)), 16);
    __m512i second_bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16);
    __m512 first_lost = _mm512_sub_ps(first, (__m512)first_bits);
    __m512 second_lost = _mm512_sub_ps(second, (__m512)second_bits);
    *squares = _mm512_fmadd_ps(second, second, _mm512_fmadd_ps(first, first, *squares));
    *lost = _mm512_fmadd_ps(second_lost, second_lost, _mm512_fmadd_ps(first_lost, first_lost, *lost));
    return both;
}

FAST static void transpose(__m512i r[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        __m512i even = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
        __m512i even_high = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
        __m512i odd = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
        __m512i odd_high = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
        t[i] = _mm512_shuffle_i32x4(even, even_high, 0x88);
        t[8 + i] = _mm512_shuffle_i32x4(even, even_high, 0xdd);
        t[4 + i] = _mm512_shuffle_i32x4(odd, odd_high, 0x88);
        t[12 + i] = _mm512_shuffle_i32x4(odd, odd_high, 0xdd);
    }
    memcpy(r, t, sizeof t);
}

static void largest(double *so_far, double squares) {
    if (sqrt(squares) > *so_far) *so_far = sqrt(squares);
}

/* Round numbers (dim) into (padded) pairs, zeros at the end; the sums of squares of them, and of what was lost. */
FAST static void round_row(const Scan *scan, const float *row, uint32_t *rounded, double *squares, double *lost) {
    __m512 all = _mm512_setzero_ps(), off = all;
    for (int64_t at = 0; at < scan->dim; at += 32)
        _mm512_storeu_si512(rounded + at / 2, rounded_pair(row + at, scan->dim - at, &all, &off));
    *squares = _mm512_reduce_add_ps(all);
    *lost = _mm512_reduce_add_ps(off);
}

/* Round PANEL rows (zeros where there are fewer) into (pairs, PANEL), and note the largest norms. */
FAST static void pack_panel(Scan *scan, const float *rows, int64_t count, uint32_t *panel) {
    for (int64_t first = 0; first < PANEL; first += 16) {
        for (int64_t i = 0; i < 16; i++) {
            double squares = 0, lost = 0;
            uint32_t *rounded = scan->sixteen + i * scan->padded;
            if (first + i < count)
                round_row(scan, rows + (first + i) * scan->dim, rounded, &squares, &lost);
            else
                memset(rounded, 0, (size_t)scan->padded * sizeof *rounded);
            largest(&scan->row_norm, squares);
            largest(&scan->row_residual, lost);
        }
        for (int64_t pair = 0; pair < scan->pairs; pair += 16) {
            __m512i tile[16];
            for (int i = 0; i < 16; i++) tile[i] = _mm512_loadu_si512(scan->sixteen + i * scan->padded + pair);
            transpose(tile);
            for (int64_t i = 0; i < 16 && pair + i < scan->pairs; i++)
                _mm512_storeu_si512(panel + (pair + i) * PANEL + first, tile[i]);
        }
    }
}

FAST static void pack_queries(Scan *scan, const float *queries) {
    for (int64_t query = 0; query < scan->queries; query++) {
        double squares, lost;
        round_row(scan, queries + query * scan->dim, scan->packed_queries + query * scan->padded, &squares, &lost);
        scan->residual[query] = sqrt(lost);
        scan->norm[query] = sqrt(squares) + sqrt(lost);
    }
}

static void keep(Scan *scan, int64_t query, float score, int64_t row) {
    if (scan->undone[query] || score < scan->threshold[query] || row >= scan->rows) return;
    if (scan->count[query] == scan->capacity) {
        thin_out(scan, query);
        if (scan->undone[query] || score < scan->threshold[query]) return;
    }
    scan->kept[query * scan->capacity + scan->count[query]++] = (Candidate){score, (int32_t)row};
}

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

/* Put one row in its place among the k best so far: higher scores first, then smaller rows. */
static void rank(float *scores, int32_t *rows, int64_t k, float score, int32_t row) {
    int64_t at = k;
    while (at > 0 && (rows[at - 1] < 0 || scores[at - 1] < score ||
                      (scores[at - 1] == score && rows[at - 1] > row)))
        at--;
    if (at == k) return;
    memmove(scores + at + 1, scores + at, (size_t)(k - 1 - at) * sizeof *scores);
    memmove(rows + at + 1, rows + at, (size_t)(k - 1 - at) * sizeof *rows);
    scores[at] = score;
    rows[at] = row;
}

static void release(Scan *scan) {
    void *owned[] = {scan->packed_queries, scan->sixteen, scan->packed_rows, scan->norm, scan->residual, scan->known,
                     scan->threshold,      scan->scratch,     scan->kept, scan->count};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

static int64_t chunk_panels(const Scan *scan) {
    int64_t most = CHUNK_BYTES / (scan->pairs * PANEL * 4), all = (scan->rows + PANEL - 1) / PANEL;
    return most < 1 ? 1 : most < all ? most : all;
}

static int reserve(Scan *scan) {
    size_t padded = (size_t)(scan->groups * GROUP), queries = (size_t)scan->queries;
    scan->packed_queries = calloc(padded * (size_t)scan->padded, sizeof *scan->packed_queries);
    scan->sixteen = malloc(16 * (size_t)scan->padded * sizeof *scan->sixteen);
    scan->packed_rows = malloc((size_t)(chunk_panels(scan) * PANEL * scan->pairs) * sizeof *scan->packed_rows);
    scan->norm = calloc(queries, sizeof *scan->norm);
    scan->residual = calloc(queries, sizeof *scan->residual);
    scan->known = malloc(queries * sizeof *scan->known);
    scan->threshold = malloc(padded * sizeof *scan->threshold);
    scan->scratch = malloc((size_t)scan->capacity * sizeof *scan->scratch);
    scan->kept = malloc(queries * (size_t)scan->capacity * sizeof *scan->kept);
    scan->count = calloc(queries, sizeof *scan->count);
    return scan->packed_queries && scan->sixteen && scan->packed_rows && scan->norm && scan->residual && scan->known &&
           scan->threshold && scan->scratch && scan->kept && scan->count;
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
            scan.threshold[query] = INFINITY;
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
