// PropertyTable: the GObject properties of an element, each said once: its specification, and the field of a
// settings structure that it stands for.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace caffe2rt::gst {

inline constexpr auto kMutableReady =
    GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
inline constexpr auto kMutablePlaying =
    GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
inline constexpr auto kReadable = GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

// Registers an enumeration; `values` stay for good and end with a row of zeros.
inline GType register_enum(const char* name, const GEnumValue* values) {
  const GType type = g_enum_register_static(name, values);
  gst_type_mark_as_plugin_api(type, GstPluginAPIFlags(0));
  return type;
}

// A field of settings, as PropertyTable takes it. Presets of properties are those of the settings.
#define CAFFE2RT_FIELD(path) ([](auto& settings) -> auto& { return settings.path; })

// Properties get ids in the order in which they are added, from `first_id` on. Added once, in class_init;
// read by any thread after that.
template <class Settings>
class PropertyTable {
 public:
  using Set = std::function<void(Settings&, const GValue*)>;
  using Get = std::function<void(const Settings&, GValue*)>;

  explicit PropertyTable(guint first_id = 1) : first_id_(first_id) {}

  template <class Field>
  void text(const char* name, const char* nick, const char* blurb, Field field,
            GParamFlags flags = kMutablePlaying) {
    add(
        g_param_spec_string(name, nick, blurb, field(preset_).c_str(), flags),
        [field](Settings& s, const GValue* value) {
          const gchar* set = g_value_get_string(value);
          field(s) = set ? set : "";
        },
        [field](const Settings& s, GValue* value) { g_value_set_string(value, field(s).c_str()); });
  }

  template <class Field>
  void integer(const char* name, const char* nick, const char* blurb, Field field, int least, int most,
               GParamFlags flags = kMutablePlaying) {
    add(
        g_param_spec_int(name, nick, blurb, least, most, field(preset_), flags),
        [field](Settings& s, const GValue* value) { field(s) = g_value_get_int(value); },
        [field](const Settings& s, GValue* value) { g_value_set_int(value, field(s)); });
  }

  template <class Field>
  void number(const char* name, const char* nick, const char* blurb, Field field, double least, double most,
              GParamFlags flags = kMutablePlaying) {
    add(
        g_param_spec_double(name, nick, blurb, least, most, field(preset_), flags),
        [field](Settings& s, const GValue* value) { field(s) = g_value_get_double(value); },
        [field](const Settings& s, GValue* value) { g_value_set_double(value, field(s)); });
  }

  template <class Field>
  void flag(const char* name, const char* nick, const char* blurb, Field field,
            GParamFlags flags = kMutablePlaying) {
    add(
        g_param_spec_boolean(name, nick, blurb, field(preset_), flags),
        [field](Settings& s, const GValue* value) { field(s) = g_value_get_boolean(value); },
        [field](const Settings& s, GValue* value) { g_value_set_boolean(value, field(s)); });
  }

  // Of a C++ enumeration, or bool.
  template <class Field>
  void choice(const char* name, const char* nick, const char* blurb, GType type, Field field,
              GParamFlags flags = kMutablePlaying) {
    using Value = std::remove_reference_t<decltype(field(std::declval<Settings&>()))>;
    add(
        g_param_spec_enum(name, nick, blurb, type, static_cast<int>(field(preset_)), flags),
        [field](Settings& s, const GValue* value) { field(s) = static_cast<Value>(g_value_get_enum(value)); },
        [field](const Settings& s, GValue* value) { g_value_set_enum(value, static_cast<int>(field(s))); });
  }

  // Of a flags type, kept as guint.
  template <class Field>
  void flags(const char* name, const char* nick, const char* blurb, GType type, Field field,
             GParamFlags flags = kMutablePlaying) {
    add(
        g_param_spec_flags(name, nick, blurb, type, field(preset_), flags),
        [field](Settings& s, const GValue* value) { field(s) = g_value_get_flags(value); },
        [field](const Settings& s, GValue* value) { g_value_set_flags(value, field(s)); });
  }

  void add(GParamSpec* spec, Set set, Get get) { rows_.push_back({spec, std::move(set), std::move(get)}); }

  // The id that the next property gets.
  guint next_id() const { return first_id_ + static_cast<guint>(rows_.size()); }

  void install(GObjectClass* object) const {
    for (size_t i = 0; i < rows_.size(); i++)
      g_object_class_install_property(object, first_id_ + static_cast<guint>(i), rows_[i].spec);
  }

  // False for an id that is not in the table.
  bool set(Settings& settings, guint id, const GValue* value) const {
    return has(id) && (rows_[id - first_id_].set(settings, value), true);
  }
  bool get(const Settings& settings, guint id, GValue* value) const {
    return has(id) && (rows_[id - first_id_].get(settings, value), true);
  }

 private:
  bool has(guint id) const { return id >= first_id_ && id < next_id(); }

  struct Row {
    GParamSpec* spec;  // the class's, once installed
    Set set;
    Get get;
  };
  const guint first_id_;
  const Settings preset_{};
  std::vector<Row> rows_;
};

}  // namespace caffe2rt::gst
