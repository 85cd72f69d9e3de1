/* Plain C that the compiler vectorises, compiled once for each kind of x86-64 processor; elsewhere once. */

#ifndef COMPRESS_CODES_H
#define COMPRESS_CODES_H

#include <stdint.h>

/* GCC knows these names in target_clones since 12; the sanitizers run before the clones can be chosen. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && __GNUC__ >= 12 && \
    !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define EXPORTED __attribute__((visibility("default")))
#define INLINED static inline __attribute__((always_inline))

#endif
