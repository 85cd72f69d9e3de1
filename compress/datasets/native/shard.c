// The framing of TFRecord: length, its masked CRC, data, their masked CRC.
#include "crc32c.h"
#include "record.h"

enum { HEADER = 12, FOOTER = 4 };

// Bytes of a shard, and how far they are understood.
typedef struct {
    const uint8_t *bytes;
    int64_t size;      // of `bytes`
    int64_t remaining; // bytes of the shard from bytes[at] on, those not yet read too
    int64_t at;        // start of the first record that is not in the block
    int64_t index;     // its number in the shard
    int64_t data_size; // its size without framing, once both checksums are known to be right
    int64_t needed;    // bytes from `at` on to go on, with NEEDS_BYTES
} Chunk;

// Why reading stopped: as Outcome, or these.
enum { BLOCK_FULL = 10, NEEDS_BYTES = 11, DAMAGED = 12 };

static uint32_t stored_crc(const uint8_t *at) {
    uint32_t crc;
    memcpy(&crc, at, sizeof crc);
    return crc;
}

static int next_data(Chunk *chunk, Span *data) {
    const uint8_t *record = chunk->bytes + chunk->at;
    int64_t at_hand = chunk->size - chunk->at;
    uint64_t length;
    chunk->needed = HEADER + FOOTER;
    if (chunk->remaining < HEADER + FOOTER) return DAMAGED;
    if (at_hand < HEADER + FOOTER) return NEEDS_BYTES;
    memcpy(&length, record, sizeof length);
    if (masked_crc32c(record, 8) != stored_crc(record + 8)) return DAMAGED;
    if (length > (uint64_t)chunk->remaining - HEADER - FOOTER) return DAMAGED;
    chunk->needed = HEADER + (int64_t)length + FOOTER;
    if (at_hand < chunk->needed) return NEEDS_BYTES;
    *data = (Span){record + HEADER, record + HEADER + length};
    if (masked_crc32c(data->at, length) != stored_crc(data->end)) return DAMAGED;
    chunk->data_size = (int64_t)length;
    return TAKEN;
}

// Takes records from the chunk into the block until something else has to happen first; says what.
__attribute__((visibility("default"))) int read_chunk(Chunk *chunk, const Schema *schema, Block *block) {
    while (block->videos < block->max_videos) {
        Span data;
        int state = next_data(chunk, &data);
        if (state != TAKEN) return state;
        Outcome outcome = schema->frame_level ? take_frames(data, schema, block) : take_video(data, schema, block);
        if (outcome != TAKEN) return (int)outcome;
        chunk->at += chunk->needed;
        chunk->remaining -= chunk->needed;
        chunk->index++;
    }
    return BLOCK_FULL;
}
