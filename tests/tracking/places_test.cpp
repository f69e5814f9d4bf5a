#include "tracking/places.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace caffe2rt {
namespace {

std::string refusal(std::vector<Place> (*read)(const std::string&), const std::string& text) {
  try {
    read(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "taken";
}

TEST(Places, LinesAreReadInPixelsAndPartsOfTheFrame) {
  const std::vector<Place> lines = read_lines(" gate:100,200,500,220 ; door : 0%, 80%, 100%, 80% ;");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].name, "gate");
  EXPECT_EQ(lines[1].name, "door");
  const auto gate = lines[0].points({480, 640}), door = lines[1].points({480, 640});
  EXPECT_EQ(gate[1].x, 500);
  EXPECT_EQ(gate[1].y, 220);
  EXPECT_EQ(door[1].x, 640);
  EXPECT_EQ(door[1].y, 384);
}

TEST(Places, ZonesHaveThreeCornersOrMore) {
  const std::vector<Place> zones = read_zones("yard:0,0,10,0,10,10;b:0,0,10,0,10,10,0,10,-5,5.5");
  ASSERT_EQ(zones.size(), 2U);
  EXPECT_EQ(zones[0].points({480, 640}).size(), 3U);
  EXPECT_EQ(zones[1].points({480, 640}).size(), 5U);
}

TEST(Places, NothingIsNothing) {
  EXPECT_TRUE(read_lines("").empty());
  EXPECT_TRUE(read_zones(" ; ").empty());
}

TEST(Places, WhatIsWrongIsQuoted) {
  using testing::AllOf;
  using testing::HasSubstr;
  EXPECT_THAT(refusal(read_lines, "1,2,3,4"), AllOf(HasSubstr("lines: expected name:x1,y1,x2,y2"),
                                                    HasSubstr("got '1,2,3,4': it has no name")));
  EXPECT_THAT(refusal(read_lines, ":1,2,3,4"), HasSubstr("it has no name"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,3"), HasSubstr("it has 3 numbers"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,3,4,5,6"), HasSubstr("it has 6 numbers"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,x,4"), HasSubstr("'x' is no number"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,,4"), HasSubstr("'' is no number"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,inf,4"), HasSubstr("'inf' is no number"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,1,2"), HasSubstr("its two points are the same"));
  EXPECT_THAT(refusal(read_lines, "a:1,2,3,4;a:5,6,7,8"), HasSubstr("the name 'a' is taken"));
  EXPECT_THAT(refusal(read_zones, "z:1,2,3,4"), HasSubstr("zones: expected name:x1,y1,x2,y2,x3,y3"));
}

}  // namespace
}  // namespace caffe2rt
