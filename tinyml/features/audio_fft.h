/* audio_fft.h: power spectrum of 512 real samples in 16-bit fixed point.
 *
 * The arithmetic is that of KISS FFT with FIXED_POINT=16, rounding by rounding, because models were
 * trained on its results.
 */
#ifndef TML_AUDIO_FFT_H
#define TML_AUDIO_FFT_H

#include <stdint.h>

/* Where pair i of the input goes: i with its four base-4 digits reversed. */
static inline uint32_t tml_fft_slot(uint32_t i) {
  return (i & 3) << 6 | (i & 12) << 2 | (i >> 2 & 12) | i >> 6;
}

/* Turn 512 samples, two to a word (even-numbered one in the lower half) and pair i in word
 * tml_fft_slot(i), into energies: data[k] becomes the squared magnitude of bin k for k = 1..255;
 * data[0] is undefined. The transform scales by 1/512. Samples are first shifted left by `shift`
 * (0..15), bits above 16 are lost. */
void tml_fft_power_512(uint32_t data[256], int shift);

#endif
