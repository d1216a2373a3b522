#include <string.h>

#include "stroke.h"

/* A picture's coordinates have 8 fraction bits. */
enum { BLACK = -128, PIXEL = 256, MIDDLE = TML_STROKE_SIDE * PIXEL / 2, FILLED = 28 * PIXEL };

typedef struct {
  int32_t middle[2]; /* of the points, doubled */
  int32_t extent;    /* of the longer side */
} frame_t;

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t magnitude(int32_t a) { return a < 0 ? -a : a; }

static frame_t framed(const int16_t (*points)[2], uint32_t count) {
  frame_t frame = {.extent = 0};
  for (int side = 0; side < 2; side++) {
    int32_t least = points[0][side], most = least;
    for (uint32_t i = 1; i < count; i++) {
      const int32_t value = points[i][side];
      least = value < least ? value : least;
      most = value > most ? value : most;
    }
    frame.middle[side] = least + most;
    frame.extent = larger(frame.extent, most - least);
  }
  return frame;
}

static bool is_near(const int16_t *a, const int16_t *b, int32_t distance) {
  return magnitude(a[0] - b[0]) <= distance && magnitude(a[1] - b[1]) <= distance;
}

/* Where a point is in the picture, [across, down]. */
static void place(const frame_t *frame, const int16_t *point, int32_t *at) {
  at[0] = MIDDLE + (2 * point[0] - frame->middle[0]) * (FILLED / 2) / frame->extent;
  at[1] = MIDDLE - (2 * point[1] - frame->middle[1]) * (FILLED / 2) / frame->extent;
}

/* The colour of time `i` of `last`. */
static void paint(uint32_t i, uint32_t last, int8_t *colour) {
  const uint32_t t = 510 * i / last;
  const uint32_t late = t > 255 ? t - 255 : 0;
  colour[0] = (int8_t)(t < 255 ? (int32_t)(127 - t) : BLACK);
  colour[1] = (int8_t)((int32_t)(late > 0 ? 255 - late : t) + BLACK);
  colour[2] = (int8_t)((int32_t)late + BLACK);
}

static void draw_line(const int32_t *from, const int32_t *to, const int8_t *colour,
                      int8_t *picture) {
  const int32_t across = to[0] - from[0], down = to[1] - from[1];
  const int32_t steps = larger(magnitude(across), magnitude(down)) / PIXEL + 1;
  for (int32_t i = 0; i <= steps; i++) {
    const int32_t x = (from[0] + across * i / steps) / PIXEL;
    const int32_t y = (from[1] + down * i / steps) / PIXEL;
    memcpy(picture + (y * TML_STROKE_SIDE + x) * 3, colour, 3);
  }
}

void tml_stroke_draw(const int16_t (*points)[2], uint32_t count, int8_t *picture) {
  memset(picture, BLACK, TML_STROKE_BYTES);
  const frame_t frame = count > 0 ? framed(points, count) : (frame_t){.extent = 0};
  if (frame.extent == 0) {
    return;
  }
  uint32_t first = 0, last = count - 1;
  while (is_near(points[first + 1], points[0], frame.extent / 24)) {
    first++;
  }
  while (is_near(points[last - 1], points[count - 1], frame.extent / 24)) {
    last--;
  }
  int32_t from[2], to[2];
  place(&frame, points[first], from);
  for (uint32_t i = first; i < last; i++) {
    int8_t colour[3];
    paint(i - first, last - first, colour);
    place(&frame, points[i + 1], to);
    draw_line(from, to, colour, picture);
    memcpy(from, to, sizeof from);
  }
}
