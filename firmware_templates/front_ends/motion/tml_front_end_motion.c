#include "motion.h"
#include "tml_config.h"
#include "tml_front_end.h"

#ifndef TML_FEATURE_UPRIGHT /* of models that were trained before there was a choice */
#define TML_FEATURE_UPRIGHT 0
#endif

const tml_front_end_t tml_front_end = {TML_FEATURE_SAMPLE_RATE_HZ, TML_MOTION_AXES,
                                       TML_MOTION_AXES};

static tml_motion_t motion;

int tml_front_end_start(void) {
  const tml_motion_config_t config = {TML_FEATURE_SAMPLE_RATE_HZ, TML_FEATURE_STRIDE_MS,
                                      TML_FEATURE_GRAVITY_MS, TML_FEATURE_RANGE_MG,
                                      TML_FEATURE_UPRIGHT};
  return tml_motion_init(&motion, &config);
}

int tml_front_end_push(const int16_t **samples, uint32_t *count, int8_t *row) {
  if (!tml_motion_push(&motion, samples, count)) {
    return 0;
  }
  for (uint32_t axis = 0; axis < TML_MOTION_AXES; axis++) {
    row[axis] = motion.row[axis];
  }
  return 1;
}
