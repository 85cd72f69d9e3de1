// Records -> the arrays of a block. compress/datasets/native_layout.py has the same structs; keep them alike.
#ifndef COMPRESS_RECORD_H
#define COMPRESS_RECORD_H

#include "feature.h"

typedef struct {
    const uint8_t *letters;
    int64_t size;
} Name;

// What every record has to be.
typedef struct {
    int64_t frame_level, num_classes;
    int64_t max_frames;  // what comes after is cut
    int64_t num_features, dim;
    Name id_key;
    const Name *names;   // (num_features,)
    const int64_t *dims; // (num_features,), which sum to dim
    int64_t *found;      // (num_features,), scratch: frames of each feature, -1 where it was not seen
} Schema;

// Arrays to be filled, their sizes, and how much of them is in use.
typedef struct {
    int64_t videos, classes, rows;
    int64_t max_videos, max_classes, max_rows, id_width;
    uint8_t *ids;          // (max_videos, id_width), zeros behind an id
    int64_t *num_labels;   // (max_videos,)
    int32_t *class_of;     // (max_classes,)
    uint8_t *row_of;       // float32 (max_videos, dim) or uint8 (max_rows, dim)
    int64_t *num_frames;   // (max_videos,); not used at video level
} Block;

// TAKEN: the record is in the block. REFUSED: it is not understood, Python has to look at it. Else: the block lacks
// room, and the same record can be tried again with more.
typedef enum { TAKEN, REFUSED, NEEDS_WIDER_IDS, NEEDS_CLASSES, NEEDS_ROWS } Outcome;

// The part of a record that both levels share.
typedef struct {
    Span id;
    bool has_id, has_labels;
    int64_t num_labels;
} Context;

Outcome take_video(Span message, const Schema *schema, Block *block);
Outcome take_frames(Span message, const Schema *schema, Block *block);

// A feature that is not one of the schema's: id, labels, or one that nobody needs.
Outcome take_context(Span key, Feature feature, const Schema *schema, Block *block, Context *context);

// Puts id and labels behind those of the block; the rows must be there already.
Outcome finish(const Context *context, int64_t num_frames, const Schema *schema, Block *block);

static inline bool equals(Span key, Name name) {
    return size_of(key) == name.size && !memcmp(key.at, name.letters, (size_t)name.size);
}

// Which of the features of the schema a key names, -1 for none.
static inline int64_t feature_number(Span key, const Schema *schema) {
    for (int64_t number = 0; number < schema->num_features; number++)
        if (equals(key, schema->names[number])) return number;
    return -1;
}

#endif
