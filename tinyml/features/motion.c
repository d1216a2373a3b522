#include "motion.h"

enum { GRAVITY_BITS = 8, SHARE_BITS = 16, STEPS = 128 };

static bool in_range(uint32_t value, uint32_t least, uint32_t most) {
  return value >= least && value <= most;
}

int tml_motion_init(tml_motion_t *motion, const tml_motion_config_t *config) {
  const uint32_t gravity_ms = config->gravity_ms;
  if (!in_range(config->rate_hz, 1, TML_MOTION_MAX_RATE_HZ) ||
      !in_range(config->stride_ms, 1, TML_MOTION_MAX_STRIDE_MS) ||
      !in_range(config->range_mg, 1, TML_MOTION_MAX_RANGE_MG) ||
      config->rate_hz * config->stride_ms < 1000 ||
      (gravity_ms != 0 && !in_range(gravity_ms, config->stride_ms, TML_MOTION_MAX_GRAVITY_MS))) {
    return -1;
  }
  *motion = (tml_motion_t){.stride = config->rate_hz * config->stride_ms,
                           .range_mg = (int32_t)config->range_mg};
  if (gravity_ms != 0) {
    motion->share = (config->stride_ms << SHARE_BITS) / gravity_ms;
  }
  return 0;
}

/* a / b to the nearest integer, halves up; b > 0. */
static int32_t divided(int32_t a, int32_t b) {
  const int32_t twice = 2 * a + b;
  const int32_t quotient = twice / (2 * b);
  return twice % (2 * b) < 0 ? quotient - 1 : quotient;
}

/* `mean` of an axis without its gravity, which then follows it. */
static int32_t without_gravity(tml_motion_t *motion, uint32_t axis, int32_t mean) {
  int32_t *gravity = &motion->gravity[axis];
  const int32_t fine = mean * (1 << GRAVITY_BITS);
  if (!motion->has_gravity) {
    *gravity = fine;
  }
  *gravity += (int32_t)(((int64_t)(fine - *gravity) * motion->share) >> SHARE_BITS);
  return mean - divided(*gravity, 1 << GRAVITY_BITS);
}

static void finish_row(tml_motion_t *motion) {
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    int32_t value = divided(motion->sums[axis], (int32_t)motion->count);
    motion->sums[axis] = 0;
    if (motion->share != 0) {
      value = without_gravity(motion, axis, value);
    }
    const int32_t steps = divided(value * STEPS, motion->range_mg);
    motion->row[axis] = (int8_t)(steps < -128 ? -128 : steps > 127 ? 127 : steps);
  }
  motion->has_gravity = true;
  motion->count = 0;
}

bool tml_motion_push(tml_motion_t *motion, const int16_t **samples, uint32_t *count) {
  while (*count > 0) {
    for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
      motion->sums[axis] += (*samples)[axis];
    }
    *samples += TML_MOTION_AXES;
    *count -= 1;
    motion->count++;
    motion->phase += 1000;
    if (motion->phase >= motion->stride) {
      motion->phase -= motion->stride;
      finish_row(motion);
      return true;
    }
  }
  return false;
}
