// Yuv: what a frame of luma with chroma of half its width and height is besides its luma. Where its chroma
// lies and how colours come of it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace caffe2rt {

// Colours from samples that 128 was taken from, in 256ths: red = luma y + red_of_v v and so on, and 128 back
// on.
struct YuvMatrix {
  std::int16_t luma = 298, red_of_v = 409, blue_of_u = 516, green_of_u = -100, green_of_v = -208;
};

// Of the weights of red and blue in luma, as ITU-R BT.601 (0.299, 0.114), BT.709 (0.2126, 0.0722) and BT.2020
// (0.2627, 0.0593) have them, for samples of 0..255 or of 16..235 and 16..240.
inline YuvMatrix yuv_matrix(double red, double blue, bool full_range) {
  const double green = 1 - red - blue, luma = 256 * (full_range ? 1 : 255 / 219.0),
               chroma = 256 * (full_range ? 1 : 255 / 224.0);
  const auto whole = [](double value) { return static_cast<std::int16_t>(std::lrint(value)); };
  return {whole(luma), whole(chroma * 2 * (1 - red)), whole(chroma * 2 * (1 - blue)),
          whole(-chroma * 2 * blue * (1 - blue) / green), whole(-chroma * 2 * red * (1 - red) / green)};
}

// What chroma a column of pixels has.
enum class ChromaFilter {
  kNearest,  // its pair's
  kBetween,  // three quarters of its pair's and one of the neighbour's: chroma lies between the two columns
  kCosited,  // its pair's on the left, the mean of both neighbours on the right: chroma lies on the left ones
};

struct Yuv {
  const std::uint8_t *u = nullptr, *v = nullptr;  // the first samples of blue's and red's difference
  std::ptrdiff_t stride = 0;                      // bytes from one row of chroma to the next
  int step = 1;                                   // bytes from one sample to the next: 2 for NV12, 1 for I420
  ChromaFilter columns = ChromaFilter::kNearest;
  bool rows_between = false;  // rows as with kBetween; else each has its pair's
  YuvMatrix matrix;
};

}  // namespace caffe2rt
