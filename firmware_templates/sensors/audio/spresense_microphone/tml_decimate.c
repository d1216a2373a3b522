#include "tml_decimate.h"

#include <string.h>

/* Half of a symmetric low-pass at 48 kHz, times 2^15: 120 taps, cut-off 7.9 kHz, Kaiser window with
 * beta 5.65. */
static const int16_t taps[TML_DECIMATE_TAPS / 2] = {
    -3, -3, 1, 7, 7, -2, -12, -12, 3, 19, 19, -3, -28, -28, 3, 39, 41, -2, -53, -58, 0, 70, 79,
    5, -90, -107, -11, 115, 141, 21, -143, -183, -35, 177, 236, 55, -217, -304, -82, 265, 390,
    122, -325, -505, -178, 403, 666, 262, -514, -908, -400, 691, 1329, 661, -1041, -2280, -1358,
    2193, 6941, 10310,
};

void tml_decimate_start(tml_decimator_t *decimator) { memset(decimator, 0, sizeof *decimator); }

/* `past` is the last TML_DECIMATE_TAPS inputs, the oldest first. */
static int16_t filtered(const int16_t *past) {
  int64_t sum = 1 << 14; /* rounds to the nearest */
  for (uint32_t i = 0; i < TML_DECIMATE_TAPS / 2; i++) {
    sum += (int64_t)taps[i] * (past[i] + past[TML_DECIMATE_TAPS - 1 - i]);
  }
  const int64_t value = sum >> 15;
  return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

uint32_t tml_decimate(tml_decimator_t *decimator, const int16_t *samples, uint32_t count,
                      int16_t *out) {
  uint32_t made = 0;
  for (uint32_t i = 0; i < count; i++) {
    decimator->past[decimator->at] = samples[i];
    decimator->past[decimator->at + TML_DECIMATE_TAPS] = samples[i];
    if (++decimator->at == TML_DECIMATE_TAPS) {
      decimator->at = 0;
    }
    if (++decimator->phase == TML_DECIMATION) {
      decimator->phase = 0;
      out[made++] = filtered(decimator->past + decimator->at);
    }
  }
  return made;
}
