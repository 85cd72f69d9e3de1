// Feeds changed records to the C reader; built with sanitizers, so that any access beside the bytes ends it.
//
//     fuzz video|frame MUTATIONS SEED SHARD
//
// Each round takes one record of the shard, changes it, frames it with right checksums (now and then wrong ones),
// and reads it as a shard of its own, from and into memory of exactly the size that the reader is told.
//
// Built with -DGUIDED -fsanitize=fuzzer it is a target of libFuzzer: the first byte says the level, the rest is
// one record, and what the reader has reached with it decides what is tried next.
#include "../../compress/datasets/native/crc32c.h"
#include "../../compress/datasets/native/record.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const uint8_t *bytes;
    int64_t size, remaining, at, index, data_size, needed;
} Chunk;

enum { BLOCK_FULL = 10, NEEDS_BYTES = 11, DAMAGED = 12, MAX_RECORDS = 4096 };

int read_chunk(Chunk *chunk, const Schema *schema, Block *block);

static uint64_t state;

static uint64_t random_below(uint64_t end) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (state >> 16) % end;
}

static void check(bool right, const char *what) {
    if (right) return;
    fprintf(stderr, "wrong: %s\n", what);
    abort();
}

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    check(file && !fseek(file, 0, SEEK_END), "no such shard");
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size);
    check(fread(bytes, 1, *size, file) == *size, "the shard cannot be read");
    fclose(file);
    return bytes;
}

static size_t change(uint8_t *data, size_t size, size_t room) {
    static const uint8_t telling[] = {0, 1, 2, 8, 10, 13, 18, 26, 0x7f, 0x80, 0xff};
    for (uint64_t changes = 1 + random_below(1 + random_below(4)); changes && size; changes--) {
        size_t at = random_below(size), run = 1 + random_below(12);
        switch (random_below(6)) {
            case 0: data[at] ^= (uint8_t)(1 << random_below(8)); break;
            case 1: data[at] = (uint8_t)random_below(256); break;
            case 2: data[at] = telling[random_below(sizeof telling)]; break;
            case 3: size = at; break;
            case 4:
                if (run > size - at) run = size - at;
                memmove(data + at, data + at + run, size - at - run);
                size -= run;
                break;
            default:
                if (size + run > room) break;
                memmove(data + at + run, data + at, size - at);
                for (size_t k = 0; k < run; k++) data[at + k] = data[random_below(size)];
                size += run;
        }
    }
    return size;
}

static void put_crc(uint8_t *at, const uint8_t *data, size_t size) {
    uint32_t crc = masked_crc32c(data, size);
    memcpy(at, &crc, sizeof crc);
}

// A block of one video in memory of just the size that it says.
static Block small_block(const Schema *schema, int64_t id_width, int64_t classes, int64_t rows) {
    Block block = {.max_videos = 1, .max_classes = classes, .max_rows = rows, .id_width = id_width};
    block.ids = malloc((size_t)id_width);
    block.num_labels = malloc(sizeof *block.num_labels);
    block.num_frames = malloc(sizeof *block.num_frames);
    block.class_of = malloc((size_t)classes * sizeof *block.class_of);
    block.row_of = malloc((size_t)(rows * schema->dim) * (schema->frame_level ? 1 : 4));
    return block;
}

static void check_block(const Block *block, const Schema *schema) {
    check(block->videos == 1 && block->classes == block->num_labels[0], "counts");
    check(block->classes <= block->max_classes && block->rows <= block->max_rows, "sizes");
    for (int64_t k = 0; k < block->classes; k++)
        check(block->class_of[k] >= (k ? block->class_of[k - 1] + 1 : 0) &&
                  block->class_of[k] < schema->num_classes, "classes");
    check(block->ids[0], "an empty id");
}

static int read_once(const uint8_t *bytes, size_t size, const Schema *schema, int64_t id_width, int64_t classes,
                     int64_t rows) {
    Chunk chunk = {.bytes = bytes, .size = (int64_t)size, .remaining = (int64_t)(size + random_below(3))};
    Block block = small_block(schema, id_width, classes, rows);
    int why = read_chunk(&chunk, schema, &block);
    if (why == BLOCK_FULL) check_block(&block, schema);
    check(chunk.at <= chunk.size && chunk.remaining >= 0, "the place in the chunk");
    free(block.ids), free(block.num_labels), free(block.num_frames), free(block.class_of), free(block.row_of);
    return why;
}

// Reads until there is room for everything; what became of the record.
static int read_shard(const uint8_t *bytes, size_t size, const Schema *schema) {
    int64_t id_width = 1 + (int64_t)random_below(20), classes = 1 + (int64_t)random_below(8);
    int64_t rows = 1 + (schema->frame_level ? (int64_t)random_below(9) : 0);
    for (;;) {
        int why = read_once(bytes, size, schema, id_width, classes, rows);
        if (why == NEEDS_WIDER_IDS) id_width *= 2;
        else if (why == NEEDS_CLASSES) classes *= 2;
        else if (why == NEEDS_ROWS) rows *= 2;
        else return why;
    }
}

// The schema of a level; its arrays are static.
static Schema schema_of(bool frames) {
    static int64_t dims[2] = {6, 3}, found[2];
    static const Name video_names[2] = {{(const uint8_t *)"mean_rgb", 8}, {(const uint8_t *)"mean_audio", 10}};
    static const Name frame_names[2] = {{(const uint8_t *)"rgb", 3}, {(const uint8_t *)"audio", 5}};
    return (Schema){.frame_level = frames, .num_classes = 10, .max_frames = 5, .num_features = 2, .dim = 9,
                    .id_key = {(const uint8_t *)"id", 2}, .names = frames ? frame_names : video_names,
                    .dims = dims, .found = found};
}

// A record with its length and both checksums, as it stands in a shard: size + 16 bytes.
static uint8_t *framed(const uint8_t *record, uint64_t size) {
    uint8_t *shard = malloc(size + 16);
    memcpy(shard, &size, 8), memcpy(shard + 12, record, size);
    put_crc(shard + 8, shard, 8), put_crc(shard + 12 + size, shard + 12, size);
    return shard;
}

#ifdef GUIDED

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return -1;
    Schema schema = schema_of(data[0] & 1);
    state = (uint64_t)masked_crc32c(data, size) * 2 + 1;
    uint8_t *shard = framed(data + 1, size - 1);
    read_shard(shard, size - 1 + 16, &schema);
    free(shard);
    return 0;
}

#else

int main(int count, char **words) {
    check(count == 5, "usage: fuzz video|frame MUTATIONS SEED SHARD");
    Schema schema = schema_of(!strcmp(words[1], "frame"));
    size_t size, starts[MAX_RECORDS], records = 0, full = 0, refused = 0, damaged = 0;
    uint8_t *seeds = read_file(words[4], &size);
    for (size_t at = 0; at < size && records < MAX_RECORDS; records++) {
        uint64_t length;
        memcpy(&length, seeds + at, 8);
        starts[records] = at;
        at += length + 16;
    }
    state = strtoull(words[3], NULL, 10) * 2 + 1;
    for (uint64_t rounds = strtoull(words[2], NULL, 10); rounds; rounds--) {
        size_t start = starts[random_below(records)];
        uint64_t length;
        memcpy(&length, seeds + start, 8);
        size_t room = length + 64;
        uint8_t *changed = malloc(room);
        memcpy(changed, seeds + start + 12, length);
        length = change(changed, length, room);
        uint8_t *shard = framed(changed, length);
        if (!random_below(50)) shard[random_below(length + 16)] ^= 4;
        if (!random_below(200)) {
            uint64_t claimed = length + random_below(UINT64_MAX);
            memcpy(shard, &claimed, 8), put_crc(shard + 8, shard, 8);
        }
        size_t at_hand = random_below(100) ? length + 16 : random_below(length + 17);
        uint8_t *exact = malloc(at_hand ? at_hand : 1);
        memcpy(exact, shard, at_hand);
        int why = read_shard(exact, at_hand, &schema);
        full += why == BLOCK_FULL, refused += why == REFUSED, damaged += why == DAMAGED;
        free(changed), free(shard), free(exact);
    }
    printf("taken %zu, refused %zu, damaged %zu\n", full, refused, damaged);
    free(seeds);
    return 0;
}

#endif
