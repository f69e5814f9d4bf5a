#include "runtime/net_memory.h"

#include <ATen/ops/empty.h>
#include <malloc.h>

#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

bool has_heap() {
  const NetMemory memory;
  at::empty({1 << 20});
  return NetMemory::extent() > 0;
}

TEST(NetMemory, LargeTensorsComeFromItWhileOneLives) {
  if (!has_heap()) GTEST_SKIP() << "no heap under sanitizers";
  at::Tensor kept;
  const void* place = nullptr;
  {
    const NetMemory memory;
    kept = at::empty({100000});
    place = kept.data_ptr();
  }
  kept.fill_(1);
  kept.reset();  // after the NetMemory
  const at::Tensor elsewhere = at::empty({100000});
  EXPECT_NE(elsewhere.data_ptr(), place);
  const NetMemory memory;
  EXPECT_EQ(at::empty({100000}).data_ptr(), place);
}

// A net whose blobs are large enough to come from the heap, with oneDNN's scratch memory.
TEST(NetMemory, FramesAfterTheFirstFewAskTheSystemForNothing) {
  if (!has_heap()) GTEST_SKIP() << "no heap under sanitizers";
  const NetDef def = parse_net_text(R"(external_input: "x" external_output: "z"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 3 } arg { name: "pad" i: 1 } }
    op { type: "Relu" input: "y" output: "y" }
    op { type: "Conv" input: "y" input: "v" output: "z" arg { name: "kernel" i: 5 } arg { name: "stride" i: 2 } })");
  const auto net = CompiledNet::compile(def, {{"w", random({32, 16, 3, 3})}, {"v", random({16, 32, 5, 5})}});
  const at::Tensor x = random({1, 16, 200, 300});
  Workspace workspace;
  const at::Tensor first = net.run({{"x", x}}, workspace).at("z");
  at::Tensor last;
  for (int i = 0; i < 9; i++) last = net.run({{"x", x}}, workspace).at("z");
  const size_t extent = NetMemory::extent();
  const struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 10; i++) last = net.run({{"x", x}}, workspace).at("z");
  const struct mallinfo2 after = mallinfo2();
  EXPECT_EQ(NetMemory::extent(), extent);
  EXPECT_EQ(after.arena, before.arena);    // of the process's own heap
  EXPECT_EQ(after.hblkhd, before.hblkhd);  // of blocks that the system maps one by one
  EXPECT_TENSOR_EQ(last, first);
}

}  // namespace
}  // namespace caffe2rt
