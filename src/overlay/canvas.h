// Canvas: a cairo picture of a frame's size that remembers where it was drawn on, and the few shapes that
// overlays are made of. All coordinates are pixels of the frame, origin top left; what lies outside is cut
// off.
#pragma once

#include <pango/pangocairo.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decode/paste_masks.h"
#include "overlay/overlay.h"

namespace caffe2rt {

class Overlay::Canvas {
 public:
  // Clears what was drawn; another size takes a new picture.
  void begin(int width, int height, const OverlayStyle& style);

  int width() const { return width_; }
  int height() const { return height_; }
  const OverlayStyle& style() const { return style_; }
  double line_width() const { return line_width_; }

  void polygon(std::span<const Point> corners, const Colour& colour);
  void line(const Point& from, const Point& to, const Colour& colour, double alpha = 1);
  void dot(const Point& centre, const Colour& colour);

  // Fills the mask translucently and draws its outline.
  void mask(const PastedMask& mask, const Colour& colour);

  // Fills the frame translucently by its labels and draws the borders between them; labels without a colour
  // stay clear. colour_of() is asked once a label. REQUIRES: the map is of the frame's size.
  void labels(const LabelMap& labels, const std::function<std::optional<Colour>(std::int32_t)>& colour_of);

  // Writes on a plate of the colour, its lower left corner at `corner` or as near to it as the frame allows.
  // Returns the plate's height.
  double text(const std::string& text, const Point& corner, const Colour& colour);

  std::span<const OverlayPiece> pieces();

 private:
  template <class T, void (*destroy)(T*)>
  struct Destroy {
    void operator()(T* p) const { destroy(p); }
  };
  struct Unref {
    void operator()(gpointer p) const { g_object_unref(p); }
  };
  struct Free {
    void operator()(gpointer p) const { g_free(p); }
  };
  using Surface = std::unique_ptr<cairo_surface_t, Destroy<cairo_surface_t, cairo_surface_destroy>>;
  using Context = std::unique_ptr<cairo_t, Destroy<cairo_t, cairo_destroy>>;

  struct Rect {
    int x1, y1, x2, y2;
  };

  void set_font();
  void source(const Colour& colour, double alpha);
  void fill_mask(const PastedMask& mask, const std::vector<std::uint8_t>& pixels, const Colour& colour,
                 double alpha);

  // Notes that everything between the corners is about to be drawn on.
  void touch(double x1, double y1, double x2, double y2);

  // A point near enough to the frame for cairo's fixed-point numbers.
  Point near(const Point& p) const;

  int width_ = 0, height_ = 0;
  OverlayStyle style_;
  double line_width_ = 1;
  Surface surface_;
  Context cairo_;
  std::unique_ptr<PangoLayout, Unref> layout_;
  std::vector<Rect> touched_;
  std::vector<OverlayPiece> pieces_;
};

}  // namespace caffe2rt
