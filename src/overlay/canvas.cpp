#include "overlay/canvas.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"

namespace caffe2rt {
namespace {

static_assert(std::endian::native == std::endian::little, "cairo's ARGB32 is B,G,R,A in memory");

constexpr double kMaskOpacity = 0.4, kBorderOpacity = 0.9;

// Pixels of a mask that lie within `radius` steps of its border.
std::vector<std::uint8_t> outline(const PastedMask& mask, int radius) {
  const int w = mask.width, h = mask.height;
  std::vector<std::uint8_t> inner = mask.pixels, next(inner.size());
  for (int step = 0; step < radius; step++) {
    const auto set = [&](int x, int y) { return x >= 0 && y >= 0 && x < w && y < h && inner[y * w + x]; };
    for (int y = 0, i = 0; y < h; y++)
      for (int x = 0; x < w; x++, i++)
        next[i] = set(x, y) && set(x - 1, y) && set(x + 1, y) && set(x, y - 1) && set(x, y + 1) ? 255 : 0;
    inner.swap(next);
  }
  for (size_t i = 0; i < inner.size(); i++) next[i] = mask.pixels[i] & ~inner[i];
  return next;
}

bool finite(std::span<const Point> points) {
  return std::all_of(points.begin(), points.end(),
                     [](const Point& p) { return std::isfinite(p.x) && std::isfinite(p.y); });
}

}  // namespace

void Overlay::Canvas::begin(int width, int height, const OverlayStyle& style) {
  if (width != width_ || height != height_) {
    surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height));
    require(cairo_surface_status(surface_.get()) == CAIRO_STATUS_SUCCESS, ErrorCode::kLimit,
            "cannot draw on a frame of {}x{} pixels: {}", width, height,
            cairo_status_to_string(cairo_surface_status(surface_.get())));
    cairo_.reset(cairo_create(surface_.get()));
    layout_.reset(pango_cairo_create_layout(cairo_.get()));
    width_ = width;
    height_ = height;
  } else {
    cairo_set_operator(cairo_.get(), CAIRO_OPERATOR_CLEAR);
    for (const Rect& r : touched_) cairo_rectangle(cairo_.get(), r.x1, r.y1, r.x2 - r.x1, r.y2 - r.y1);
    cairo_fill(cairo_.get());
  }
  touched_.clear();
  cairo_set_operator(cairo_.get(), CAIRO_OPERATOR_OVER);
  cairo_set_line_join(cairo_.get(), CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(cairo_.get(), CAIRO_LINE_CAP_ROUND);
  style_ = style;
  line_width_ =
      style.line_width > 0 ? style.line_width : std::max(1.0, std::round(std::min(width, height) / 240.0));
  cairo_set_line_width(cairo_.get(), line_width_);
  set_font();
}

void Overlay::Canvas::set_font() {
  constexpr double kSmallest = 9, kLargest = 40;  // pixels
  const std::string& name = style_.font;
  const std::unique_ptr<PangoFontDescription, Destroy<PangoFontDescription, pango_font_description_free>>
      font(pango_font_description_from_string(name.empty() ? "Sans" : name.c_str()));
  if (!(pango_font_description_get_set_fields(font.get()) & PANGO_FONT_MASK_SIZE))
    pango_font_description_set_absolute_size(
        font.get(), PANGO_SCALE * std::clamp(std::min(width_, height_) / 32.0, kSmallest, kLargest));
  pango_layout_set_font_description(layout_.get(), font.get());
  pango_layout_set_single_paragraph_mode(layout_.get(), TRUE);
  pango_layout_set_ellipsize(layout_.get(), PANGO_ELLIPSIZE_END);
}

void Overlay::Canvas::source(const Colour& colour, double alpha) {
  cairo_set_source_rgba(cairo_.get(), colour.red, colour.green, colour.blue, alpha * style_.opacity);
}

Point Overlay::Canvas::near(const Point& p) const {
  return {std::clamp(p.x, -1.0 * width_, 2.0 * width_), std::clamp(p.y, -1.0 * height_, 2.0 * height_)};
}

void Overlay::Canvas::touch(double x1, double y1, double x2, double y2) {
  const auto clip = [](double value, int most) {
    return static_cast<int>(std::clamp<double>(value, 0, most));
  };
  const Rect r{clip(std::floor(x1) - 1, width_), clip(std::floor(y1) - 1, height_),
               clip(std::ceil(x2) + 1, width_), clip(std::ceil(y2) + 1, height_)};
  if (r.x1 < r.x2 && r.y1 < r.y2) touched_.push_back(r);
}

void Overlay::Canvas::polygon(std::span<const Point> corners, const Colour& colour) {
  if (!finite(corners)) return;
  cairo_new_path(cairo_.get());  // text leaves a point behind
  for (size_t i = 0; i < corners.size(); i++) {
    const Point from = near(corners[i]), to = near(corners[(i + 1) % corners.size()]);
    cairo_line_to(cairo_.get(), from.x, from.y);
    // Each side for itself: what lies inside is not drawn on.
    touch(std::min(from.x, to.x) - line_width_, std::min(from.y, to.y) - line_width_,
          std::max(from.x, to.x) + line_width_, std::max(from.y, to.y) + line_width_);
  }
  cairo_close_path(cairo_.get());
  source(colour, 1);
  cairo_stroke(cairo_.get());
}

void Overlay::Canvas::line(const Point& from, const Point& to, const Colour& colour, double alpha) {
  const Point ends[] = {from, to};
  const double opacity = std::exchange(style_.opacity, style_.opacity * alpha);
  polygon(ends, colour);
  style_.opacity = opacity;
}

void Overlay::Canvas::dot(const Point& centre, const Colour& colour) {
  if (!finite({&centre, 1})) return;
  const double radius = 1.5 * line_width_;
  const Point p = near(centre);
  touch(p.x - radius, p.y - radius, p.x + radius, p.y + radius);
  source(colour, 1);
  cairo_new_path(cairo_.get());
  cairo_arc(cairo_.get(), p.x, p.y, radius, 0, 2 * G_PI);
  cairo_fill(cairo_.get());
}

void Overlay::Canvas::mask(const PastedMask& mask, const Colour& colour) {
  if (mask.pixels.empty()) return;
  touch(mask.x, mask.y, mask.x + mask.width, mask.y + mask.height);
  fill_mask(mask, mask.pixels, colour, kMaskOpacity);
  fill_mask(mask, outline(mask, std::max(1, static_cast<int>(line_width_ / 2))), colour, kBorderOpacity);
}

void Overlay::Canvas::fill_mask(const PastedMask& mask, const std::vector<std::uint8_t>& pixels,
                                const Colour& colour, double alpha) {
  const int stride = cairo_format_stride_for_width(CAIRO_FORMAT_A8, mask.width);
  std::vector<std::uint8_t> rows(static_cast<size_t>(stride) * mask.height);
  for (int y = 0; y < mask.height; y++)
    std::copy_n(&pixels[static_cast<size_t>(y) * mask.width], mask.width,
                &rows[static_cast<size_t>(y) * stride]);
  const Surface stencil(
      cairo_image_surface_create_for_data(rows.data(), CAIRO_FORMAT_A8, mask.width, mask.height, stride));
  source(colour, alpha);
  cairo_mask_surface(cairo_.get(), stencil.get(), mask.x, mask.y);
}

void Overlay::Canvas::labels(const LabelMap& labels,
                             const std::function<std::optional<Colour>(std::int32_t)>& colour_of) {
  const auto pixel = [&](const Colour& c, double alpha) {
    const double a = alpha * style_.opacity;
    const auto byte = [](double v) { return static_cast<std::uint32_t>(std::lround(v * 255)); };
    return byte(a) << 24 | byte(c.red * a) << 16 | byte(c.green * a) << 8 | byte(c.blue * a);
  };
  struct Pixels {
    std::uint32_t inside = 0, border = 0;  // B,G,R,A
  };
  std::map<std::int32_t, Pixels> known;
  const auto pixels_of = [&](std::int32_t id) {
    const auto [found, fresh] = known.try_emplace(id);
    if (const auto colour = fresh ? colour_of(id) : std::nullopt)
      found->second = {pixel(*colour, kMaskOpacity), pixel(*colour, kBorderOpacity)};
    return found;
  };
  std::vector<std::uint32_t> rows(labels.ids.size());
  const int w = labels.width, h = labels.height;
  const auto at = [&](int x, int y) { return labels.ids[static_cast<size_t>(y) * w + x]; };
  auto last = known.end();  // neighbours mostly have the same label
  for (int y = 0; y < h; y++) {
    for (int x = 0; x < w; x++) {
      const std::int32_t id = at(x, y);
      if (last == known.end() || last->first != id) last = pixels_of(id);
      const bool border = (x + 1 < w && at(x + 1, y) != id) || (y + 1 < h && at(x, y + 1) != id);
      rows[static_cast<size_t>(y) * w + x] = border ? last->second.border : last->second.inside;
    }
  }
  const Surface surface(cairo_image_surface_create_for_data(reinterpret_cast<std::uint8_t*>(rows.data()),
                                                            CAIRO_FORMAT_ARGB32, w, h, w * 4));
  cairo_set_source_surface(cairo_.get(), surface.get(), 0, 0);
  cairo_paint(cairo_.get());
  touch(0, 0, w, h);
}

double Overlay::Canvas::text(const std::string& text, const Point& corner, const Colour& colour) {
  constexpr int kMargin = 2;  // pixels around the text
  pango_layout_set_width(layout_.get(), -1);
  const std::unique_ptr<char, Free> valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  pango_layout_set_text(layout_.get(), valid.get(), -1);
  int w = 0, h = 0;
  pango_layout_get_pixel_size(layout_.get(), &w, &h);
  if (w > width_ - 2 * kMargin) {
    w = std::max(0, width_ - 2 * kMargin);
    pango_layout_set_width(layout_.get(), w * PANGO_SCALE);
  }
  const double plate_width = w + 2 * kMargin, plate_height = h;
  const double x = std::clamp(std::round(corner.x), 0.0, std::max(0.0, width_ - plate_width));
  const double y =
      std::clamp(std::round(corner.y) - plate_height, 0.0, std::max(0.0, height_ - plate_height));
  touch(x, y, x + plate_width, y + plate_height);
  source(colour, 0.85);
  cairo_rectangle(cairo_.get(), x, y, plate_width, plate_height);
  cairo_fill(cairo_.get());
  const double luma = 0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue;
  source(luma > 0.5 ? Colour{0, 0, 0} : Colour{1, 1, 1}, 1);
  // What a font draws beyond its plate must not stay behind when the plate is cleared.
  cairo_save(cairo_.get());
  cairo_rectangle(cairo_.get(), x, y, plate_width, plate_height);
  cairo_clip(cairo_.get());
  cairo_move_to(cairo_.get(), x + kMargin, y);
  pango_cairo_show_layout(cairo_.get(), layout_.get());
  cairo_restore(cairo_.get());
  return plate_height;
}

std::span<const OverlayPiece> Overlay::Canvas::pieces() {
  cairo_surface_flush(surface_.get());
  // Bands of rows: whoever blends handles every row of the frame once, however many things overlap there.
  std::vector<Rect> bands = touched_;
  std::sort(bands.begin(), bands.end(), [](const Rect& a, const Rect& b) { return a.y1 < b.y1; });
  size_t n = 0;
  for (const Rect& r : bands) {
    if (n > 0 && r.y1 < bands[n - 1].y2) {
      Rect& band = bands[n - 1];
      band = {std::min(band.x1, r.x1), band.y1, std::max(band.x2, r.x2), std::max(band.y2, r.y2)};
    } else {
      bands[n++] = r;
    }
  }
  bands.resize(n);
  const std::ptrdiff_t stride = cairo_image_surface_get_stride(surface_.get());
  const std::uint8_t* pixels = cairo_image_surface_get_data(surface_.get());
  pieces_.clear();
  for (const Rect& r : bands)
    pieces_.push_back({r.x1, r.y1, r.x2 - r.x1, r.y2 - r.y1, stride, pixels + r.y1 * stride + r.x1 * 4});
  return pieces_;
}

}  // namespace caffe2rt
