/* Which rows may still be among the k best of a query, as far as rounded scores can tell. */

#include <math.h>
#include <string.h>

#include "scan.h"

/* How far a rounded score can be from the true one. The last terms are for the rounding of the sums, for that
   of the norms themselves, and for what underflows. */
static double margin(const Scan *scan, int64_t query) {
    double sums = (double)(scan->dim + 16) * 0x1p-23;
    double norm = scan->norm[query], residual = scan->residual[query];
    double rounded = scan->row_norm + scan->row_residual;
    double bound = residual * scan->row_norm + norm * scan->row_residual + sums * norm * rounded;
    return bound * (1 + sums) + (double)scan->dim * (1e-18 * (norm + residual + rounded) + 1e-37);
}

void set_threshold(Scan *scan, int64_t query) {
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
void thin_out(Scan *scan, int64_t query) {
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

/* Put one row in its place among the k best so far: higher scores first, then smaller rows. */
void rank(float *scores, int32_t *rows, int64_t k, float score, int32_t row) {
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
