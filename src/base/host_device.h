// CAFFE2RT_HD: marks arithmetic that processor and GPU share, so that both compute the same and the
// processor's tests cover it. Nothing for a compiler that knows no CUDA.
#pragma once

#ifdef __CUDACC__
#define CAFFE2RT_HD __host__ __device__
#else
#define CAFFE2RT_HD
#endif
