#include "recognizer.h"

#include <stddef.h>

enum { NONE = -1 };

int tml_recognizer_init(tml_recognizer_t *recognizer, const tml_recognizer_config_t *config) {
  if (config->labels < 1 || config->labels > TML_RECOGNIZER_LABELS || config->average < 1 ||
      config->average > TML_RECOGNIZER_AVERAGE || config->release > config->threshold) {
    return -1;
  }
  *recognizer = (tml_recognizer_t){.config = *config, .held = NONE};
  return 0;
}

/* Replace the oldest scores by new ones. */
static void remember(tml_recognizer_t *recognizer, const int8_t *scores) {
  int8_t *row = recognizer->scores[recognizer->next];
  for (uint32_t i = 0; i < recognizer->config.labels; i++) {
    recognizer->sums[i] = (int16_t)(recognizer->sums[i] + scores[i] - row[i]);
    row[i] = scores[i];
  }
  recognizer->next = (uint8_t)((recognizer->next + 1) % recognizer->config.average);
  if (recognizer->filled < recognizer->config.average) {
    recognizer->filled++;
  }
}

static int highest(const tml_recognizer_t *recognizer) {
  int best = 0;
  for (int i = 1; i < recognizer->config.labels; i++) {
    if (recognizer->sums[i] > recognizer->sums[best]) {
      best = i;
    }
  }
  return best;
}

int tml_recognizer_push(tml_recognizer_t *recognizer, const int8_t *scores, uint64_t sample,
                        tml_event_t *event) {
  const tml_recognizer_config_t *config = &recognizer->config;
  remember(recognizer, scores);
  if (recognizer->filled < config->average) {
    return 0;
  }
  if (recognizer->held != NONE &&
      recognizer->sums[recognizer->held] < config->release * config->average) {
    recognizer->held = NONE;
  }
  const int label = highest(recognizer);
  const int32_t sum = recognizer->sums[label];
  const int is_background = (config->background >> label & 1) != 0;
  const int is_resting =
      recognizer->had_event && sample - recognizer->last_event < config->refractory;
  if (is_background || label == recognizer->held || is_resting ||
      sum < config->threshold * config->average) {
    return 0;
  }
  recognizer->held = config->repeats ? NONE : (int8_t)label;
  recognizer->had_event = 1;
  recognizer->last_event = sample;
  /* Rounded down, also below zero. */
  const int32_t shifted = sum + 128 * config->average;
  *event = (tml_event_t){sample, (uint8_t)label, (int8_t)(shifted / config->average - 128)};
  return 1;
}
