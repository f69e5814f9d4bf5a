# nvcc for the CUDA module: machine code for the processors of data centres, and PTX for those to come.
if(NOT CMAKE_CUDA_COMPILER AND EXISTS /usr/local/cuda/bin/nvcc)
  set(CMAKE_CUDA_COMPILER /usr/local/cuda/bin/nvcc)
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
endif()
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
# libtorch's own: see FindLibtorch.cmake.
set(CMAKE_CUDA_RUNTIME_LIBRARY None)

# What decides on the last bit is computed as the processor does it: no product and sum in one rounding. Where
# rounding decides nothing a kernel calls fmaf itself.
add_library(cuda_options INTERFACE)
target_compile_options(cuda_options INTERFACE
  "$<$<COMPILE_LANGUAGE:CUDA>:--fmad=false;--expt-relaxed-constexpr;-Xcompiler=-Wall;-Xcompiler=-Wextra>"
  "$<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${CAFFE2RT_WERROR}>>:--Werror=all-warnings>")
target_include_directories(cuda_options SYSTEM INTERFACE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
