#include "audio.h"

#include "audio_fft.h"
#include "audio_tables.h"

enum {
  FIRST_BIN = 5, /* of the filterbank */
  BANDS = TML_AUDIO_CHANNELS + 1,
  NOISE_BITS = 10,      /* fraction bits of the noise estimate */
  EVEN_SMOOTHING = 409, /* 0.025, 0.06 and 0.05 with 14 fraction bits, cut off */
  ODD_SMOOTHING = 983,
  MIN_REMAINING = 819,
  SNR_SHIFT = 6,  /* of signal times gain: leaves 12 fraction bits */
  LOG_INPUT = 3,  /* the signal is multiplied by 2**3 before the logarithm */
  LOG_COEFF = 45426 /* ln 2 with 16 fraction bits */
};

static uint32_t bit_length(uint32_t x) { return x == 0 ? 0 : 32 - (uint32_t)__builtin_clz(x); }

int tml_audio_init(tml_audio_t *audio, uint32_t stride) {
  if (stride < 1 || stride > TML_AUDIO_WINDOW) {
    return -1;
  }
  *audio = (tml_audio_t){.stride = (uint16_t)stride};
  return 0;
}

/* Weigh the samples and lay them out for the transform, padded with zeros. Returns by how many bits
 * they can be shifted left: the transform keeps more of quiet sounds that way. */
static int apply_window(const int16_t *samples, uint32_t *data) {
  const int16_t *window = tml_audio_window;
  uint32_t peak = 0;
  for (uint32_t i = 0; i < TML_AUDIO_WINDOW / 2; i++) {
    const int32_t a = (*samples++ * *window++) >> 12;
    const int32_t b = (*samples++ * *window++) >> 12;
    peak |= (uint32_t)(a < 0 ? -a : a) | (uint32_t)(b < 0 ? -b : b);
    data[tml_fft_slot(i)] = (uint32_t)b << 16 | ((uint32_t)a & 0xffffu);
  }
  for (uint32_t i = TML_AUDIO_WINDOW / 2; i < TML_AUDIO_FFT / 2; i++) {
    data[tml_fft_slot(i)] = 0;
  }
  /* TensorFlow takes absolute values in 16 bits, where that of -32768 is negative: not a peak. */
  return 15 - (int)bit_length(peak & 0x7fff);
}

/* Square root of n < 2**48, rounded to nearest; for n < 2**32 never more than 65535. By Newton's
 * method: n is shifted by an even number until one of its top two bits is set; of its upper 32 bits
 * two steps give 16 bits of the root, a little too large, the third 24, too large by at most 2. */
static uint32_t square_root(uint64_t n) {
  if (n == 0) {
    return 0;
  }
  const uint32_t half_shift = (uint32_t)__builtin_clzll(n) / 2;
  const uint32_t high = (uint32_t)(n << 2 * half_shift >> 32);
  uint32_t root = (high >> 17) + (1u << 15);
  root = (root + high / root) / 2;
  root = (root + high / root) / 2 + 1;
  const uint32_t excess = root * root - high;
  root = ((root << 8) - (excess << 7) / root) >> (half_shift - 8);
  while ((uint64_t)root * root > n) {
    root--;
  }
  return n - (uint64_t)root * root > root && root != 0xffff ? root + 1 : root;
}

/* Energies of the bins to amplitudes of the channels. The sum of a channel stays below 2**48: its
 * two bands have at most 28 bins of at most 2**31, weighed by at most 2**12. */
static void apply_filterbank(const uint32_t *energies, int shift, uint32_t *channels) {
  const uint32_t *energy = energies + FIRST_BIN;
  const uint16_t *weight = tml_audio_weights;
  uint64_t upper = 0;
  for (uint32_t band = 0; band < BANDS; band++) {
    uint64_t lower = upper; /* a band's upper channel is the next band's lower one */
    upper = 0;
    for (uint32_t i = 0; i < tml_audio_bands[band]; i++) {
      lower += (uint64_t)*energy * *weight;
      upper += (uint64_t)*energy++ * (4096u - *weight++);
    }
    if (band > 0) {
      channels[band - 1] = square_root(lower) >> shift;
    }
  }
}

/* Update the estimate of a channel's noise and return its signal without it. */
static uint32_t reduce_noise(uint32_t signal, uint32_t *noise, uint32_t smoothing) {
  const uint32_t scaled = signal << NOISE_BITS;
  const uint32_t estimate = (uint32_t)(
      ((uint64_t)scaled * smoothing + (uint64_t)*noise * ((1 << 14) - smoothing)) >> 14);
  *noise = estimate;
  const uint32_t least = (uint32_t)((uint64_t)signal * MIN_REMAINING >> 14);
  const uint32_t rest = estimate > scaled ? 0 : (scaled - estimate) >> NOISE_BITS;
  return rest > least ? rest : least;
}

/* Gain for a noise estimate, interpolated in the table. */
static uint32_t pcan_gain(uint32_t noise) {
  if (noise < 2) {
    return (uint32_t)tml_audio_pcan_gain[noise];
  }
  const uint32_t bits = bit_length(noise);
  const int16_t *parabola = tml_audio_pcan_gain + 3 * bits - 4;
  const int32_t x = (int32_t)((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3ff);
  const int32_t slope = parabola[1] * 32 + (parabola[2] * x >> 5);
  return (uint32_t)(parabola[0] + ((slope * x + (1 << 14)) >> 15));
}

/* Gain control: signal to noise ratio x with 12 fraction bits, bent to x*x/4 below 2 and x - 1
 * above, with 6 fraction bits. */
static uint32_t apply_pcan(uint32_t signal, uint32_t noise) {
  const uint32_t ratio = (uint32_t)((uint64_t)signal * pcan_gain(noise) >> SNR_SHIFT);
  return ratio < 2 << 12 ? ratio * ratio >> 20 : (ratio >> 6) - (1 << 6);
}

/* Natural logarithm with 6 fraction bits; 0 for arguments below 2. */
static uint16_t apply_log(uint32_t x) {
  if (x < 2) {
    return 0;
  }
  const uint32_t integer = bit_length(x) - 1;
  const uint32_t mantissa = x - (1u << integer);
  const uint32_t fraction = integer < 16 ? mantissa << (16 - integer) : mantissa >> (integer - 16);
  const uint16_t *c = tml_audio_log2 + (fraction >> 9);
  const int32_t between = ((c[1] - c[0]) * (int32_t)(fraction & 0x1ff)) >> 16;
  const uint32_t log2 = (integer << 16) + fraction + c[0] + (uint32_t)between;
  const uint32_t log = (uint32_t)(((uint64_t)log2 * LOG_COEFF + (1 << 15)) >> 16);
  return (uint16_t)(((log << 6) + (1 << 15)) >> 16);
}

static void compute_frame(tml_audio_t *audio) {
  uint32_t channels[TML_AUDIO_CHANNELS];
  const int shift = apply_window(audio->window, audio->spectrum);
  tml_fft_power_512(audio->spectrum, shift);
  apply_filterbank(audio->spectrum, shift, channels);
  for (uint32_t i = 0; i < TML_AUDIO_CHANNELS; i++) {
    const uint32_t smoothing = i % 2 == 0 ? EVEN_SMOOTHING : ODD_SMOOTHING;
    const uint32_t signal = reduce_noise(channels[i], &audio->noise[i], smoothing);
    audio->frame[i] = apply_log(apply_pcan(signal, audio->noise[i]) << LOG_INPUT);
  }
}

bool tml_audio_push(tml_audio_t *audio, const int16_t **samples, uint32_t *count) {
  const uint32_t room = TML_AUDIO_WINDOW - audio->filled;
  const uint32_t taken = *count < room ? *count : room;
  for (uint32_t i = 0; i < taken; i++) {
    audio->window[audio->filled + i] = (*samples)[i];
  }
  audio->filled = (uint16_t)(audio->filled + taken);
  *samples += taken;
  *count -= taken;
  if (audio->filled < TML_AUDIO_WINDOW) {
    return false;
  }
  compute_frame(audio);
  audio->filled = (uint16_t)(TML_AUDIO_WINDOW - audio->stride);
  for (uint32_t i = 0; i < audio->filled; i++) {
    audio->window[i] = audio->window[i + audio->stride];
  }
  return true;
}

void tml_audio_to_int8(const uint16_t *frame, int8_t *out) {
  for (uint32_t i = 0; i < TML_AUDIO_CHANNELS; i++) {
    const int32_t value = (frame[i] * 256 + 333) / 666 - 128;
    out[i] = (int8_t)(value < 127 ? value : 127);
  }
}
