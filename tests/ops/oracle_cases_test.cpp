// What the original Caffe2 computed, recorded by tests/oracle/compare.py: every case in tests/data/oracle, or
// in the one file that CAFFE2RT_ORACLE_CASES names, must come out the same here.
#include <cstdlib>
#include <filesystem>
#include <set>

#include "runtime/npz.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// Another order of summation moves a float32 sum by some of its last bits, relative to the largest terms.
constexpr double kTolerance = 2e-5;

struct OracleCase {
  NetDef net;
  Blobs feeds;
  NamedTensors expected;
};

std::map<std::string, OracleCase> read_cases(const std::filesystem::path& file) {
  std::map<std::string, OracleCase> cases;
  for (const auto& [key, value] : read_npz(file)) {
    const std::string number = key.substr(0, key.find('/')), rest = key.substr(key.find('/') + 1);
    OracleCase& c = cases[number];
    if (rest == "net")
      c.net =
          parse_net_text({static_cast<const char*>(value.data_ptr()), static_cast<size_t>(value.numel())});
    else if (rest.starts_with("in/"))
      c.feeds[rest.substr(3)] = value;
    else if (rest.starts_with("out/"))
      c.expected[rest.substr(4)] = value;
  }
  return cases;
}

double largest(const at::Tensor& t) {
  double most = 1;
  const at::Tensor d = t.to(at::kDouble).contiguous();
  for (std::int64_t i = 0; i < d.numel(); i++) {
    const double v = std::abs(d.data_ptr<double>()[i]);
    if (std::isfinite(v)) most = std::max(most, v);
  }
  return most;
}

// Scores that are equal: which comes first there is up to the original's sort, which a GPU's does not follow.
bool has_ties(const std::filesystem::path& file, const std::string& number) {
  return file.filename() == "GenerateProposalsCPP.npz" && (number == "002" || number == "008");
}

void check_file(const std::filesystem::path& file) {
  for (const auto& [number, c] : read_cases(file)) {
    if (!test_device().is_cpu() && has_ties(file, number)) continue;
    SCOPED_TRACE(file.filename().string() + " case " + number);
    try {
      GraphOptions graph;
      for (const auto& feed : c.feeds) graph.feeds.push_back(feed.first);
      const auto net = CompiledNet::compile(c.net, {}, {.device = test_device(), .graph = graph});
      Workspace workspace;
      const Blobs results = net.run(c.feeds, workspace);
      for (const auto& [blob, expected] : c.expected) {
        SCOPED_TRACE("blob " + blob);
        const at::Tensor& actual = results.at(blob);
        if (!at::isFloatingType(expected.scalar_type()) || !at::isFloatingType(actual.scalar_type())) {
          EXPECT_TENSOR_EQ(actual, expected);
        } else {
          const double unit = largest(expected);
          EXPECT_TENSOR_NEAR(actual.div(unit), expected.div(unit), kTolerance);
        }
      }
    } catch (const Error& e) {
      ADD_FAILURE() << e.what();
    }
  }
}

TEST(OracleCases, ComeOutAsInTheOriginal) {
  if (const char* file = std::getenv("CAFFE2RT_ORACLE_CASES")) return check_file(file);
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(CAFFE2RT_TEST_DATA "/oracle"))
    files.insert(entry.path());
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) check_file(file);
}

}  // namespace
}  // namespace caffe2rt
