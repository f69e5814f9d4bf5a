// What a zip file holds, by libzip.
#pragma once

#include <zip.h>

#include <string>

namespace caffe2rt {

struct CloseZip {
  void operator()(zip_t* zip) const { zip_discard(zip); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

// The bytes of entry `index`, unpacked. Throws Error: kLimit for more than `most`, kFormat where it is
// broken.
std::string read_zip_entry(zip_t* zip, zip_uint64_t index, zip_uint64_t most);

}  // namespace caffe2rt
