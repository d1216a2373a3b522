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

/* A multiplier and a shift, -31..30: value * multiplier * 2^(shift - 31). */
typedef struct {
  int32_t multiplier;
  int32_t shift;
} tml_scale_t;

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

#endif
