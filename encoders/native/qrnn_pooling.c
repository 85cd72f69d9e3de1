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
#define BLOCK 64 /* channels of the backward pass at a time: 300 KB of scratch for 300 frames */

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
    const void *before;      /* (rows, G, H) numbers: the gates before bias, tanh and sigmoid */
    const int64_t *rows;     /* (B, T): where in `before` a frame is; negative: it is padding */
    const float *bias;       /* (G, H) */
    const uint8_t *kept;     /* (B, T, H), 1 where zoneout keeps the state; or (H,) */
    const float *start;      /* (B, H) the state before the first frame; NULL: 0 */
    void *h;                 /* (B, T, H) numbers: forward, written; 0 on padding */
    float *c;                /* (B, H): forward, the last state, written */
    const void *for_h;       /* (B, T, H) numbers: backward, the gradient of h */
    float *for_c;            /* (B, H): backward, in: the gradient of the last state; out: of the start */
    void *for_before;        /* (rows, G, H) numbers: backward, written where a frame is */
    float *for_bias;         /* (B, G, H): backward, written: each video's part */
    float *scratch;          /* (T, 4, min(H, BLOCK)) of each thread: backward */
};

INLINE int64_t frame_at(const struct pooling *p, int64_t video, int64_t step) {
    return video * p->frames + (p->reverse ? p->frames - 1 - step : step);
}

/* Channels from `first` on in one frame. */
struct frame {
    const void *before;
    const float *bias;
    const uint8_t *kept;
    int64_t size, first, count;
    int half, gates;
};

INLINE struct frame frame_of(const struct pooling *p, int64_t frame, int64_t first, int64_t count, int half,
                             int gates) {
    const char *row = (const char *)p->before + p->rows[frame] * gates * p->size * (half ? 2 : 4);
    const uint8_t *kept = p->kept + (p->kept_rows ? frame * p->size : 0);
    return (struct frame){row, p->bias, kept, p->size, first, count, half, gates};
}

/* Gate number `gate` of channel `first` + j before its nonlinearity. */
INLINE float gate_of(struct frame f, int64_t gate, int64_t j) {
    int64_t at = gate * f.size + f.first + j;
    return read(f.before, at, f.half) + f.bias[at];
}

/* One frame forward: c and h of all channels. */
INLINE void frame_forward(struct frame at, float *restrict c, void *restrict h) {
    INDEPENDENT
    for (int64_t j = 0; j < at.count; j++) {
        float z = hyperbolic_tangent(gate_of(at, 0, j)), f = sigmoid(gate_of(at, 1, j));
        float taken = at.gates == 4 ? sigmoid(gate_of(at, 3, j)) : 1.0f - f;
        float state = f * c[j] + taken * z;
        state = at.kept[j] ? c[j] : state;
        c[j] = state;
        if (at.gates >= 3) state *= sigmoid(gate_of(at, 2, j));
        write(h, j, state, at.half);
    }
}

INLINE void video_forward(const struct pooling *p, int64_t video, int half, int gates) {
    int64_t size = p->size, width = half ? 2 : 4;
    float *c = p->c + video * size;
    for (int64_t j = 0; j < size; j++) c[j] = p->start ? p->start[video * size + j] : 0.0f;
    for (int64_t step = 0; step < p->frames; step++) {
        int64_t frame = frame_at(p, video, step);
        char *h = (char *)p->h + frame * size * width;
        if (p->rows[frame] < 0)
            memset(h, 0, (size_t)(size * width));
        else
            frame_forward(frame_of(p, frame, 0, size, half, gates), c, h);
    }
}

/* What the backward pass remembers of one frame and block of channels; c: the state before the frame. */
struct memory {
    float *z, *f, *i, *c;
};

INLINE struct memory memory_of(const struct pooling *p, int64_t step, int64_t count) {
    float *first = p->scratch + step * 4 * count;
    return (struct memory){first, first + count, first + 2 * count, first + 3 * count};
}

INLINE void remember(struct frame at, struct memory m, float *restrict c) {
    INDEPENDENT
    for (int64_t j = 0; j < at.count; j++) {
        float z = hyperbolic_tangent(gate_of(at, 0, j)), f = sigmoid(gate_of(at, 1, j));
        float taken = at.gates == 4 ? sigmoid(gate_of(at, 3, j)) : 1.0f - f;
        float state = f * c[j] + taken * z;
        m.z[j] = z;
        m.f[j] = f;
        if (at.gates == 4) m.i[j] = taken;
        m.c[j] = c[j];
        c[j] = at.kept[at.first + j] ? c[j] : state;
    }
}

/* What walks backward in time with a block of channels. `c` is the state after the frame. */
struct walk {
    float c[BLOCK], for_c[BLOCK], for_bias[4][BLOCK];
};

/* One frame backward: the gradients of its gates into `out`; then `w` is that of the frame before it. */
INLINE void frame_backward(struct frame at, struct memory m, struct walk *w, const void *for_h, void *out) {
    INDEPENDENT
    for (int64_t j = 0; j < at.count; j++) {
        float z = m.z[j], f = m.f[j], previous = m.c[j];
        float gradient = read(for_h, at.first + j, at.half), reached = w->for_c[j];
        if (at.gates >= 3) {
            float o = sigmoid(gate_of(at, 2, j)), for_o = gradient * w->c[j] * o * (1.0f - o);
            write(out, 2 * at.size + at.first + j, for_o, at.half);
            w->for_bias[2][j] += for_o;
            gradient *= o;
        }
        reached += gradient;
        int kept = at.kept[at.first + j];
        float moved = kept ? 0.0f : reached;
        float taken = at.gates == 4 ? m.i[j] : 1.0f - f;
        float for_z = moved * taken * (1.0f - z * z);
        float for_f = moved * (at.gates == 4 ? previous : previous - z) * f * (1.0f - f);
        write(out, at.first + j, for_z, at.half);
        write(out, at.size + at.first + j, for_f, at.half);
        w->for_bias[0][j] += for_z;
        w->for_bias[1][j] += for_f;
        if (at.gates == 4) {
            float for_i = moved * z * taken * (1.0f - taken);
            write(out, 3 * at.size + at.first + j, for_i, at.half);
            w->for_bias[3][j] += for_i;
        }
        w->for_c[j] = kept ? reached : reached * f;
        w->c[j] = previous;
    }
}

INLINE void block_backward(const struct pooling *p, int64_t video, int64_t first, int64_t count, int half,
                           int gates) {
    int64_t size = p->size, width = half ? 2 : 4;
    struct walk w;
    memset(&w, 0, sizeof w);
    for (int64_t j = 0; j < count; j++) {
        w.c[j] = p->start ? p->start[video * size + first + j] : 0.0f;
        w.for_c[j] = p->for_c[video * size + first + j];
    }
    for (int64_t step = 0; step < p->frames; step++) {
        int64_t frame = frame_at(p, video, step);
        if (p->rows[frame] >= 0)
            remember(frame_of(p, frame, first, count, half, gates), memory_of(p, step, count), w.c);
    }
    for (int64_t step = p->frames - 1; step >= 0; step--) {
        int64_t frame = frame_at(p, video, step);
        if (p->rows[frame] < 0) continue;
        const char *for_h = (const char *)p->for_h + frame * size * width;
        char *out = (char *)p->for_before + p->rows[frame] * gates * size * width;
        struct frame at = frame_of(p, frame, first, count, half, gates);
        frame_backward(at, memory_of(p, step, count), &w, for_h, out);
    }
    size_t bytes = (size_t)count * sizeof(float);
    memcpy(p->for_c + video * size + first, w.for_c, bytes);
    for (int64_t gate = 0; gate < gates; gate++)
        memcpy(p->for_bias + (video * gates + gate) * size + first, w.for_bias[gate], bytes);
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
