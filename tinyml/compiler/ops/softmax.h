/* softmax.h: softmax over the last axis, int8 in and out; TFLite's fixed-point rule. */
#ifndef TML_SOFTMAX_H
#define TML_SOFTMAX_H

#include "tml_kernel.h"

/* exp[i] is exp(-i * input scale * beta) in Q0.31; beyond exp_count entries it counts as 0. */
typedef struct {
  int32_t rows;
  int32_t depth;
  const int32_t *exp;
  int32_t exp_count;
} tml_softmax_t;

/* value * 2^bits, saturated to 32 bits; bits 0..31. */
static inline int32_t tml_shift_left_saturating(int32_t value, int bits) {
  const int64_t wide = (int64_t)value * ((int64_t)1 << bits);
  return wide > INT32_MAX ? INT32_MAX : (wide < INT32_MIN ? INT32_MIN : (int32_t)wide);
}

/* 1 / (1 + x) in Q0.31 for x in Q0.31, 0 <= x < 1: three Newton-Raphson steps (gemmlowp). */
static inline int32_t tml_reciprocal_1_to_2(int32_t x) {
  const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  /* 48/17 and -32/17 in Q2.29 */
  int32_t result = 1515870810 + tml_doubling_high_mul(half_denominator, -1010580540);
  for (int i = 0; i < 3; ++i) {
    const int32_t error = (1 << 29) - tml_doubling_high_mul(half_denominator, result);
    result += tml_shift_left_saturating(tml_doubling_high_mul(result, error), 2);
  }
  return tml_shift_left_saturating(result, 1);
}

/* input and output [rows, depth]; the output may lie on the input. */
static inline void tml_softmax_s8(const int8_t *input, int8_t *output, const tml_softmax_t *p) {
  for (int32_t row = 0; row < p->rows; ++row) {
    int32_t most = -128;
    for (int32_t i = 0; i < p->depth; ++i) {
      most = input[i] > most ? input[i] : most;
    }
    int32_t sum = 0; /* Q12.19 */
    for (int32_t i = 0; i < p->depth; ++i) {
      const int32_t below = most - input[i];
      sum += below < p->exp_count ? tml_rounding_shift_right(p->exp[below], 12) : 0;
    }
    int32_t headroom = 0;
    for (uint32_t bits = (uint32_t)sum; (bits & 0x80000000u) == 0; bits <<= 1) {
      ++headroom;
    }
    const int32_t fraction = (int32_t)(((uint32_t)sum << headroom) - 0x80000000u);
    const int32_t reciprocal = tml_reciprocal_1_to_2(fraction);
    const int exponent = 12 - headroom + 23;
    for (int32_t i = 0; i < p->depth; ++i) {
      const int32_t below = most - input[i];
      int32_t share = 0;
      if (below < p->exp_count && exponent <= 31) {
        share = tml_doubling_high_mul(reciprocal, p->exp[below]);
        share = tml_rounding_shift_right(share, exponent);
      }
      output[i] = (int8_t)tml_clamp(share - 128, -128, 127);
    }
    input += p->depth;
    output += p->depth;
  }
}

#endif
