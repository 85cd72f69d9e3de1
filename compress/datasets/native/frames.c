// tf.train.SequenceExample without segments.
#include "record.h"

static const Name SEGMENT_MARK = {(const uint8_t *)"segment_start_times", 19};

// Where the frames of one feature go, and how many of them.
typedef struct {
    uint8_t *first;
    int64_t stride, dim, room, max_frames;
} Column;

static bool open_step(Span step, int64_t dim, Span *value) {
    Feature feature;
    return open_feature(step, &feature) && only_bytes(feature, value) && size_of(*value) == dim;
}

static Outcome take_steps(Span list, Column column, int64_t *count) {
    // The bytes before the frame, tags and sizes, are the same for every frame of a usual list: once understood,
    // comparing is enough. Only set where nothing follows the frame inside its step.
    Span header = {0};
    while (list.at < list.end) {
        Span start = list, value;
        if (header.at && size_of(list) >= size_of(header) + column.dim &&
            !memcmp(list.at, header.at, (size_t)size_of(header))) {
            value = (Span){list.at + size_of(header), list.at + size_of(header) + column.dim};
            list.at = value.end;
        } else {
            Field field;
            if (!next_field(&list, &field)) return REFUSED;
            if (field.number != 1 || field.wire != BYTES) continue;
            if (!open_step(field.bytes, column.dim, &value)) return REFUSED;
            if (value.end == field.bytes.end) header = (Span){start.at, value.at};
        }
        if (*count < column.max_frames) {
            if (*count >= column.room) return NEEDS_ROWS;
            memcpy(column.first + *count * column.stride, value.at, (size_t)column.dim);
        }
        ++*count;
    }
    return TAKEN;
}

static bool are_sound_steps(Span list) {
    while (list.at < list.end) {
        Field field;
        Feature feature;
        if (!next_field(&list, &field)) return false;
        if (field.number != 1 || field.wire != BYTES) continue;
        if (!open_feature(field.bytes, &feature) || !is_sound(feature)) return false;
    }
    return true;
}

static Outcome take_list(Span entry, const Schema *schema, Block *block) {
    Span key, list;
    if (!open_entry(entry, &key, &list)) return REFUSED;
    int64_t number = feature_number(key, schema);
    if (number < 0) return are_sound_steps(list) ? TAKEN : REFUSED;
    if (schema->found[number] >= 0) return REFUSED;
    schema->found[number] = 0;
    int64_t before = 0;
    for (int64_t k = 0; k < number; k++) before += schema->dims[k];
    Column column = {block->row_of + block->rows * schema->dim + before, schema->dim, schema->dims[number],
                     block->max_rows - block->rows, schema->max_frames};
    return take_steps(list, column, &schema->found[number]);
}

static Outcome take_context_entry(Span entry, const Schema *schema, Block *block, Context *context) {
    Span key, value;
    Feature feature;
    if (!open_entry(entry, &key, &value) || !open_feature(value, &feature)) return REFUSED;
    if (equals(key, SEGMENT_MARK)) return REFUSED;
    return take_context(key, feature, schema, block, context);
}

// A map: of context features (field 1 of the message) or of feature lists (field 2).
static Outcome take_map(Field map, const Schema *schema, Block *block, Context *context) {
    Outcome outcome = TAKEN;
    while (map.bytes.at < map.bytes.end && outcome == TAKEN) {
        Field field;
        if (!next_field(&map.bytes, &field)) return REFUSED;
        if (field.number != 1 || field.wire != BYTES) continue;
        outcome = map.number == 1 ? take_context_entry(field.bytes, schema, block, context)
                                  : take_list(field.bytes, schema, block);
    }
    return outcome;
}

Outcome take_frames(Span message, const Schema *schema, Block *block) {
    Context context = {.has_id = false};
    for (int64_t number = 0; number < schema->num_features; number++) schema->found[number] = -1;
    while (message.at < message.end) {
        Field field;
        if (!next_field(&message, &field)) return REFUSED;
        if (field.wire != BYTES || field.number > 2) continue;
        Outcome outcome = take_map(field, schema, block, &context);
        if (outcome != TAKEN) return outcome;
    }
    int64_t frames = schema->found[0];
    for (int64_t number = 0; number < schema->num_features; number++)
        if (schema->found[number] != frames || frames < 1) return REFUSED;
    return finish(&context, frames < schema->max_frames ? frames : schema->max_frames, schema, block);
}
