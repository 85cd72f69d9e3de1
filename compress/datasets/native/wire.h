// The protobuf wire format: a walk over tagged fields that never leaves the bytes it was given.
//
// Source: protobuf.dev/programming-guides/encoding. What real writers never produce (groups, tags of more than five
// bytes, numbers of more than 64 bits) is refused, legal or not.
#ifndef COMPRESS_WIRE_H
#define COMPRESS_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "shards are little-endian, and so is this code"
#endif

typedef struct {
    const uint8_t *at, *end;
} Span;

static inline int64_t size_of(Span span) { return span.end - span.at; }

enum { NUMBER = 0, EIGHT_BYTES = 1, BYTES = 2, FOUR_BYTES = 5 };

typedef struct {
    uint32_t number, wire;
    Span bytes;  // of every wire type but NUMBER
    uint64_t value;
} Field;

static inline bool read_varint(Span *from, int max_bytes, uint64_t *value) {
    uint64_t sum = 0;
    for (int k = 0; k < max_bytes; k++) {
        if (from->at == from->end) return false;
        uint64_t byte = *from->at++;
        if (k == 9 && byte > 1) return false;
        sum |= (byte & 0x7f) << 7 * k;
        if (byte < 0x80) {
            *value = sum;
            return true;
        }
    }
    return false;
}

static inline bool read_bytes(Span *from, uint64_t size, Span *bytes) {
    if (size > (uint64_t)size_of(*from)) return false;
    *bytes = (Span){from->at, from->at + size};
    from->at += size;
    return true;
}

// The next field of a message that has not ended; false when it is not understood.
static inline bool next_field(Span *message, Field *field) {
    uint64_t tag, size;
    if (!read_varint(message, 5, &tag) || tag > UINT32_MAX || tag < 8) return false;
    field->number = (uint32_t)(tag >> 3);
    field->wire = tag & 7;
    field->bytes = (Span){0};
    switch (field->wire) {
        case NUMBER: return read_varint(message, 10, &field->value);
        case EIGHT_BYTES: return read_bytes(message, 8, &field->bytes);
        case BYTES: return read_varint(message, 5, &size) && read_bytes(message, size, &field->bytes);
        case FOUR_BYTES: return read_bytes(message, 4, &field->bytes);
        default: return false;
    }
}

#endif
