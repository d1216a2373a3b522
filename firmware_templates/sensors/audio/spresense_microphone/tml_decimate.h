/* tml_decimate.h: 48 kHz -> 16 kHz for speech, in integers. */
#ifndef TML_DECIMATE_H
#define TML_DECIMATE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_DECIMATION 3
#define TML_DECIMATE_TAPS 120

typedef struct {
  int16_t past[2 * TML_DECIMATE_TAPS]; /* the last inputs, twice, so that a window is one piece */
  uint32_t at;                         /* where the next input goes in the first half */
  uint32_t phase;                      /* inputs since the last output */
} tml_decimator_t;

void tml_decimate_start(tml_decimator_t *decimator);

/* Filter `count` samples at 48 kHz into `out`, which takes one for every third of them; returns
 * how many. Up to 7 kHz the gain is 1 within 0.1 dB; what would be heard below 7 kHz though it lies
 * above 9 kHz is 60 dB down. Delays by 1.24 ms. `count` may be any number; `out` may be `samples`.
 */
uint32_t tml_decimate(tml_decimator_t *decimator, const int16_t *samples, uint32_t count,
                      int16_t *out);

#ifdef __cplusplus
}
#endif

#endif
