#include "stroke.h"

enum {
  FINE = 4,            /* fraction bits of rotation */
  UNIT_BITS = 30,      /* fraction bits of directions */
  MOST_DRIFT = 300,    /* tenths of a degree per second: what data sheets allow, and some more */
  FEWEST_POINTS = 4
};

static const int32_t unit = 1 << UNIT_BITS;

static bool in_range(uint32_t value, uint32_t least, uint32_t most) {
  return value >= least && value <= most;
}

static bool possible(const tml_stroke_config_t *config) {
  return in_range(config->rate_hz, TML_STROKE_MIN_RATE_HZ, TML_STROKE_MAX_RATE_HZ) &&
         in_range(config->rest_ms, 1, TML_STROKE_MAX_MS) &&
         config->rest_ms * config->rate_hz >= 4000 &&
         in_range(config->still_mg, 1, TML_STROKE_MAX_STILL) &&
         in_range(config->still_ddps, 1, TML_STROKE_MAX_STILL) &&
         in_range(config->least_ddeg, 1, TML_STROKE_MAX_DDEG) &&
         in_range(config->longest_ms, config->rest_ms + 1, TML_STROKE_MAX_MS) &&
         config->axis != 0 && config->axis >= -3 && config->axis <= 3;
}

int tml_stroke_init(tml_stroke_t *stroke, const tml_stroke_config_t *config) {
  if (!possible(config)) {
    return -1;
  }
  const uint32_t longest = config->longest_ms * config->rate_hz / 1000;
  *stroke = (tml_stroke_t){
      .config = *config,
      .block_samples = config->rest_ms * config->rate_hz / 1000,
      .point_samples = (longest + TML_STROKE_POINTS - 1) / TML_STROKE_POINTS,
      .count = TML_STROKE_POINTS + 1, /* nothing counts before the first rest */
  };
  return 0;
}

/* The integer part of a square root. */
static uint32_t root(uint64_t value) {
  uint64_t result = 0;
  for (uint64_t bit = (uint64_t)1 << 62; bit != 0; bit >>= 2) {
    if (value >= result + bit) {
      value -= result + bit;
      result = (result >> 1) + bit;
    } else {
      result >>= 1;
    }
  }
  return (uint32_t)result;
}

static int32_t product(int32_t a, int32_t b) { return (int32_t)(((int64_t)a * b) >> UNIT_BITS); }

static tml_stroke_vector_t cross(const tml_stroke_vector_t *a, const tml_stroke_vector_t *b) {
  tml_stroke_vector_t made;
  for (int i = 0; i < 3; i++) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    made.axis[i] = product(a->axis[j], b->axis[k]) - product(a->axis[k], b->axis[j]);
  }
  return made;
}

/* Give a vector, at most 1.7 long, the length 1; returns the length it had. */
static int32_t normalize(tml_stroke_vector_t *vector) {
  uint64_t squares = 0;
  for (int i = 0; i < 3; i++) {
    squares += (uint64_t)((int64_t)vector->axis[i] * vector->axis[i]);
  }
  const uint32_t length = root(squares);
  for (int i = 0; i < 3 && length > 0; i++) {
    vector->axis[i] = (int32_t)((int64_t)vector->axis[i] * unit / length);
  }
  return (int32_t)length;
}

static tml_stroke_vector_t along(int index, int32_t length) {
  tml_stroke_vector_t made = {{0, 0, 0}};
  made.axis[index] = length;
  return made;
}

/* Say what is to the right of where the wand points, and what above it. */
static void look(tml_stroke_t *stroke) {
  const int32_t axis = stroke->config.axis;
  const int index = (axis < 0 ? -axis : axis) - 1;
  const tml_stroke_vector_t ahead = along(index, axis < 0 ? -unit : unit);
  tml_stroke_vector_t up;
  for (int i = 0; i < 3; i++) {
    up.axis[i] = stroke->block.sums[i] / (int32_t)stroke->block.count * (unit / 65536);
  }
  normalize(&up);
  stroke->right = cross(&ahead, &up);
  if (normalize(&stroke->right) < unit / 8) { /* up or down, within 7 degrees */
    stroke->right = along((index + 1) % 3, unit);
  }
  stroke->above = cross(&stroke->right, &ahead);
}

static int32_t difference(int32_t a, int32_t b) { return a > b ? a - b : b - a; }

/* Whether nothing but noise, drift and an even turn is in the block. */
static bool is_quiet(const tml_stroke_t *stroke, const int32_t *means) {
  const tml_stroke_block_t *block = &stroke->block;
  const int32_t limits[2] = {(int32_t)stroke->config.still_mg, (int32_t)stroke->config.still_ddps};
  for (int i = 0; i < TML_STROKE_CHANNELS; i++) {
    if (block->most[i] - block->least[i] > limits[i / 3] ||
        (i >= 3 && difference(means[i], 0) > MOST_DRIFT << FINE)) {
      return false;
    }
  }
  return true;
}

/* Whether the means of rotation are those of `usual`. */
static bool is_near(const tml_stroke_t *stroke, const int32_t *means, const int32_t *usual) {
  const int32_t most = ((int32_t)stroke->config.still_ddps << FINE) / 3;
  return difference(means[0], usual[0]) <= most && difference(means[1], usual[1]) <= most &&
         difference(means[2], usual[2]) <= most;
}

/* Whether the block is like the one before in all that it has. */
static bool is_alike(const tml_stroke_t *stroke, const int32_t *means) {
  const int32_t most = ((int32_t)stroke->config.still_mg << FINE) / 4;
  for (int i = 0; i < 3; i++) {
    if (difference(means[i], stroke->means[i]) > most) {
      return false;
    }
  }
  return is_near(stroke, means + 3, stroke->means + 3);
}

/* Whether the block is a rest, of which the drift then is known. An even turn looks like a rest; but
 * its speed is not the drift, it tilts the sensor, and nobody turns evenly for three blocks. */
static bool is_rest(tml_stroke_t *stroke, const int32_t *means) {
  if (!is_quiet(stroke, means)) {
    stroke->alike = 0;
    return false;
  }
  stroke->alike = is_alike(stroke, means) ? stroke->alike + 1 : 0;
  const bool is_usual = stroke->has_rested && is_near(stroke, means + 3, stroke->drift);
  if (!is_usual && stroke->alike < (stroke->has_rested ? 2u : 1u)) {
    return false;
  }
  for (int i = 0; i < 3; i++) {
    const int32_t error = means[3 + i] - stroke->drift[i];
    stroke->drift[i] += is_usual ? error / 4 : error;
  }
  return true;
}

/* Begin to wait for a stroke, at rest. */
static void rest(tml_stroke_t *stroke) {
  stroke->has_rested = true;
  look(stroke);
  stroke->count = 0;
  stroke->until_point = 0;
}

/* Whether the points since the last rest are a stroke. */
static bool is_stroke(const tml_stroke_t *stroke) {
  if (stroke->count < FEWEST_POINTS || stroke->count > TML_STROKE_POINTS) {
    return false;
  }
  /* Small angles are their sines: 16384 * pi / 1800 is 28.6. */
  const int32_t least = (int32_t)stroke->config.least_ddeg * 286 / 10;
  for (int side = 0; side < 2; side++) {
    int32_t low = stroke->points[0][side], high = low;
    for (uint32_t i = 1; i < stroke->count; i++) {
      const int32_t value = stroke->points[i][side];
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    if (high - low >= least) {
      return true;
    }
  }
  return false;
}

/* A block is full: true where it ends a stroke. */
static bool finish_block(tml_stroke_t *stroke, int8_t *picture) {
  int32_t means[TML_STROKE_CHANNELS];
  for (int i = 0; i < TML_STROKE_CHANNELS; i++) {
    means[i] = stroke->block.sums[i] / (int32_t)stroke->block.count * (1 << FINE) +
               stroke->block.sums[i] % (int32_t)stroke->block.count * (1 << FINE) /
                   (int32_t)stroke->block.count;
  }
  bool is_over = false;
  if (is_rest(stroke, means)) {
    is_over = is_stroke(stroke);
    if (is_over) {
      stroke->drawn = stroke->count;
      tml_stroke_draw((const int16_t(*)[2])stroke->points, stroke->count, picture);
    }
    rest(stroke);
  }
  for (int i = 0; i < TML_STROKE_CHANNELS; i++) {
    stroke->means[i] = means[i];
  }
  stroke->block.count = 0;
  return is_over;
}

static void add_to_block(tml_stroke_block_t *block, const int16_t *sample) {
  const bool is_first = block->count == 0;
  block->count++;
  for (int i = 0; i < TML_STROKE_CHANNELS; i++) {
    const int16_t value = sample[i];
    block->sums[i] = is_first ? value : block->sums[i] + value;
    block->least[i] = is_first || value < block->least[i] ? value : block->least[i];
    block->most[i] = is_first || value > block->most[i] ? value : block->most[i];
  }
}

/* Turn a direction that is fixed in the world by what the sensor turned, `angle`, the other way. */
static void turn(tml_stroke_vector_t *direction, const tml_stroke_vector_t *angle) {
  const tml_stroke_vector_t first = cross(direction, angle), second = cross(&first, angle);
  for (int i = 0; i < 3; i++) {
    direction->axis[i] += first.axis[i] + second.axis[i] / 2;
  }
  normalize(direction);
}

static void integrate(tml_stroke_t *stroke, const int16_t *rotation) {
  /* Of a tenth of a degree per second, over a sample: pi / 1800 with UNIT_BITS, less FINE. */
  const int32_t share = 1874033 / (int32_t)stroke->config.rate_hz;
  const int32_t most = unit / 2; /* half a radian: beyond it the series is of no use */
  tml_stroke_vector_t angle;
  for (int i = 0; i < 3; i++) {
    const int64_t fine = (int64_t)(rotation[i] * (1 << FINE) - stroke->drift[i]) * share;
    const int64_t turned = fine / (1 << FINE);
    angle.axis[i] = (int32_t)(turned > most ? most : turned < -most ? -most : turned);
  }
  turn(&stroke->right, &angle);
  turn(&stroke->above, &angle);
}

static void add_point(tml_stroke_t *stroke) {
  if (stroke->until_point > 0) {
    stroke->until_point--;
    return;
  }
  stroke->until_point = stroke->point_samples - 1;
  if (stroke->count < TML_STROKE_POINTS) {
    const int32_t axis = stroke->config.axis;
    const int index = (axis < 0 ? -axis : axis) - 1;
    const int32_t sides[2] = {stroke->right.axis[index], stroke->above.axis[index]};
    for (int side = 0; side < 2; side++) {
      const int32_t value = sides[side] / (unit / TML_STROKE_ONE) * (axis < 0 ? -1 : 1);
      const int32_t most = TML_STROKE_ONE;
      stroke->points[stroke->count][side] =
          (int16_t)(value > most ? most : value < -most ? -most : value);
    }
  }
  if (stroke->count <= TML_STROKE_POINTS) {
    stroke->count++;
  }
}

bool tml_stroke_push(tml_stroke_t *stroke, const int16_t **samples, uint32_t *count,
                     int8_t *picture) {
  while (*count > 0) {
    const int16_t *sample = *samples;
    *samples += TML_STROKE_CHANNELS;
    *count -= 1;
    if (stroke->has_rested && stroke->count <= TML_STROKE_POINTS) {
      integrate(stroke, sample + 3);
      add_point(stroke);
    }
    add_to_block(&stroke->block, sample);
    if (stroke->block.count == stroke->block_samples && finish_block(stroke, picture)) {
      return true;
    }
  }
  return false;
}
