#include "image.h"
#include "tml_config.h"
#include "tml_front_end.h"

const tml_front_end_t tml_front_end = {
    TML_FEATURE_SAMPLE_RATE_HZ, 1,
    TML_FEATURE_WIDTH *TML_FEATURE_HEIGHT *TML_FEATURE_CHANNELS};

static uint32_t sums[TML_IMAGE_SUMS(TML_FEATURE_WIDTH, TML_FEATURE_CHANNELS)];
static tml_image_t image;

int tml_front_end_start(void) {
  const tml_image_config_t config = {TML_FEATURE_SOURCE_WIDTH, TML_FEATURE_SOURCE_HEIGHT,
                                     TML_FEATURE_FORMAT,       TML_FEATURE_WIDTH,
                                     TML_FEATURE_HEIGHT,       TML_FEATURE_CHANNELS};
  return tml_image_init(&image, &config, sums);
}

int tml_front_end_push(const int16_t **samples, uint32_t *count, int8_t *row) {
  return tml_image_push(&image, samples, count, row);
}
