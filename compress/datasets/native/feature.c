#include "feature.h"

bool open_feature(Span message, Feature *feature) {
    feature->kind = NOTHING;
    while (message.at < message.end) {
        Field field;
        if (!next_field(&message, &field)) return false;
        if (field.wire != BYTES || field.number > INT64_LIST) continue;
        if (feature->kind != NOTHING) return false;
        feature->kind = field.number;
        feature->list = field.bytes;
    }
    return true;
}

bool open_entry(Span entry, Span *key, Span *value) {
    bool found[3] = {false};
    while (entry.at < entry.end) {
        Field field;
        if (!next_field(&entry, &field)) return false;
        // protobuf's parsers do not agree on an entry with a field that they do not know
        if (field.wire != BYTES || field.number > 2 || found[field.number]) return false;
        found[field.number] = true;
        *(field.number == 1 ? key : value) = field.bytes;
    }
    if (!found[1] || !found[2]) return false;
    for (const uint8_t *letter = key->at; letter < key->end; letter++)
        if (*letter > 0x7f) return false;
    return true;
}

bool only_bytes(Feature feature, Span *value) {
    int64_t count = 0;
    if (feature.kind != BYTES_LIST) return false;
    while (feature.list.at < feature.list.end) {
        Field field;
        if (!next_field(&feature.list, &field)) return false;
        if (field.number != 1 || field.wire != BYTES) continue;
        *value = field.bytes;
        count++;
    }
    return count == 1;
}

// Copies floats of 4 bytes; whether all are finite. Without a branch a float, so that compilers vectorise it.
static bool copy_finite(uint8_t *out, const uint8_t *in, int64_t count) {
    uint32_t any_infinite = 0;
    for (int64_t k = 0; k < count; k++) {
        uint32_t bits;
        memcpy(&bits, in + 4 * k, 4);
        memcpy(out + 4 * k, &bits, 4);
        any_infinite |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return !any_infinite;
}

bool copy_floats(Feature feature, int64_t count, uint8_t *out) {
    int64_t done = 0;
    if (feature.kind != FLOAT_LIST) return false;
    while (feature.list.at < feature.list.end) {
        Field field;
        if (!next_field(&feature.list, &field)) return false;
        if (field.number != 1 || (field.wire != BYTES && field.wire != FOUR_BYTES)) continue;
        int64_t size = size_of(field.bytes), floats = size / 4;
        if (size % 4 || floats > count - done) return false;
        if (!copy_finite(out + 4 * done, field.bytes.at, floats)) return false;
        done += floats;
    }
    return done == count;
}

static bool take_integer(uint64_t value, uint64_t end, int32_t *out, int64_t room, int64_t *count) {
    if (value >= end) return false;
    if (*count < room) out[*count] = (int32_t)value;
    ++*count;
    return true;
}

static bool walk_integers(Span list, uint64_t end, int32_t *out, int64_t room, int64_t *count) {
    while (list.at < list.end) {
        Field field;
        if (!next_field(&list, &field)) return false;
        if (field.number != 1) continue;
        if (field.wire == NUMBER && !take_integer(field.value, end, out, room, count)) return false;
        if (field.wire != BYTES) continue;
        while (field.bytes.at < field.bytes.end) {
            uint64_t value;
            if (!read_varint(&field.bytes, 10, &value)) return false;
            if (!take_integer(value, end, out, room, count)) return false;
        }
    }
    return true;
}

bool copy_integers(Feature feature, uint64_t end, int32_t *out, int64_t room, int64_t *count) {
    *count = 0;
    if (feature.kind == NOTHING) return true;
    return feature.kind == INT64_LIST && walk_integers(feature.list, end, out, room, count);
}

bool is_sound(Feature feature) {
    if (feature.kind == NOTHING) return true;
    while (feature.list.at < feature.list.end) {
        Field field;
        if (!next_field(&feature.list, &field)) return false;
        if (field.number != 1 || field.wire != BYTES) continue;
        if (feature.kind == FLOAT_LIST && size_of(field.bytes) % 4) return false;
        uint64_t value;
        while (feature.kind == INT64_LIST && field.bytes.at < field.bytes.end)
            if (!read_varint(&field.bytes, 10, &value)) return false;
    }
    return true;
}
