// Tracks detections of a video and writes what it found, both in the manner of the MOT challenge, for judging
// the tracker by MOTA and IDF1:
//
//   mot_tracker WIDTH HEIGHT FRAMES INTERVAL <detections >tracks
//
// A detection is a line "frame,class,x1,y1,x2,y2,score", sorted by frame from 0, at 30 frames a second; of
// frames that are no multiple of INTERVAL they are left out, as if nobody had looked. A track is a line
// "frame,id,x1,y1,x2,y2".
#include <cstdio>
#include <cstdlib>
#include <map>

#include "tracking/tracker.h"

int main(int argc, char** argv) {
  using namespace caffe2rt;
  if (argc != 5) return std::fputs("usage: mot_tracker WIDTH HEIGHT FRAMES INTERVAL\n", stderr), 1;
  const int width = std::atoi(argv[1]), height = std::atoi(argv[2]), frames = std::atoi(argv[3]),
            interval = std::atoi(argv[4]);
  std::map<int, std::vector<Object>> seen;
  int frame = 0;
  Object o;
  while (std::scanf("%d,%d,%f,%f,%f,%f,%f", &frame, &o.class_id, &o.box.x1, &o.box.y1, &o.box.x2, &o.box.y2,
                    &o.score) == 7)
    seen[frame].push_back(o);
  Tracker tracker({.drop_untracked = true});
  for (int i = 0; i < frames; i++) {
    Detections now;
    now.width = width;
    now.height = height;
    now.objects = seen[i];
    now = i % interval == 0 ? tracker.update(now, i / 30.0) : tracker.predict(i / 30.0);
    for (const Object& t : now.objects)
      std::printf("%d,%lld,%f,%f,%f,%f\n", i, static_cast<long long>(t.track_id), t.box.x1, t.box.y1,
                  t.box.x2, t.box.y2);
  }
}
