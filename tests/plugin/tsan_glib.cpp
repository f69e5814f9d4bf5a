// Shows ThreadSanitizer how GLib and GStreamer order threads. Both are built without it, on locks of their
// own (futexes) and inline atomics, so that a frame handed from one thread to another through them looks like
// a race. Here their functions are wrapped: what one thread did before it let go of a lock, a queue or a
// reference happened before what the next does that takes it. Nothing of our own is excused.
#ifdef __SANITIZE_THREAD__

#include <dlfcn.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <class F>
F* next(F*, const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}
// The function that a wrapper of the same name stands before.
#define REAL(name) static const auto real = next(&(name), #name)

void take(const void* p) { __tsan_acquire(const_cast<void*>(p)); }
void leave(const void* p) { __tsan_release(const_cast<void*>(p)); }

// Hands the first value on to a thread that is about to begin.
struct Beginning {
  GThreadFunc function;
  gpointer data;
};
gpointer begin(gpointer data) {
  take(data);
  const Beginning beginning = *static_cast<Beginning*>(data);
  delete static_cast<Beginning*>(data);
  return beginning.function(beginning.data);
}

}  // namespace

#define LOCK(type, lock_name, unlock_name)    \
  extern "C" void(lock_name)(type * lock) {   \
    REAL(lock_name);                          \
    real(lock);                               \
    take(lock);                               \
  }                                           \
  extern "C" void(unlock_name)(type * lock) { \
    REAL(unlock_name);                        \
    leave(lock);                              \
    real(lock);                               \
  }

LOCK(GMutex, g_mutex_lock, g_mutex_unlock)
LOCK(GRecMutex, g_rec_mutex_lock, g_rec_mutex_unlock)
LOCK(GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_unlock)
LOCK(GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_unlock)

extern "C" void(g_cond_wait)(GCond* cond, GMutex* lock) {
  REAL(g_cond_wait);
  leave(lock);
  real(cond, lock);
  take(lock);
}
extern "C" gboolean(g_cond_wait_until)(GCond* cond, GMutex* lock, gint64 end) {
  REAL(g_cond_wait_until);
  leave(lock);
  const gboolean woken = real(cond, lock, end);
  take(lock);
  return woken;
}

extern "C" void(g_async_queue_push)(GAsyncQueue* queue, gpointer data) {
  REAL(g_async_queue_push);
  leave(queue);
  real(queue, data);
}
#define POP(name, parameters, arguments)  \
  extern "C" gpointer(name) parameters {  \
    REAL(name);                           \
    const gpointer data = real arguments; \
    take(queue);                          \
    return data;                          \
  }
POP(g_async_queue_pop, (GAsyncQueue * queue), (queue))
POP(g_async_queue_try_pop, (GAsyncQueue * queue), (queue))
POP(g_async_queue_timeout_pop, (GAsyncQueue * queue, guint64 timeout), (queue, timeout))

extern "C" GThread*(g_thread_try_new)(const gchar* name, GThreadFunc function, gpointer data,
                                      GError** error) {
  REAL(g_thread_try_new);
  auto* beginning = new Beginning{function, data};
  leave(beginning);
  return real(name, begin, beginning, error);
}

extern "C" void(gst_mini_object_unref)(GstMiniObject* object) {
  REAL(gst_mini_object_unref);
  leave(object);
  take(object);
  real(object);
}
extern "C" void(g_object_unref)(gpointer object) {
  REAL(g_object_unref);
  leave(object);
  take(object);
  real(object);
}
extern "C" void(gst_object_unref)(gpointer object) {
  REAL(gst_object_unref);
  leave(object);
  take(object);
  real(object);
}

#endif
