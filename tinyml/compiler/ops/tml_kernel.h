/* tml_kernel.h: arithmetic that the kernels share. The same functions in Python: quant.py.
 *
 * TFLite rounds twice: the high half of the product to nearest with halves up, then the right
 * shift to nearest with halves away from zero (gemmlowp fixedpoint.h, TFLite common.cc).
 */
#ifndef TML_KERNEL_H
#define TML_KERNEL_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

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

/* Two int16 in one word, as the DSP instructions of Armv7E-M see them. The plain C below gives the
 * same bits. Assembly where GCC has no intrinsic (SMMULR) or does not fuse a rotation or shift. */
#if defined(__ARM_FEATURE_DSP)

/* Bytes 0 and 2 of a word, widened. */
static inline uint32_t tml_lanes_even(uint32_t word) { return (uint32_t)__sxtb16((int8x4_t)word); }

/* Bytes 1 and 3 of a word, widened. */
static inline uint32_t tml_lanes_odd(uint32_t word) {
  uint32_t lanes;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(lanes) : "r"(word));
  return lanes;
}

/* sum + a0 * b0 + a1 * b1 */
static inline int32_t tml_lanes_dot(uint32_t a, uint32_t b, int32_t sum) {
  return __smlad((int16x2_t)a, (int16x2_t)b, sum);
}

/* offset + tml_lanes_even(word), lane by lane */
static inline uint32_t tml_lanes_even_plus(uint32_t offset, uint32_t word) {
  return (uint32_t)__sxtab16((int16x2_t)offset, (int8x4_t)word);
}

/* offset + tml_lanes_odd(word), lane by lane */
static inline uint32_t tml_lanes_odd_plus(uint32_t offset, uint32_t word) {
  uint32_t lanes;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(lanes) : "r"(offset), "r"(word));
  return lanes;
}

/* sum + a0 * b0 */
static inline int32_t tml_lanes_low(uint32_t a, uint32_t b, int32_t sum) {
  return __smlabb((int32_t)a, (int32_t)b, sum);
}

/* sum + a1 * b1 */
static inline int32_t tml_lanes_high(uint32_t a, uint32_t b, int32_t sum) {
  return __smlatt((int32_t)a, (int32_t)b, sum);
}

/* sum + a0 * b1 */
static inline int32_t tml_lanes_low_high(uint32_t a, uint32_t b, int32_t sum) {
  return __smlabt((int32_t)a, (int32_t)b, sum);
}

/* sum + a1 * b0 */
static inline int32_t tml_lanes_high_low(uint32_t a, uint32_t b, int32_t sum) {
  return __smlatb((int32_t)a, (int32_t)b, sum);
}

/* a * b / 2^32 to nearest, halves up. */
static inline int32_t tml_high_mul(int32_t a, int32_t b) {
  int32_t high;
  __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
  return high;
}

/* value / 2, rounded down, within -128..127 */
static inline int32_t tml_half_saturated_s8(int32_t value) {
  int32_t result;
  __asm__("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(value));
  return result;
}

#else

static inline int32_t tml_lane(uint32_t lanes, int which) {
  return (int16_t)(uint16_t)(lanes >> (16 * which));
}

static inline uint32_t tml_lanes_even(uint32_t word) {
  const uint32_t low = (uint32_t)(int8_t)(uint8_t)word;
  const uint32_t high = (uint32_t)(int8_t)(uint8_t)(word >> 16);
  return (low & 0xffffu) | (high << 16);
}

static inline uint32_t tml_lanes_odd(uint32_t word) { return tml_lanes_even(word >> 8); }

static inline int32_t tml_lanes_dot(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 0) + tml_lane(a, 1) * tml_lane(b, 1);
}

static inline uint32_t tml_lanes_even_plus(uint32_t offset, uint32_t word) {
  const uint32_t lanes = tml_lanes_even(word);
  return ((offset + lanes) & 0xffffu) | (((offset >> 16) + (lanes >> 16)) << 16);
}

static inline uint32_t tml_lanes_odd_plus(uint32_t offset, uint32_t word) {
  return tml_lanes_even_plus(offset, word >> 8);
}

static inline int32_t tml_lanes_low(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 0);
}

static inline int32_t tml_lanes_high(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 1) * tml_lane(b, 1);
}

static inline int32_t tml_lanes_low_high(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 1);
}

static inline int32_t tml_lanes_high_low(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 1) * tml_lane(b, 0);
}

static inline int32_t tml_high_mul(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

static inline int32_t tml_half_saturated_s8(int32_t value) {
  return tml_clamp(value >> 1, -128, 127);
}

#endif

static inline uint32_t tml_lanes_pair(int32_t low, int32_t high) {
  return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

/* Both lanes hold `value`. */
static inline uint32_t tml_lanes_of(int32_t value) {
  return tml_lanes_pair(value, value);
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
