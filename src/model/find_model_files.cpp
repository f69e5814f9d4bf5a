#include <filesystem>

#include "base/error.h"
#include "model/model.h"

namespace caffe2rt {

namespace fs = std::filesystem;

void find_model_files(const std::string& directory, ModelOptions& options) {
  require(fs::is_directory(directory), ErrorCode::kNotFound,
          "{}: expected a directory with model.pb and model_init.pb", directory);
  for (const auto& [predict, init] :
       {std::pair{"model", "model_init"}, std::pair{"predict_net", "init_net"}}) {
    for (const char* extension : {".pb", ".pbtxt"}) {
      const fs::path predict_file = fs::path(directory) / (std::string(predict) + extension);
      if (!fs::exists(predict_file)) continue;
      for (const char* init_extension : {".pb", ".pbtxt"}) {
        const fs::path init_file = fs::path(directory) / (std::string(init) + init_extension);
        if (!fs::exists(init_file)) continue;
        options.predict_net = predict_file.string();
        options.init_net = init_file.string();
        return;
      }
    }
  }
  fail(ErrorCode::kNotFound,
       "{}: expected model.pb and model_init.pb, or predict_net.pb and init_net.pb (or .pbtxt), and found "
       "neither pair",
       directory);
}

}  // namespace caffe2rt
