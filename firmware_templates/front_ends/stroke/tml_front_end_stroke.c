#include "stroke.h"
#include "tml_config.h"
#include "tml_front_end.h"

const tml_front_end_t tml_front_end = {TML_FEATURE_SAMPLE_RATE_HZ, TML_STROKE_CHANNELS,
                                       TML_STROKE_BYTES};

static tml_stroke_t stroke;

int tml_front_end_start(void) {
  const tml_stroke_config_t config = {TML_FEATURE_SAMPLE_RATE_HZ, TML_FEATURE_REST_MS,
                                      TML_FEATURE_STILL_MG,       TML_FEATURE_STILL_DDPS,
                                      TML_FEATURE_LEAST_DDEG,     TML_FEATURE_LONGEST_MS,
                                      TML_FEATURE_AXIS};
  return tml_stroke_init(&stroke, &config);
}

int tml_front_end_push(const int16_t **samples, uint32_t *count, int8_t *row) {
  return tml_stroke_push(&stroke, samples, count, row);
}
