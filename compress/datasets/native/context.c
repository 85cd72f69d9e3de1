#include "record.h"

#include <stdlib.h>

enum { MAX_ID_BYTES = 1024, FEW = 32 };

static const Name LABELS = {(const uint8_t *)"labels", 6};

Outcome take_context(Span key, Feature feature, const Schema *schema, Block *block, Context *context) {
    if (equals(key, schema->id_key)) {
        if (context->has_id || !only_bytes(feature, &context->id)) return REFUSED;
        context->has_id = true;
        return TAKEN;
    }
    if (equals(key, LABELS)) {
        int64_t room = block->max_classes - block->classes;
        if (context->has_labels) return REFUSED;
        context->has_labels = true;
        if (!copy_integers(feature, (uint64_t)schema->num_classes, block->class_of + block->classes, room,
                           &context->num_labels))
            return REFUSED;
        return context->num_labels > room ? NEEDS_CLASSES : TAKEN;
    }
    return is_sound(feature) ? TAKEN : REFUSED;
}

static int ascending(const void *left, const void *right) {
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

static int64_t sort_distinct(int32_t *classes, int64_t count) {
    if (count > FEW) qsort(classes, (size_t)count, sizeof *classes, ascending);
    for (int64_t k = 1; k < count && count <= FEW; k++) {
        int32_t moved = classes[k];
        int64_t to = k;
        for (; to > 0 && classes[to - 1] > moved; to--) classes[to] = classes[to - 1];
        classes[to] = moved;
    }
    int64_t kept = count > 0;
    for (int64_t k = 1; k < count; k++)
        if (classes[k] != classes[kept - 1]) classes[kept++] = classes[k];
    return kept;
}

// ASCII without NUL; other ids may well be UTF-8, Python knows.
static bool is_plain(Span id) {
    uint8_t any = 0;
    for (const uint8_t *letter = id.at; letter < id.end; letter++) any |= *letter | (uint8_t)(*letter - 1);
    return any < 0x80;
}

Outcome finish(const Context *context, int64_t num_frames, const Schema *schema, Block *block) {
    Span id = context->id;
    int64_t size = context->has_id ? size_of(id) : 0;
    if (size < 1 || size > MAX_ID_BYTES || !is_plain(id)) return REFUSED;
    if (size > block->id_width) return NEEDS_WIDER_IDS;
    uint8_t *cell = block->ids + block->videos * block->id_width;
    memcpy(cell, id.at, (size_t)size);
    memset(cell + size, 0, (size_t)(block->id_width - size));
    int64_t distinct = sort_distinct(block->class_of + block->classes, context->num_labels);
    block->num_labels[block->videos] = distinct;
    block->classes += distinct;
    if (schema->frame_level) block->num_frames[block->videos] = num_frames;
    block->rows += num_frames;
    block->videos++;
    return TAKEN;
}
