/* motion.h: from accelerometer samples to the rows that gesture models read, one per stride.
 *
 * A sample is three int16 in milli-g, x y z, in the sensor's axes, gravity included. A row is three
 * int8: the mean of the samples of one stride, without gravity, where 128 steps are `range_mg`.
 *
 * Rate: a stride need not be a whole number of samples. Row n ends with sample
 * ceil((n + 1) * rate_hz * stride_ms / 1000) - 1, and averages what came since the row before; the
 * mean is all that stands against aliasing. A sensor slower than the rows is refused.
 * Gravity: an exponential average of the rows with the time constant `gravity_ms`, which the first
 * row begins; a device at rest gives zeros in any position. With 0 gravity stays in the rows.
 * Position: rows keep the sensor's axes, or with `upright` are turned to gravity, so that they are alike
 * however the board is mounted: the third value is along gravity, positive upwards, the first two are
 * along two level axes. These follow the sensor's turns but never turn about gravity themselves
 * (parallel transport), and begin along the sensor axis that is nearest to level: their heading means
 * nothing, and a model learns examples of every heading. Gravity below 64 mg turns nothing.
 *
 * Integers only, no heap, about 80 bytes of state. How samples are cut into calls never changes a row.
 *
 *   tml_motion_init(&motion, &config);
 *   while (tml_motion_push(&motion, &samples, &count)) {
 *     ... motion.row is one line of the model's input; keep the last ones in chronological order
 *   }
 */
#ifndef TML_MOTION_H
#define TML_MOTION_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_MOTION_AXES 3
#define TML_MOTION_MAX_RATE_HZ 10000
#define TML_MOTION_MAX_STRIDE_MS 1000
#define TML_MOTION_MAX_GRAVITY_MS 60000
#define TML_MOTION_MAX_RANGE_MG 32767

typedef struct {
  uint32_t rate_hz;    /* of the sensor */
  uint32_t stride_ms;  /* from one row to the next */
  uint32_t gravity_ms; /* time constant of what counts as gravity; at least a stride, or 0 */
  uint32_t range_mg;   /* acceleration of 128 steps of a row; larger ones are cut off */
  uint32_t upright;    /* 1: rows are turned to gravity, which `gravity_ms` finds; 0: they are not */
} tml_motion_config_t;

/* Read `row` only; the rest belongs to motion.c. */
typedef struct {
  int8_t row[TML_MOTION_AXES]; /* the newest row: x, y, z, or level, level, up */
  bool has_gravity, upright;
  uint32_t stride; /* thousandths of a sample from one row to the next */
  uint32_t phase;  /* thousandths of a sample since the last row */
  uint32_t count;  /* samples in `sums` */
  uint32_t share;  /* of the difference that gravity follows with each row, of 65536; 0: none */
  int32_t range_mg;
  int32_t sums[TML_MOTION_AXES];
  int32_t gravity[TML_MOTION_AXES]; /* milli-g with 8 fraction bits */
  int32_t frame[TML_MOTION_AXES][TML_MOTION_AXES]; /* level, level and up: 14 fraction bits */
} tml_motion_t;

/* Start a stream. Returns 0, or -1 when a field of `config` is not possible. */
int tml_motion_init(tml_motion_t *motion, const tml_motion_config_t *config);

/* Take samples until a row is ready or none are left; moves *samples (three values each) and *count
 * past what it took. Returns true when `motion->row` is new: call again, samples may be left. */
bool tml_motion_push(tml_motion_t *motion, const int16_t **samples, uint32_t *count);

#ifdef __cplusplus
}
#endif

#endif
