/* The pooling of a QRNN layer from what the gates are before their nonlinearities, and its gradient.
 *
 * Source: Bradbury et al. 2016, section 2, as in encoders/layers/qrnn_pooling.py. A row of all channels is
 * as wide as any vector unit, so time is walked through frame by frame and nothing is read twice. The backward
 * pass computes the gates and states of a block of channels anew, into memory that stays in the cache, and so
 * needs nothing from the forward pass but its inputs.
 */
#include <stddef.h>

#include "activations.h"

#define EXPORT __attribute__((visibility("default")))
#define BLOCK 256 /* channels of the backward pass at a time */

#if defined(__x86_64__) && defined(__gnu_linux__)
#define FOR_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EVERY_PROCESSOR
#endif

#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#else
#define INDEPENDENT
#endif

/* B videos, T frames, H channels, G gates in the order z, f, o, i: G = 2 is f-pooling, 3 fo, 4 ifo.
 * All arrays are contiguous; "number" is float32 or, if `half`, bfloat16. */
struct pooling {
    int64_t frames, size, gates;
    int64_t half, reverse;   /* reverse: time runs from the last frame to the first */
    int64_t kept_rows;       /* whether `kept` has a row for each frame, not one for all of them */
    const void *before;      /* (B, T, G, H) numbers: the gates before tanh and sigmoid */
    const uint8_t *valid;    /* (B, T), 0 on padding; NULL: no padding */
    const uint8_t *kept;     /* (B, T, H), 1 where zoneout keeps the state; or (H,) */
    const float *start;      /* (B, H) the state before the first frame; NULL: 0 */
    void *h;                 /* (B, T, H) numbers: forward, written; 0 on padding */
    float *c;                /* (B, H): forward, the last state, written */
    const void *for_h;       /* (B, T, H) numbers: backward, the gradient of h */
    float *for_c;            /* (B, H): backward, in: the gradient of the last state; out: of the start */
    void *for_before;        /* (B, T, G, H) numbers: backward, written */
    float *scratch;          /* (T, 4, min(H, 256)) of each thread: backward */
};

INLINE int64_t frame_at(const struct pooling *p, int64_t video, int64_t step) {
    return video * p->frames + (p->reverse ? p->frames - 1 - step : step);
}

INLINE const uint8_t *kept_at(const struct pooling *p, int64_t frame) {
    return p->kept + (p->kept_rows ? frame * p->size : 0);
}

/* One frame forward: c and h of `count` channels from the first on. */
INLINE void frame_forward(const void *before, const uint8_t *kept, float *restrict c, void *restrict h,
                          int64_t size, int half, int gates) {
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) {
        float z = hyperbolic_tangent(read(before, j, half));
        float f = sigmoid(read(before, size + j, half));
        float taken = gates == 4 ? sigmoid(read(before, 3 * size + j, half)) : 1.0f - f;
        float state = f * c[j] + taken * z;
        state = kept[j] ? c[j] : state;
        c[j] = state;
        if (gates >= 3) state *= sigmoid(read(before, 2 * size + j, half));
        write(h, j, state, half);
    }
}

INLINE void video_forward(const struct pooling *p, int64_t video, int half, int gates) {
    int64_t size = p->size, width = half ? 2 : 4;
    float *c = p->c + video * size;
    for (int64_t j = 0; j < size; j++) c[j] = p->start ? p->start[video * size + j] : 0.0f;
    for (int64_t step = 0; step < p->frames; step++) {
        int64_t frame = frame_at(p, video, step);
        char *h = (char *)p->h + frame * size * width;
        if (p->valid && !p->valid[frame]) {
            memset(h, 0, (size_t)(size * width));
            continue;
        }
        const char *before = (const char *)p->before + frame * gates * size * width;
        frame_forward(before, kept_at(p, frame), c, h, size, half, gates);
    }
}

/* What the backward pass remembers of one frame and block of channels. */
struct memory {
    float *restrict z, *restrict f, *restrict i, *restrict c; /* c: the state before the frame */
};

INLINE struct memory memory_of(const struct pooling *p, int64_t step, int64_t count) {
    float *first = p->scratch + step * 4 * count;
    return (struct memory){first, first + count, first + 2 * count, first + 3 * count};
}

INLINE void remember(struct memory m, const void *before, const uint8_t *kept, float *restrict c, int64_t first,
                     int64_t count, int64_t size, int half, int gates) {
    INDEPENDENT
    for (int64_t j = 0; j < count; j++) {
        float z = hyperbolic_tangent(read(before, first + j, half));
        float f = sigmoid(read(before, size + first + j, half));
        float taken = gates == 4 ? sigmoid(read(before, 3 * size + first + j, half)) : 1.0f - f;
        float state = f * c[j] + taken * z;
        state = kept[first + j] ? c[j] : state;
        m.z[j] = z;
        m.f[j] = f;
        if (gates == 4) m.i[j] = taken;
        m.c[j] = c[j];
        c[j] = state;
    }
}

/* One frame backward. `c` is the state after it, and becomes the one before; `for_c` likewise. */
INLINE void frame_backward(struct memory m, const void *before, const uint8_t *kept, const void *for_h,
                           void *restrict out, float *restrict c, float *restrict for_c, int64_t first,
                           int64_t count, int64_t size, int half, int gates) {
    INDEPENDENT
    for (int64_t j = 0; j < count; j++) {
        float z = m.z[j], f = m.f[j], previous = m.c[j];
        float gradient = read(for_h, first + j, half), reached = for_c[j];
        if (gates >= 3) {
            float o = sigmoid(read(before, 2 * size + first + j, half));
            write(out, 2 * size + first + j, gradient * c[j] * o * (1.0f - o), half);
            gradient *= o;
        }
        reached += gradient;
        float moved = kept[first + j] ? 0.0f : reached;
        float taken = gates == 4 ? m.i[j] : 1.0f - f;
        float for_f = gates == 4 ? previous : previous - z;
        write(out, first + j, moved * taken * (1.0f - z * z), half);
        write(out, size + first + j, moved * for_f * f * (1.0f - f), half);
        if (gates == 4) write(out, 3 * size + first + j, moved * z * taken * (1.0f - taken), half);
        for_c[j] = kept[first + j] ? reached : reached * f;
        c[j] = previous;
    }
}

INLINE void block_backward(const struct pooling *p, int64_t video, int64_t first, int64_t count, int half,
                           int gates) {
    int64_t size = p->size, width = half ? 2 : 4;
    float c[BLOCK], for_c[BLOCK];
    for (int64_t j = 0; j < count; j++) {
        c[j] = p->start ? p->start[video * size + first + j] : 0.0f;
        for_c[j] = p->for_c[video * size + first + j];
    }
    for (int64_t step = 0; step < p->frames; step++) {
        int64_t frame = frame_at(p, video, step);
        if (p->valid && !p->valid[frame]) continue;
        const char *before = (const char *)p->before + frame * gates * size * width;
        const uint8_t *kept = kept_at(p, frame);
        remember(memory_of(p, step, count), before, kept, c, first, count, size, half, gates);
    }
    for (int64_t step = p->frames - 1; step >= 0; step--) {
        int64_t frame = frame_at(p, video, step), row = frame * gates * size * width;
        char *out = (char *)p->for_before + row;
        if (p->valid && !p->valid[frame]) {
            for (int64_t gate = 0; gate < gates; gate++)
                memset(out + (gate * size + first) * width, 0, (size_t)(count * width));
            continue;
        }
        const char *before = (const char *)p->before + row, *for_h = (const char *)p->for_h + frame * size * width;
        const uint8_t *kept = kept_at(p, frame);
        frame_backward(memory_of(p, step, count), before, kept, for_h, out, c, for_c, first, count, size, half,
                       gates);
    }
    memcpy(p->for_c + video * size + first, for_c, (size_t)count * sizeof *for_c);
}

INLINE void video_backward(const struct pooling *p, int64_t video, int half, int gates) {
    for (int64_t first = 0; first < p->size; first += BLOCK) {
        int64_t left = p->size - first;
        block_backward(p, video, first, left < BLOCK ? left : BLOCK, half, gates);
    }
}

/* One copy of the loops for each kind of pooling, so that nothing is asked inside them. */
#define ONE_KIND(direction, half, gates)                                                        \
    FOR_EVERY_PROCESSOR                                                                         \
    static void direction##_##half##gates(const struct pooling *p, int64_t video) {             \
        video_##direction(p, video, half, gates);                                               \
    }
#define EVERY_KIND(direction)                                                                   \
    ONE_KIND(direction, 0, 2)                                                                   \
    ONE_KIND(direction, 0, 3)                                                                   \
    ONE_KIND(direction, 0, 4)                                                                   \
    ONE_KIND(direction, 1, 2)                                                                   \
    ONE_KIND(direction, 1, 3)                                                                   \
    ONE_KIND(direction, 1, 4)                                                                   \
    EXPORT void qrnn_##direction(const struct pooling *p, int64_t from, int64_t to) {           \
        static void (*const kinds[2][3])(const struct pooling *, int64_t) = {                   \
            {direction##_02, direction##_03, direction##_04},                                   \
            {direction##_12, direction##_13, direction##_14}};                                  \
        if (p->gates < 2 || p->gates > 4) return;                                               \
        for (int64_t video = from; video < to; video++) kinds[p->half != 0][p->gates - 2](p, video); \
    }

EVERY_KIND(forward)
EVERY_KIND(backward)
