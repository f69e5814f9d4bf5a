// Overlay: draws what a model saw as pieces of picture to lay over the frame. The canvas is kept from frame
// to frame and only what was drawn on is cleared and handed out, so that the cost follows what there is to
// see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "decode/detections.h"
#include "frame/affine.h"
#include "overlay/trails.h"

namespace caffe2rt {

enum class ColourBy { kClass, kTrack };  // objects without a track: by class

struct OverlayStyle {
  bool boxes = true;
  bool labels = true;
  bool scores = true;
  bool masks = true;
  bool keypoints = true;
  bool panoptic = true;   // panoptic maps, in place of masks, and semantic ones
  bool ids = true;        // of tracks
  bool trails = false;    // where tracks came from
  int trail_length = 30;  // frames
  bool places = true;     // a tracker's lines and zones with their counts
  ColourBy colour_by = ColourBy::kClass;
  double line_width = 0;  // pixels; 0: by the frame's size
  std::string font;       // Pango font description; without a size in it: by the frame's size
  double opacity = 1;     // 0..1, of everything drawn
};

struct Colour {
  double red = 0, green = 0, blue = 0;  // 0..1
};

// The class's colour, the same in every frame and program; neighbouring classes are easy to tell apart.
Colour class_colour(int class_id);

// A rectangle of the drawing, inside the frame.
struct OverlayPiece {
  int x = 0, y = 0, width = 0, height = 0;  // pixels of the frame
  std::ptrdiff_t stride = 0;                // bytes
  const std::uint8_t* pixels = nullptr;     // B,G,R,A; colours are multiplied by alpha
};

// Use: begin(); draw...(); pieces(). One thread at a time.
class Overlay {
 public:
  Overlay();
  ~Overlay();

  // A clean sheet for a frame of that many pixels.
  void begin(int width, int height, const OverlayStyle& style);

  // Draws what was seen and what a tracker made of it; `map` leads from their frame to the one of begin().
  void draw(const Detections& detections, const Affine& map = {});

  // Draws one box (pixels of the frame) with its caption.
  void draw_box(const Box& box, const std::string& caption, int class_id);

  // Forgets the trails, as where a video begins elsewhere.
  void clear();

  // What was drawn: rows of no two pieces overlap. Valid until begin() or destruction.
  std::span<const OverlayPiece> pieces();

 private:
  class Canvas;

  Colour colour_of(const Object& object) const;
  void draw_caption(const Box& box, const std::string& text, const Colour& colour);
  void draw_areas(const Detections& detections, const Affine& map);
  void draw_keypoints(const Object& object, const Affine& map);
  void draw_trails();
  void draw_places(const Detections& detections, const Affine& map);

  const std::unique_ptr<Canvas> canvas_;
  Trails trails_;
};

// Lays pieces over an image of B,G,R bytes.
void blend(std::span<const OverlayPiece> pieces, std::uint8_t* bgr, std::ptrdiff_t stride);

}  // namespace caffe2rt
