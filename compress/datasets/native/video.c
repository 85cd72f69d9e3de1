// tf.train.Example.
#include "record.h"

static Outcome take_entry(Span entry, const Schema *schema, Block *block, Context *context) {
    Span key, value;
    Feature feature;
    if (!open_entry(entry, &key, &value) || !open_feature(value, &feature)) return REFUSED;
    int64_t number = feature_number(key, schema);
    if (number < 0) return take_context(key, feature, schema, block, context);
    if (schema->found[number] >= 0) return REFUSED;
    schema->found[number] = 1;
    int64_t before = 0;
    for (int64_t k = 0; k < number; k++) before += schema->dims[k];
    uint8_t *row = block->row_of + 4 * (block->videos * schema->dim + before);
    return copy_floats(feature, schema->dims[number], row) ? TAKEN : REFUSED;
}

static Outcome take_features(Span features, const Schema *schema, Block *block, Context *context) {
    Outcome outcome = TAKEN;
    while (features.at < features.end && outcome == TAKEN) {
        Field field;
        if (!next_field(&features, &field)) return REFUSED;
        if (field.number == 1 && field.wire == BYTES) outcome = take_entry(field.bytes, schema, block, context);
    }
    return outcome;
}

Outcome take_video(Span message, const Schema *schema, Block *block) {
    Context context = {.has_id = false};
    for (int64_t number = 0; number < schema->num_features; number++) schema->found[number] = -1;
    while (message.at < message.end) {
        Field field;
        if (!next_field(&message, &field)) return REFUSED;
        if (field.number != 1 || field.wire != BYTES) continue;
        Outcome outcome = take_features(field.bytes, schema, block, &context);
        if (outcome != TAKEN) return outcome;
    }
    for (int64_t number = 0; number < schema->num_features; number++)
        if (schema->found[number] < 0) return REFUSED;
    return finish(&context, 1, schema, block);
}
