# Finds the libtorch inside a torch wheel, CPU half. The wheel's own TorchConfig.cmake stops where no CUDA toolkit is.
#
#   LIBTORCH_DIR   the wheel's folder `torch`; default: the one that tools/bootstrap.sh installs
#
# Makes the target Libtorch::cpu, and for CAFFE2RT_CUDA Libtorch::cuda.
set(CAFFE2RT_TORCH_VERSION 2.15.0)
file(GLOB _candidates
     "$ENV{CAFFE2RT_PREFIX}/libtorch-${CAFFE2RT_TORCH_VERSION}/lib/python3*/site-packages/torch"
     "/opt/gst-caffe2/libtorch-${CAFFE2RT_TORCH_VERSION}/lib/python3*/site-packages/torch")
find_path(LIBTORCH_DIR include/ATen/core/Tensor.h PATHS ${_candidates} NO_DEFAULT_PATH
          DOC "Folder `torch` of an installed torch wheel")
find_library(LIBTORCH_CPU torch_cpu PATHS ${LIBTORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(LIBTORCH_C10 c10 PATHS ${LIBTORCH_DIR}/lib NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS LIBTORCH_DIR LIBTORCH_CPU LIBTORCH_C10
  REASON_FAILURE_MESSAGE "run tools/bootstrap.sh, or name the folder of an installed torch wheel by -DLIBTORCH_DIR=")

if(Libtorch_FOUND AND NOT TARGET Libtorch::cpu)
  add_library(Libtorch::c10 SHARED IMPORTED)
  set_target_properties(Libtorch::c10 PROPERTIES
    IMPORTED_LOCATION ${LIBTORCH_C10}
    INTERFACE_INCLUDE_DIRECTORIES ${LIBTORCH_DIR}/include)
  add_library(Libtorch::cpu SHARED IMPORTED)
  set_target_properties(Libtorch::cpu PROPERTIES
    IMPORTED_LOCATION ${LIBTORCH_CPU}
    INTERFACE_INCLUDE_DIRECTORIES ${LIBTORCH_DIR}/include
    INTERFACE_COMPILE_DEFINITIONS "AT_PER_OPERATOR_HEADERS"
    INTERFACE_LINK_LIBRARIES Libtorch::c10)
endif()

# The CUDA half. It brings a CUDA runtime of its own, which has to be the one of everything in the process.
if(Libtorch_FOUND AND CAFFE2RT_CUDA AND NOT TARGET Libtorch::cuda)
  file(GLOB _cudart "${LIBTORCH_DIR}/../nvidia/*/lib/libcudart.so.*")
  find_library(LIBTORCH_CUDA torch_cuda PATHS ${LIBTORCH_DIR}/lib NO_DEFAULT_PATH REQUIRED)
  find_library(LIBTORCH_C10_CUDA c10_cuda PATHS ${LIBTORCH_DIR}/lib NO_DEFAULT_PATH REQUIRED)
  if(NOT _cudart)
    message(FATAL_ERROR "no CUDA runtime beside ${LIBTORCH_DIR}: run tools/bootstrap.sh --cuda")
  endif()
  list(GET _cudart 0 _cudart)
  get_filename_component(LIBTORCH_CUDART ${_cudart} REALPATH)
  add_library(Libtorch::cuda SHARED IMPORTED)
  set_target_properties(Libtorch::cuda PROPERTIES
    IMPORTED_LOCATION ${LIBTORCH_CUDA}
    INTERFACE_LINK_LIBRARIES "Libtorch::cpu;${LIBTORCH_C10_CUDA};${LIBTORCH_CUDART}")
endif()
