// Three parts of the data at a time: the instruction takes three cycles, but can start in each one. What the three
// give is joined by tables that append zeros (M. Adler, zlib's crc32_combine and "fast CRC-32C", 2013).

#include "crc32c.h"

#include <stdbool.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define POLYNOMIAL 0x82f63b78u

#if defined(__x86_64__)
#include <nmmintrin.h>
#define HARDWARE __attribute__((target("sse4.2")))
#define STEP_8(crc, word) ((uint32_t)_mm_crc32_u64(crc, word))
#define STEP_1(crc, byte) _mm_crc32_u8(crc, byte)
static bool has_instruction(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__) && (defined(__linux__) || defined(__APPLE__))
#define HARDWARE
// In assembly, for compilers differ in how they want to be told that the instruction is there.
static inline uint32_t STEP_8(uint32_t crc, uint64_t word) {
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    return crc;
}
static inline uint32_t STEP_1(uint32_t crc, uint8_t byte) {
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
    return crc;
}
#if defined(__linux__)
#include <sys/auxv.h>
static bool has_instruction(void) { return getauxval(AT_HWCAP) >> 7 & 1; }
#else
static bool has_instruction(void) { return true; }
#endif
#endif

static uint32_t bytes_ahead[8][256];  // [k][byte]: the CRC of a byte with k zeros behind it

EXPORTED uint32_t crc32c_portable(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (; size >= 8; data += 8, size -= 8) {
        crc ^= data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
        crc = bytes_ahead[7][crc & 0xff] ^ bytes_ahead[6][crc >> 8 & 0xff] ^ bytes_ahead[5][crc >> 16 & 0xff] ^
              bytes_ahead[4][crc >> 24] ^ bytes_ahead[3][data[4]] ^ bytes_ahead[2][data[5]] ^
              bytes_ahead[1][data[6]] ^ bytes_ahead[0][data[7]];
    }
    for (; size; data++, size--) crc = bytes_ahead[0][(crc ^ *data) & 0xff] ^ crc >> 8;
    return ~crc;
}

#ifdef HARDWARE
enum { LONG = 1024, SHORT = 128 };  // bytes of each of the three parts
typedef uint32_t Zeros[4][256];     // [k][byte]: what many zeros make of that byte at place k of a CRC
static Zeros long_zeros, short_zeros;

static inline uint32_t append(const Zeros zeros, uint32_t crc) {
    return zeros[0][crc & 0xff] ^ zeros[1][crc >> 8 & 0xff] ^ zeros[2][crc >> 16 & 0xff] ^ zeros[3][crc >> 24];
}

static inline uint64_t word_at(const uint8_t *data) {
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

#define THREE_PARTS(part, zeros)                                                  \
    for (; size >= 3 * part; data += 3 * part, size -= 3 * part) {                \
        uint32_t second = 0, third = 0;                                           \
        for (size_t at = 0; at < part; at += 8) {                                 \
            crc = STEP_8(crc, word_at(data + at));                                \
            second = STEP_8(second, word_at(data + part + at));                   \
            third = STEP_8(third, word_at(data + 2 * part + at));                 \
        }                                                                         \
        crc = append(zeros, append(zeros, crc) ^ second) ^ third;                 \
    }

HARDWARE static uint32_t by_instruction(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffffu;
    THREE_PARTS(LONG, long_zeros)
    THREE_PARTS(SHORT, short_zeros)
    for (; size >= 8; data += 8, size -= 8) crc = STEP_8(crc, word_at(data));
    for (; size; data++, size--) crc = STEP_1(crc, *data);
    return ~crc;
}

static void fill_zeros(Zeros zeros, int count) {
    for (int bit = 0; bit < 32; bit++) {  // linear: the rest are sums of what becomes of single bits
        uint32_t crc = 1u << bit;
        for (int zero = 0; zero < count; zero++) crc = bytes_ahead[0][crc & 0xff] ^ crc >> 8;
        for (int byte = 0; byte < 256; byte++)
            if (byte >> bit % 8 & 1) zeros[bit / 8][byte] ^= crc;
    }
}

static bool hardware;
#endif

__attribute__((constructor)) static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        bytes_ahead[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t crc = bytes_ahead[k - 1][byte];
            bytes_ahead[k][byte] = bytes_ahead[0][crc & 0xff] ^ crc >> 8;
        }
#ifdef HARDWARE
    fill_zeros(long_zeros, LONG);
    fill_zeros(short_zeros, SHORT);
    hardware = has_instruction();
#endif
}

EXPORTED uint32_t crc32c(const uint8_t *data, size_t size) {
#ifdef HARDWARE
    if (hardware) return by_instruction(data, size);
#endif
    return crc32c_portable(data, size);
}
