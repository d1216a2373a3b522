#include "motion.h"

enum { GRAVITY_BITS = 8, SHARE_BITS = 16, STEPS = 128 };
enum { ONE_BITS = 14, ONE = 1 << ONE_BITS, LEAST_GRAVITY_MG = 64, LEAST_LEVEL = ONE / 4 };
enum { LEVEL, ASIDE, UP }; /* rows of `frame` */

static bool in_range(uint32_t value, uint32_t least, uint32_t most) {
  return value >= least && value <= most;
}

int tml_motion_init(tml_motion_t *motion, const tml_motion_config_t *config) {
  const uint32_t gravity_ms = config->gravity_ms;
  if (!in_range(config->rate_hz, 1, TML_MOTION_MAX_RATE_HZ) ||
      !in_range(config->stride_ms, 1, TML_MOTION_MAX_STRIDE_MS) ||
      !in_range(config->range_mg, 1, TML_MOTION_MAX_RANGE_MG) ||
      config->rate_hz * config->stride_ms < 1000 ||
      (gravity_ms != 0 && !in_range(gravity_ms, config->stride_ms, TML_MOTION_MAX_GRAVITY_MS)) ||
      config->upright > (gravity_ms != 0)) {
    return -1;
  }
  *motion = (tml_motion_t){.stride = config->rate_hz * config->stride_ms,
                           .range_mg = (int32_t)config->range_mg,
                           .upright = config->upright != 0,
                           .frame = {[LEVEL] = {ONE, 0, 0}, [ASIDE] = {0, ONE, 0}, [UP] = {0, 0, ONE}}};
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

/* The square root, rounded down (digit by digit). */
static uint32_t root(uint32_t square) {
  uint32_t result = 0;
  for (uint32_t bit = 1u << 30; bit != 0; bit >>= 2) {
    const bool fits = square >= result + bit;
    square -= fits ? result + bit : 0;
    result = (result >> 1) + (fits ? bit : 0);
  }
  return result;
}

/* The sum of products of a unit vector and another one, whose unit the result has. */
static int32_t along(const int32_t *unit, const int32_t *vector) {
  int64_t sum = ONE / 2;
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    sum += (int64_t)unit[axis] * vector[axis];
  }
  return (int32_t)(sum >> ONE_BITS);
}

/* Write the direction of `vector`, each within +-32768, unless it is shorter than `least` > 0. */
static bool direct(const int32_t *vector, uint32_t least, int32_t *unit) {
  uint32_t square = 0;
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    square += (uint32_t)(vector[axis] * vector[axis]);
  }
  const uint32_t length = root(square);
  if (length < least) {
    return false;
  }
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    unit[axis] = divided(vector[axis] * ONE, (int32_t)length);
  }
  return true;
}

/* Turn the level axis `from` as little as makes it level to `up`; false where it is too steep. */
static bool level(const int32_t *up, const int32_t *from, int32_t *unit) {
  const int32_t height = along(up, from);
  int32_t flat[TML_MOTION_AXES];
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    flat[axis] = from[axis] - divided(height * up[axis], ONE);
  }
  return direct(flat, LEAST_LEVEL, unit);
}

/* The sensor axis that is nearest to level. */
static uint32_t flattest(const int32_t *up) {
  uint32_t best = 0;
  for (uint32_t axis = 1; axis < TML_MOTION_AXES; axis++) {
    best = up[axis] * up[axis] < up[best] * up[best] ? axis : best;
  }
  return best;
}

/* Let the frame follow gravity. */
static void follow(tml_motion_t *motion, bool begins) {
  int32_t *first = motion->frame[LEVEL], *second = motion->frame[ASIDE], *up = motion->frame[UP];
  int32_t pull[TML_MOTION_AXES];
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    pull[axis] = divided(motion->gravity[axis], 1 << GRAVITY_BITS);
  }
  if (!direct(pull, LEAST_GRAVITY_MG, up)) {
    return;
  }
  if (begins || !level(up, first, first)) {
    int32_t axes[TML_MOTION_AXES] = {0};
    axes[flattest(up)] = ONE;
    level(up, axes, first);
  }
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    const uint32_t a = (axis + 1) % TML_MOTION_AXES, b = (axis + 2) % TML_MOTION_AXES;
    second[axis] = divided(up[a] * first[b] - up[b] * first[a], ONE);
  }
}

static void finish_row(tml_motion_t *motion) {
  int32_t felt[TML_MOTION_AXES];
  const bool begins = !motion->has_gravity;
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    felt[axis] = divided(motion->sums[axis], (int32_t)motion->count);
    motion->sums[axis] = 0;
    if (motion->share != 0) {
      felt[axis] = without_gravity(motion, axis, felt[axis]);
    }
  }
  if (motion->upright) {
    follow(motion, begins);
  }
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    const int32_t value = motion->upright ? along(motion->frame[axis], felt) : felt[axis];
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
