#include "audio_fft.h"

#include "audio_tables.h"

/* A complex number is a word: real part in the lower, imaginary part in the upper 16 bits. Every
 * operation wraps at 16 bits. The two sets below give the same bits; one uses the DSP instructions
 * of a Cortex-M4 and its successors. */
typedef uint32_t cpx;

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>

static inline cpx add(cpx a, cpx b) { return (cpx)__sadd16((int16x2_t)a, (int16x2_t)b); }
static inline cpx sub(cpx a, cpx b) { return (cpx)__ssub16((int16x2_t)a, (int16x2_t)b); }

/* a + ib and a - ib */
static inline cpx add_i(cpx a, cpx b) { return (cpx)__sasx((int16x2_t)a, (int16x2_t)b); }
static inline cpx sub_i(cpx a, cpx b) { return (cpx)__ssax((int16x2_t)a, (int16x2_t)b); }

/* (a + b) / 2 and (a - b) / 2, rounded down */
static inline cpx half_add(cpx a, cpx b) { return (cpx)__shadd16((int16x2_t)a, (int16x2_t)b); }
static inline cpx half_sub(cpx a, cpx b) { return (cpx)__shsub16((int16x2_t)a, (int16x2_t)b); }

/* The upper halves of two words, as a word. */
static inline cpx upper_halves(int32_t low, int32_t high) {
  return ((uint32_t)high & 0xffff0000u) | (uint32_t)low >> 16;
}

/* a * factor / 2**15, rounded */
static inline cpx scale(cpx a, int32_t factor) {
  return upper_halves(__smlabb((int32_t)a, 2 * factor, 0x8000),
                      __smlatb((int32_t)a, 2 * factor, 0x8000));
}

/* a * b / 2**15, rounded */
static inline cpx mul(cpx a, cpx b) {
  const int32_t real = __smlsd((int16x2_t)a, (int16x2_t)b, 0x4000);
  const int32_t imag = __smladx((int16x2_t)a, (int16x2_t)b, 0x4000);
  return upper_halves((int32_t)((uint32_t)real << 1), (int32_t)((uint32_t)imag << 1));
}

static inline uint32_t energy(cpx a) { return (uint32_t)__smuad((int16x2_t)a, (int16x2_t)a); }

#else

static inline int32_t re(cpx a) { return (int16_t)a; }
static inline int32_t im(cpx a) { return (int16_t)(a >> 16); }
static inline cpx pack(int32_t real, int32_t imag) {
  return (uint32_t)imag << 16 | ((uint32_t)real & 0xffffu);
}

static inline cpx add(cpx a, cpx b) { return pack(re(a) + re(b), im(a) + im(b)); }
static inline cpx sub(cpx a, cpx b) { return pack(re(a) - re(b), im(a) - im(b)); }

/* a + ib and a - ib */
static inline cpx add_i(cpx a, cpx b) { return pack(re(a) - im(b), im(a) + re(b)); }
static inline cpx sub_i(cpx a, cpx b) { return pack(re(a) + im(b), im(a) - re(b)); }

/* (a + b) / 2 and (a - b) / 2, rounded down */
static inline cpx half_add(cpx a, cpx b) {
  return pack((re(a) + re(b)) >> 1, (im(a) + im(b)) >> 1);
}
static inline cpx half_sub(cpx a, cpx b) {
  return pack((re(a) - re(b)) >> 1, (im(a) - im(b)) >> 1);
}

/* a * factor / 2**15, rounded */
static inline cpx scale(cpx a, int32_t factor) {
  return pack((re(a) * factor + 0x4000) >> 15, (im(a) * factor + 0x4000) >> 15);
}

/* a * b / 2**15, rounded */
static inline cpx mul(cpx a, cpx b) {
  return pack((re(a) * re(b) - im(a) * im(b) + 0x4000) >> 15,
              (re(a) * im(b) + im(a) * re(b) + 0x4000) >> 15);
}

static inline uint32_t energy(cpx a) { return (uint32_t)(re(a) * re(a) + im(a) * im(a)); }

#endif

/* KISS FFT divides by 2 and 4 with these factors, so that nothing overflows. */
static inline cpx half(cpx a) { return scale(a, 32767 / 2); }
static inline cpx quarter(cpx a) { return scale(a, 32767 / 4); }

static inline cpx conjugate(cpx a) { return (a & 0xffffu) | (0u - (a & 0xffff0000u)); }

static inline cpx shift_left(cpx a, int shift) {
  return (a & 0xffff0000u) << shift | (a << shift & 0xffffu);
}

/* Replace a, b, c, d, distance `m` apart, by their 4-point transform. */
static inline void butterfly(cpx *data, uint32_t m, cpx a, cpx b, cpx c, cpx d) {
  const cpx even_sum = add(a, c), even_difference = sub(a, c);
  const cpx odd_sum = add(b, d), odd_difference = sub(b, d);
  data[0] = add(even_sum, odd_sum);
  data[m] = sub_i(even_difference, odd_difference);
  data[2 * m] = sub(even_sum, odd_sum);
  data[3 * m] = add_i(even_difference, odd_difference);
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
    const cpx sum = add(a, b), turned = mul(sub(a, b), tml_audio_split_twiddles[k]);
    const cpx mirrored_real = half_sub(sum, turned), mirrored_imag = half_sub(turned, sum);
    data[k] = energy(half_add(sum, turned));
    data[256 - k] = energy((mirrored_imag & 0xffff0000u) | (mirrored_real & 0xffffu));
  }
}
