/* add.h: sum of two int8 tensors of different scales, with broadcasting. */
#ifndef TML_ADD_H
#define TML_ADD_H

#include "tml_walk.h"

/* Both inputs are brought to twice the larger input scale with 20 fractional bits, added, and
 * scaled to the output. Offsets of the inputs are minus their zero points. Shifts are -31..0. */
typedef struct {
  int32_t input1_offset;
  int32_t input1_multiplier;
  int32_t input1_shift;
  int32_t input2_offset;
  int32_t input2_multiplier;
  int32_t input2_shift;
  int32_t output_offset;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t act_min;
  int32_t act_max;
} tml_add_t;

#define TML_ADD_LEFT_SHIFT 20

/* An input value on the common scale; at most 2^28 in size, so two of them cannot overflow. */
static inline int32_t tml_add_term(int32_t value, int32_t multiplier, int32_t shift) {
  return tml_requantize(value * (1 << TML_ADD_LEFT_SHIFT), multiplier, shift);
}

static inline int8_t tml_add_result(int32_t sum, const tml_add_t *p) {
  const int32_t scaled = tml_requantize(sum, p->output_multiplier, p->output_shift);
  return (int8_t)tml_clamp(scaled + p->output_offset, p->act_min, p->act_max);
}

/* input1 + sign * input2; output is dense, row-major, in the order of the walk, whose operands 1
 * and 2 are the inputs. */
TML_INLINE void tml_add_signed(const int8_t *input1, const int8_t *input2, int8_t *output,
                               const tml_walk_t *walk, const tml_add_t *p, int32_t sign) {
  /* A byte written may lie anywhere for all the compiler knows: keep the parameters in locals. */
  const tml_add_t q = *p;
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t term1 =
          tml_add_term(a[i * stride1] + q.input1_offset, q.input1_multiplier, q.input1_shift);
      const int32_t term2 =
          tml_add_term(b[i * stride2] + q.input2_offset, q.input2_multiplier, q.input2_shift);
      *output++ = tml_add_result(term1 + sign * term2, &q);
    }
  } while (tml_walk_next(walk, &at));
}

/* Sum of two tensors; see tml_add_signed. */
static inline void tml_add_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                              const tml_walk_t *walk, const tml_add_t *p) {
  tml_add_signed(input1, input2, output, walk, p, 1);
}

/* The proved linear form of a sum or difference, see proof.py: (a * multiplier1 + bias + b *
 * multiplier2) >> right, clamped. With a table its entry of a, read as unsigned, stands for
 * a * multiplier1 + bias. */
typedef struct {
  int32_t multiplier1;
  int32_t multiplier2;
  int32_t bias;
  int32_t right;
  const int32_t *table;
  int32_t act_min;
  int32_t act_max;
} tml_linear_sum_t;

TML_INLINE int8_t tml_linear_sum(int32_t a, int32_t b, const tml_linear_sum_t *q, int tabled,
                                 int clamp) {
  const int32_t term = tabled ? q->table[(uint8_t)a] : a * q->multiplier1 + q->bias;
  const int32_t value = (term + b * q->multiplier2) >> q->right;
  return (int8_t)(clamp ? tml_clamp(value, q->act_min, q->act_max) : tml_saturated_s8(value));
}

/* Four at a time of `count` from dense operands that are aligned to 4; returns how many. */
TML_INLINE int32_t tml_linear_sum_words(const int8_t *a, const int8_t *b, int8_t *output,
                                        int32_t count, const tml_linear_sum_t *q, int tabled,
                                        int clamp) {
  const int32_t whole = count & ~3;
  for (const int8_t *const last = a + whole; a != last; a += 4, b += 4, output += 4) {
    const uint32_t x = *(const tml_word_t *)(const void *)a;
    const uint32_t y = *(const tml_word_t *)(const void *)b;
    const int8_t sums[4] = {
        tml_linear_sum((int8_t)(uint8_t)x, (int8_t)(uint8_t)y, q, tabled, clamp),
        tml_linear_sum((int8_t)(uint8_t)(x >> 8), (int8_t)(uint8_t)(y >> 8), q, tabled, clamp),
        tml_linear_sum((int8_t)(uint8_t)(x >> 16), (int8_t)(uint8_t)(y >> 16), q, tabled, clamp),
        tml_linear_sum((int8_t)(uint8_t)(x >> 24), (int8_t)(uint8_t)(y >> 24), q, tabled, clamp)};
    output[0] = sums[0];
    output[1] = sums[1];
    output[2] = sums[2];
    output[3] = sums[3];
  }
  return whole;
}

/* As tml_add_signed. */
TML_INLINE void tml_linear_sums(const int8_t *input1, const int8_t *input2, int8_t *output,
                                const tml_walk_t *walk, const tml_linear_sum_t *p, int tabled,
                                int clamp) {
  const tml_linear_sum_t q = *p;
  const int32_t count = walk->extents[walk->rank - 1];
  const int32_t stride1 = walk->strides1[walk->rank - 1];
  const int32_t stride2 = walk->strides2[walk->rank - 1];
  tml_walk_at_t at = {{0}, 0, 0};
  do {
    const int8_t *a = input1 + at.offset1;
    const int8_t *b = input2 + at.offset2;
    const uintptr_t places = (uintptr_t)a | (uintptr_t)b | (uintptr_t)output;
    int32_t i = 0;
    if (stride1 == 1 && stride2 == 1 && (places & 3) == 0) {
      i = tml_linear_sum_words(a, b, output, count, &q, tabled, clamp);
      output += i;
    }
    for (; i < count; ++i) {
      *output++ = tml_linear_sum(a[i * stride1], b[i * stride2], &q, tabled, clamp);
    }
  } while (tml_walk_next(walk, &at));
}

/* Sum of two tensors in its linear form; see tml_add_signed. */
static inline void tml_add_linear_s8(const int8_t *input1, const int8_t *input2, int8_t *output,
                                     const tml_walk_t *walk, const tml_linear_sum_t *p) {
  if (p->act_min != INT8_MIN || p->act_max != INT8_MAX) {
    tml_linear_sums(input1, input2, output, walk, p, p->table != NULL, 1);
  } else if (p->table != NULL) {
    tml_linear_sums(input1, input2, output, walk, p, 1, 0);
  } else {
    tml_linear_sums(input1, input2, output, walk, p, 0, 0);
  }
}

#endif
