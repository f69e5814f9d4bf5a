// What an application does with the installed library: loads a model, looks at one picture, and lists what
// was seen. `detect DIR WIDTH HEIGHT < pixels`, of BGR, row after row.
#include <decode/paste_masks.h>
#include <model/model.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: detect DIR WIDTH HEIGHT < pixels\n");
    return 1;
  }
  try {
    const int width = std::atoi(argv[2]), height = std::atoi(argv[3]), stride = 3 * width;
    std::vector<unsigned char> pixels(static_cast<size_t>(stride) * height);
    if (std::fread(pixels.data(), 1, pixels.size(), stdin) != pixels.size()) {
      std::fprintf(stderr, "expected %zu bytes of pixels\n", pixels.size());
      return 1;
    }
    caffe2rt::ModelOptions options;
    caffe2rt::find_model_files(argv[1], options);
    const auto model = caffe2rt::load_model(options);
    const caffe2rt::FrameView frame{caffe2rt::PixelFormat::kBgr, width, height, stride, pixels.data()};
    const auto seen = model->detect({&frame, 1}, model->defaults())[0];
    for (size_t i = 0; i < seen->objects.size(); i++) {
      const caffe2rt::Object& object = seen->objects[i];
      const caffe2rt::PastedMask mask = caffe2rt::paste_mask(*seen, static_cast<int>(i));
      std::printf("class %d, score %.2f, mask %dx%d\n", object.class_id, object.score, mask.width,
                  mask.height);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "detect: %s\n", e.what());
    return 1;
  }
}
