#include "decode/detections.h"

namespace caffe2rt {

std::string Detections::label(int class_id) const {
  if (labels && class_id >= 0 && static_cast<size_t>(class_id) < labels->size()) return (*labels)[class_id];
  return "class " + std::to_string(class_id);
}

}  // namespace caffe2rt
