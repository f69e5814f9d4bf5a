// Logging by glog, the one place that includes it: c10 defines macros of the same names, which go first.
#pragma once

#ifdef LOG
#undef LOG
#endif
#ifdef VLOG
#undef VLOG
#endif
#ifdef LOG_IF
#undef LOG_IF
#endif
#ifdef CHECK
#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LE
#undef CHECK_LT
#undef CHECK_GE
#undef CHECK_GT
#undef CHECK_NOTNULL
#undef DCHECK
#undef DCHECK_EQ
#undef DCHECK_NE
#undef DCHECK_LE
#undef DCHECK_LT
#undef DCHECK_GE
#undef DCHECK_GT
#undef DCHECK_NOTNULL
#undef LOG_EVERY_N
#undef LOG_FIRST_N
#undef LOG_EVERY_MS
#undef VLOG_IF
#endif
#include <glog/logging.h>
