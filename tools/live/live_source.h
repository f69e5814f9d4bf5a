// livesrc: decoded frames of a camera or server that may go away and come back. It is one element whose
// timestamps only grow and whose downstream never stops; what fails is thrown away behind it and made anew.
#pragma once

namespace caffe2rt {

// Makes the element known in this process, by the name "livesrc". Call after gst_init.
void register_live_source();

}  // namespace caffe2rt
