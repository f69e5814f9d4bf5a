#include "runtime/fused_kernels.h"

namespace caffe2rt::fused {

const Kernel<Convolution>& convolution() {
  static const Kernel<Convolution> kernel("mkldnn::_convolution_pointwise");
  return kernel;
}

const Kernel<ConvolutionAdd>& convolution_add() {
  static const Kernel<ConvolutionAdd> kernel("mkldnn::_convolution_pointwise", "binary");
  return kernel;
}

const Kernel<PackConvolution>& pack_convolution() {
  static const Kernel<PackConvolution> kernel("mkldnn::_reorder_convolution_weight");
  return kernel;
}

}  // namespace caffe2rt::fused
