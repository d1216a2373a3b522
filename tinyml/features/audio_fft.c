#include "audio_fft.h"

#include "audio_tables.h"
#include "tml_dsp.h"

/* A complex number is a word: real part in the lower, imaginary part in the upper 16 bits. Every
 * operation wraps at 16 bits. */
typedef uint32_t cpx;

/* The upper halves of two words, as a word. */
static inline cpx upper_halves(int32_t low, int32_t high) {
  return ((uint32_t)high & 0xffff0000u) | (uint32_t)low >> 16;
}

/* a * factor / 2**15, rounded; factor 0..16383 */
static inline cpx scale(cpx a, uint32_t factor) {
  return upper_halves(tml_lanes_low(a, 2 * factor, 0x8000),
                      tml_lanes_high_low(a, 2 * factor, 0x8000));
}

/* a * b / 2**15, rounded */
static inline cpx mul(cpx a, cpx b) {
  const int32_t real = tml_lanes_dot_difference(a, b, 0x4000);
  const int32_t imag = tml_lanes_dot_crossed(a, b, 0x4000);
  return upper_halves((int32_t)((uint32_t)real << 1), (int32_t)((uint32_t)imag << 1));
}

static inline uint32_t power(cpx a) { return tml_lanes_dot_only(a, a); }

/* KISS FFT divides by 2 and 4 with these factors, so that nothing overflows. */
static inline cpx half(cpx a) { return scale(a, 32767 / 2); }
static inline cpx quarter(cpx a) { return scale(a, 32767 / 4); }

static inline cpx conjugate(cpx a) { return (a & 0xffffu) | (0u - (a & 0xffff0000u)); }

static inline cpx shift_left(cpx a, int shift) {
  return (a & 0xffff0000u) << shift | (a << shift & 0xffffu);
}

/* Replace a, b, c, d, distance `m` apart, by their 4-point transform. */
static inline void butterfly(cpx *data, uint32_t m, cpx a, cpx b, cpx c, cpx d) {
  const cpx even_sum = tml_lanes_add(a, c), even_difference = tml_lanes_sub(a, c);
  const cpx odd_sum = tml_lanes_add(b, d), odd_difference = tml_lanes_sub(b, d);
  data[0] = tml_lanes_add(even_sum, odd_sum);
  data[m] = tml_lanes_sub_i(even_difference, odd_difference);
  data[2 * m] = tml_lanes_sub(even_sum, odd_sum);
  data[3 * m] = tml_lanes_add_i(even_difference, odd_difference);
}

/* Complex transform of 256 points, in place, from digit-reversed to natural order. */
static void transform_256(cpx *data, int shift) {
  /* Multiplying by the root of unity (32767, 0) changes no value that was divided by 4. */
  for (cpx *p = data; p < data + 256; p += 4) {
    butterfly(p, 1, quarter(shift_left(p[0], shift)), quarter(shift_left(p[1], shift)),
              quarter(shift_left(p[2], shift)), quarter(shift_left(p[3], shift)));
  }
  for (uint32_t m = 4; m < 256; m *= 4) {
    const uint32_t step = 64 / m;
    for (uint32_t k = 0; k < m; k++) {
      const cpx w1 = tml_audio_twiddles[k * step];
      const cpx w2 = tml_audio_twiddles[k * step * 2];
      const cpx w3 = tml_audio_twiddles[k * step * 3];
      for (cpx *p = data + k; p < data + 256; p += 4 * m) {
        butterfly(p, m, quarter(p[0]), mul(quarter(p[m]), w1), mul(quarter(p[2 * m]), w2),
                  mul(quarter(p[3 * m]), w3));
      }
    }
  }
}

void tml_fft_power_512(uint32_t data[256], int shift) {
  transform_256(data, shift);
  /* The samples were the real and imaginary parts of 256 points: bins k and 256 - k of the real
   * spectrum come from the points k and 256 - k. */
  for (uint32_t k = 1; k <= 128; k++) {
    const cpx a = half(data[k]), b = half(conjugate(data[256 - k]));
    const cpx sum = tml_lanes_add(a, b);
    const cpx turned = mul(tml_lanes_sub(a, b), tml_audio_split_twiddles[k]);
    const cpx mirrored_real = tml_lanes_half_sub(sum, turned);
    const cpx mirrored_imag = tml_lanes_half_sub(turned, sum);
    data[k] = power(tml_lanes_half_add(sum, turned));
    data[256 - k] = power((mirrored_imag & 0xffff0000u) | (mirrored_real & 0xffffu));
  }
}
