// Where the tensors of a run come from: a heap of their own in place of the system's, while a NetMemory
// lives.
#pragma once

#include <cstddef>

namespace caffe2rt {

// While one lives, large tensors that its thread makes, and oneDNN's scratch memory, come from the heap. They
// may outlive it, and any thread may release them. Tensors of other threads and other users of the tensor
// library are left alone.
class NetMemory {
 public:
  NetMemory();
  ~NetMemory();
  NetMemory(const NetMemory&) = delete;
  NetMemory& operator=(const NetMemory&) = delete;

  // Gives what no tensor uses back to the system.
  static void trim();

  // Bytes that were ever in use: it no longer grows after the first few runs of a net.
  static size_t extent();
};

}  // namespace caffe2rt
