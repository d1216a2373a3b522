/* tml_kernel.h: arithmetic that the kernels share. The same functions in Python: quant.py.
 *
 * TFLite rounds twice: the high half of the product to nearest with halves up, then the right
 * shift to nearest with halves away from zero (gemmlowp fixedpoint.h, TFLite common.cc).
 */
#ifndef TML_KERNEL_H
#define TML_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What the kernels take for granted: attributes, and conversions to narrower signed types that wrap,
 * as in GCC and Clang; words of four bytes that are read as they lie in memory. */
#if !defined(__GNUC__)
#error "these kernels need GCC or Clang"
#elif __SIZEOF_INT__ != 4
#error "these kernels need an int of 32 bits"
#elif __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "these kernels need a little-endian target"
#endif
/* The size is negative, which is an error, where >> of a negative number is no arithmetic shift. */
typedef char tml_shifts_are_arithmetic_t[(-3 >> 1) == -2 ? 1 : -1];

#include "tml_dsp.h"

#define TML_ALIGN_ARENA __attribute__((aligned(16)))
#define TML_ALIGN_WORD __attribute__((aligned(4)))
#define TML_INLINE static inline __attribute__((always_inline))

/* a * b / 2^31 to nearest, halves up; saturates where both are INT32_MIN. */
static inline int32_t tml_doubling_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) {
    return INT32_MAX;
  }
  return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* value / 2^exponent to nearest, halves away from zero; exponent 0..31. */
static inline int32_t tml_rounding_shift_right(int32_t value, int exponent) {
  const int32_t mask = (int32_t)((1u << exponent) - 1u);
  const int32_t remainder = value & mask;
  const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* value * multiplier * 2^(shift - 31); value * 2^max(shift, 0) must fit into int32. */
static inline int32_t tml_requantize(int32_t value, int32_t multiplier, int shift) {
  const int left = shift > 0 ? shift : 0;
  const int right = shift > 0 ? 0 : -shift;
  const int32_t product = tml_doubling_high_mul((int32_t)((uint32_t)value << left), multiplier);
  return tml_rounding_shift_right(product, right);
}

static inline int32_t tml_clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : (value > high ? high : value);
}

/* Four bytes that may be of any type, aligned to 4; little-endian. */
typedef uint32_t tml_word_t __attribute__((may_alias));

/* value / 2, rounded down, within -128..127 */
static inline int32_t tml_half_saturated_s8(int32_t value) {
#if TML_DSP
  int32_t result;
  __asm__("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(value));
  return result;
#else
  return tml_clamp(value >> 1, -128, 127);
#endif
}

/* value within -128..127 */
static inline int32_t tml_saturated_s8(int32_t value) {
#if TML_DSP
  int32_t result;
  __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
  return result;
#else
  return tml_clamp(value, -128, 127);
#endif
}

/* The proved linear form of requantization, see proof.py: `scaled` is 2^8 times a sum, plus a bias
 * that holds the channel's rounding and output offset. `right` is a constant. */
TML_INLINE int8_t tml_linear_output(int32_t scaled, int32_t multiplier, int right) {
  const int32_t high = (int32_t)(((int64_t)scaled * multiplier) >> 32);
  return (int8_t)tml_saturated_s8(high >> right);
}

/* One output channel of a kernel that handles right shifts only: bias in the upper 27 bits of
 * bias_shift, right shift - 1 (0..30) in the lower 5. */
typedef struct {
  int32_t multiplier;
  int32_t bias_shift;
} tml_channel_t;

static inline int32_t tml_channel_bias(int32_t bias_shift) { return bias_shift >> 5; }

static inline int32_t tml_channel_shift(int32_t bias_shift) { return bias_shift & 31; }

/* Where a kernel with channel tables writes: rounding is 2 * output_offset + 1. */
typedef struct {
  int32_t rounding;
  int32_t act_min;
  int32_t act_max;
} tml_output_t;

/* tml_requantize(sum, multiplier, -shift) + output_offset within act_min..act_max, for shift >= 1
 * and |sum| < 2^30. Adding -1 to a negative product, then shifting right by shift - 1, adding 1
 * and shifting by 1 rounds halves away from zero. Without `clamp` the range is -128..127. */
TML_INLINE int32_t tml_channel_output(int32_t sum, int32_t multiplier, int32_t shift,
                                      const tml_output_t *to, int clamp) {
  int32_t value = tml_high_mul((int32_t)((uint32_t)sum << 1), multiplier);
  value += value >> 31;
  value = (value >> shift) + to->rounding;
  return clamp ? tml_clamp(value >> 1, to->act_min, to->act_max) : tml_half_saturated_s8(value);
}

TML_INLINE int8_t tml_channel_output_s8(int32_t sum, const tml_channel_t *channel,
                                        const tml_output_t *to, int clamp) {
  const int32_t shift = tml_channel_shift(channel->bias_shift);
  return (int8_t)tml_channel_output(sum, channel->multiplier, shift, to, clamp);
}

#endif
