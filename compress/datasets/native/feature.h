// tf.train.Feature: one list of bytes, of floats or of integers; and the entries of the maps that hold features.
//
// Everything here returns false for what it does not fully understand, also for what protobuf would merge.
#ifndef COMPRESS_FEATURE_H
#define COMPRESS_FEATURE_H

#include "wire.h"

enum { NOTHING = 0, BYTES_LIST = 1, FLOAT_LIST = 2, INT64_LIST = 3 };

typedef struct {
    uint32_t kind;
    Span list;
} Feature;

// The list of a feature, NOTHING when it has none.
bool open_feature(Span message, Feature *feature);

// Key and value of a map entry: both there, once, nothing else, and the key ASCII.
bool open_entry(Span entry, Span *key, Span *value);

// The only value of a list of bytes.
bool only_bytes(Feature feature, Span *value);

// Exactly `count` finite floats, packed or not, as they stand in memory.
bool copy_floats(Feature feature, int64_t count, uint8_t *out);

// Up to `room` integers, each in [0, end); `count` tells how many there are, also of more than `room`.
bool copy_integers(Feature feature, uint64_t end, int32_t *out, int64_t room, int64_t *count);

// Whether protobuf could read the values, which nobody needs.
bool is_sound(Feature feature);

#endif
