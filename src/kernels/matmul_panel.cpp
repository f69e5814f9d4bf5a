#include "kernels/matmul_panel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul_panel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/matmul-inl.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::matmul {
namespace HWY_NAMESPACE {

size_t PanelWidth() { return kWide; }

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::matmul
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::matmul {

HWY_EXPORT(PanelWidth);

size_t panel_width() { return HWY_DYNAMIC_DISPATCH(PanelWidth)(); }

}  // namespace caffe2rt::matmul
#endif
