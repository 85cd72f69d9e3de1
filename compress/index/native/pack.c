/* float32 to bfloat16, two numbers to a word, in the order in which the scan reads them. */

#include "scan.h"

#ifdef HAS_BFLOAT16

#include <immintrin.h>
#include <math.h>
#include <string.h>

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

/* Round numbers (dim) into (padded) pairs, then zeros; sums of squares, of them and of what was lost. */
FAST static void round_row(const Scan *scan, const float *row, uint32_t *rounded, double *squares,
                           double *lost) {
    __m512 all = _mm512_setzero_ps(), off = all;
    for (int64_t at = 0; at < scan->dim; at += 32)
        _mm512_storeu_si512(rounded + at / 2, rounded_pair(row + at, scan->dim - at, &all, &off));
    *squares = _mm512_reduce_add_ps(all);
    *lost = _mm512_reduce_add_ps(off);
}

/* Round PANEL rows (zeros where there are fewer) into (pairs, PANEL), and note the largest norms. */
FAST void pack_panel(Scan *scan, const float *rows, int64_t count, uint32_t *panel) {
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
            for (int i = 0; i < 16; i++)
                tile[i] = _mm512_loadu_si512(scan->sixteen + i * scan->padded + pair);
            transpose(tile);
            for (int64_t i = 0; i < 16 && pair + i < scan->pairs; i++)
                _mm512_storeu_si512(panel + (pair + i) * PANEL + first, tile[i]);
        }
    }
}

FAST void pack_queries(Scan *scan, const float *queries) {
    for (int64_t query = 0; query < scan->queries; query++) {
        double squares, lost;
        uint32_t *rounded = scan->packed_queries + query * scan->padded;
        round_row(scan, queries + query * scan->dim, rounded, &squares, &lost);
        scan->residual[query] = sqrt(lost);
        scan->norm[query] = sqrt(squares) + sqrt(lost);
    }
}

#endif
