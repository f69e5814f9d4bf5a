// CAFFE2RT_VECTOR_CLONES: compiles a function once for each width of vector registers; the processor's own is
// chosen when the program starts. For short loops over plain arrays that the compiler vectorises.
#pragma once

// Sanitizers cannot run the start-up choice, which comes before they are set up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define CAFFE2RT_VECTOR_CLONES [[gnu::target_clones("avx512f", "avx2", "default")]]
#else
#define CAFFE2RT_VECTOR_CLONES
#endif
