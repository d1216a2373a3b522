/* stroke.h: from acceleration and rotation to pictures of strokes that a wand draws in the air.
 *
 * A sample is six int16: acceleration x y z in milli-g, gravity included, and rotation about x y z in
 * tenths of a degree per second, by the right hand, in the sensor's axes. A row is one whole picture,
 * int8 [32][32][3], of one stroke: what the wand pointed at between two rests.
 *
 * Rest: the samples of `rest_ms`, in blocks one after the other, in which no acceleration and no
 * rotation changes by more than `still_mg` and `still_ddps`, and the mean rotation is the drift that is
 * known, within a third of that; a drift that is new takes three blocks alike, the first one two.
 * Whoever rests for twice that time is sure to rest for a block. At rest the mean rotation is the gyroscope's drift, the mean acceleration
 * is up, and a stroke may begin.
 * Direction: from there on the rotation is integrated (to second order, 30 fraction bits). Two
 * directions that stay fixed in the world, to the right of where the wand points at rest and above it,
 * are turned against the sensor; a point is where the wand points along them. So a stroke looks the
 * same however the wand is rolled and wherever it points to, save straight up or down.
 * Stroke: points from a rest to the next one. One that is smaller than `least_ddeg` in both
 * directions, or lasts longer than `longest_ms`, is none.
 * Picture: as TensorFlow's magic wand (2021) has it, time is colour, red to green to blue, on black,
 * which is -128; lines are one pixel wide. Ours is centred, and its longer side fills 28 pixels, and
 * rest at the ends takes no time.
 *
 * Integers only, no heap, under 1 KB of state. How samples are cut into calls never changes a row.
 *
 *   tml_stroke_init(&stroke, &config);
 *   while (tml_stroke_push(&stroke, &samples, &count, picture)) {
 *     ... picture is a whole stroke
 *   }
 */
#ifndef TML_STROKE_H
#define TML_STROKE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_STROKE_CHANNELS 6
#define TML_STROKE_SIDE 32
#define TML_STROKE_BYTES (TML_STROKE_SIDE * TML_STROKE_SIDE * 3)
#define TML_STROKE_POINTS 160 /* of one stroke, evenly over `longest_ms` */
#define TML_STROKE_ONE 16384  /* of a point's x and y: sine of 90 degrees */

#define TML_STROKE_MIN_RATE_HZ 25u
#define TML_STROKE_MAX_RATE_HZ 1000u
#define TML_STROKE_MAX_MS 20000u
#define TML_STROKE_MAX_STILL 10000u
#define TML_STROKE_MAX_DDEG 900u

typedef struct {
  uint32_t rate_hz;    /* of the sensor */
  uint32_t rest_ms;    /* that begins and ends a stroke; at least four samples */
  uint32_t still_mg;   /* change of acceleration that is none */
  uint32_t still_ddps; /* change of rotation that is none */
  uint32_t least_ddeg; /* tenths of a degree from end to end of the smallest stroke */
  uint32_t longest_ms; /* a stroke may last; longer than a rest */
  int32_t axis;        /* of the sensor that the wand points along: 1, 2, 3 for x, y, z or negative */
} tml_stroke_config_t;

/* A direction, with 30 fraction bits, in the sensor's axes. */
typedef struct {
  int32_t axis[3];
} tml_stroke_vector_t;

/* What came since the last block ended. */
typedef struct {
  uint32_t count;
  int32_t sums[TML_STROKE_CHANNELS];
  int16_t least[TML_STROKE_CHANNELS], most[TML_STROKE_CHANNELS];
} tml_stroke_block_t;

/* Read `drawn` and `points` right after a picture was made; the rest belongs to stroke.c. */
typedef struct {
  tml_stroke_config_t config;
  uint32_t block_samples, point_samples;
  tml_stroke_block_t block;
  int32_t means[TML_STROKE_CHANNELS]; /* of the block before, with 4 fraction bits */
  uint32_t alike; /* blocks, one after the other, that are quiet and like the one before */
  int32_t drift[3]; /* of the gyroscope, with 4 fraction bits */
  bool has_rested;
  tml_stroke_vector_t right, above;
  uint32_t until_point; /* samples until the next one */
  uint32_t count;       /* points; beyond TML_STROKE_POINTS it is no stroke */
  uint32_t drawn;       /* points of the newest picture */
  int16_t points[TML_STROKE_POINTS][2];
} tml_stroke_t;

/* Start a stream. Returns 0, or -1 when a field of `config` is not possible. */
int tml_stroke_init(tml_stroke_t *stroke, const tml_stroke_config_t *config);

/* Take samples until a stroke is over or none are left; moves *samples (six values each) and *count
 * past what it took. Returns true when `picture`, TML_STROKE_BYTES, was written. */
bool tml_stroke_push(tml_stroke_t *stroke, const int16_t **samples, uint32_t *count,
                     int8_t *picture);

/* Draw `count` points, x to the right and y up, each within +-TML_STROKE_ONE, into `picture`. */
void tml_stroke_draw(const int16_t (*points)[2], uint32_t count, int8_t *picture);

#ifdef __cplusplus
}
#endif

#endif
