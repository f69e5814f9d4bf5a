# Describes GstCaffe2Meta's C API for Python and other languages (GstCaffe2-1.0.gir and .typelib), where GObject's tools
# are installed; a sanitizer's library cannot be loaded by them. Sets CAFFE2RT_TYPELIB_DIR.
find_program(G_IR_SCANNER g-ir-scanner)
find_program(G_IR_COMPILER g-ir-compiler)
if(NOT G_IR_SCANNER OR NOT G_IR_COMPILER OR CAFFE2RT_SANITIZE OR CMAKE_CROSSCOMPILING)
  return()
endif()

set(GIR ${CMAKE_CURRENT_BINARY_DIR}/GstCaffe2-1.0.gir)
set(TYPELIB ${CMAKE_CURRENT_BINARY_DIR}/GstCaffe2-1.0.typelib)
set(HEADERS ${CMAKE_CURRENT_SOURCE_DIR}/meta/gst/caffe2/gstcaffe2meta.h ${CMAKE_CURRENT_SOURCE_DIR}/meta/gst/caffe2/gstcaffe2tracks.h)
add_custom_command(
  OUTPUT ${GIR} ${TYPELIB}
  COMMAND ${G_IR_SCANNER} --quiet --warn-all --warn-error --namespace=GstCaffe2 --nsversion=1.0
          --identifier-prefix=GstCaffe2 --symbol-prefix=gst_caffe2 --symbol-prefix=gst --include=Gst-1.0
          --include=GstVideo-1.0 --pkg=gstreamer-video-1.0 --pkg-export=gstcaffe2meta-1.0
          --c-include=gst/caffe2/gstcaffe2tracks.h --library=gstcaffe2meta-1.0 -L$<TARGET_FILE_DIR:gstcaffe2meta-1.0>
          -I${CMAKE_CURRENT_SOURCE_DIR}/meta --output=${GIR} ${HEADERS}
  COMMAND ${G_IR_COMPILER} ${GIR} -o ${TYPELIB}
  DEPENDS gstcaffe2meta-1.0 ${HEADERS} VERBATIM)
add_custom_target(gstcaffe2_introspection ALL DEPENDS ${GIR} ${TYPELIB})
install(FILES ${GIR} DESTINATION ${CMAKE_INSTALL_DATADIR}/gir-1.0)
install(FILES ${TYPELIB} DESTINATION ${CMAKE_INSTALL_LIBDIR}/girepository-1.0)
set(CAFFE2RT_TYPELIB_DIR ${CMAKE_CURRENT_BINARY_DIR} CACHE INTERNAL "Where GstCaffe2-1.0.typelib is built")
