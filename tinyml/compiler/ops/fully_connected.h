/* fully_connected.h: matrix times vector, int8 in and out. */
#ifndef TML_FULLY_CONNECTED_H
#define TML_FULLY_CONNECTED_H

#include "tml_kernel.h"

/* multipliers and shifts: one each, or with per_channel one per channel. weights_offset is minus
 * the zero point of the weights, nearly always 0. */
typedef struct {
  int32_t batches;
  int32_t depth;
  int32_t channels;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t per_channel;
  int32_t weights_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_fully_connected_t;

/* input [batches, depth], weights [channels, depth], bias [channels] with the input offset folded
 * in, output [batches, channels]. */
static inline void tml_fully_connected_s8(const int8_t *input, const int8_t *weights,
                                          const int32_t *bias, int8_t *output,
                                          const tml_fully_connected_t *p) {
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    int32_t offset = 0;
    if (p->weights_offset != 0) {
      for (int32_t i = 0; i < p->depth; ++i) {
        offset += input[i];
      }
      offset *= p->weights_offset;
    }
    const int8_t *row = weights;
    for (int32_t channel = 0; channel < p->channels; ++channel) {
      const int32_t which = p->per_channel ? channel : 0;
      int32_t sum = bias[channel] + offset;
      for (int32_t i = 0; i < p->depth; ++i) {
        sum += row[i] * input[i];
      }
      sum = tml_requantize(sum, p->multipliers[which], p->shifts[which]) + p->output_offset;
      output[channel] = (int8_t)tml_clamp(sum, p->act_min, p->act_max);
      row += p->depth;
    }
    input += p->depth;
    output += p->channels;
  }
}

/* multipliers and shifts (right shift - 1): one each, or with per_channel one per channel. */
typedef struct {
  int32_t batches;
  int32_t depth;
  int32_t channels;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t per_channel;
  tml_output_t output;
} tml_fully_connected_fast_t;

/* Sums of four channels. */
typedef struct {
  int32_t c0;
  int32_t c1;
  int32_t c2;
  int32_t c3;
} tml_fully_connected_sums_t;

/* Add the four inputs at *x times the four weights of each of four channels at *w; both advance. */
#if defined(__ARM_FEATURE_DSP)
/* In 21 instructions and 11 registers, which leaves GCC enough for the loop. */
TML_INLINE void tml_fully_connected_step(const tml_word_t **x, const tml_word_t **w,
                                         tml_fully_connected_sums_t *s) {
  uint32_t x_even, x_odd, even, one, two;
  __asm__(
      "ldr %[xo], [%[xp]], #4\n\t"
      "ldrd %[w1], %[w2], [%[wp]], #8\n\t"
      "sxtb16 %[xe], %[xo]\n\t"
      "sxtb16 %[xo], %[xo], ror #8\n\t"
      "sxtb16 %[we], %[w1]\n\t"
      "sxtb16 %[w1], %[w1], ror #8\n\t"
      "smlad %[c0], %[we], %[xe], %[c0]\n\t"
      "smlad %[c0], %[w1], %[xo], %[c0]\n\t"
      "sxtb16 %[we], %[w2]\n\t"
      "sxtb16 %[w2], %[w2], ror #8\n\t"
      "smlad %[c1], %[we], %[xe], %[c1]\n\t"
      "smlad %[c1], %[w2], %[xo], %[c1]\n\t"
      "ldrd %[w1], %[w2], [%[wp]], #8\n\t"
      "sxtb16 %[we], %[w1]\n\t"
      "sxtb16 %[w1], %[w1], ror #8\n\t"
      "smlad %[c2], %[we], %[xe], %[c2]\n\t"
      "smlad %[c2], %[w1], %[xo], %[c2]\n\t"
      "sxtb16 %[we], %[w2]\n\t"
      "sxtb16 %[w2], %[w2], ror #8\n\t"
      "smlad %[c3], %[we], %[xe], %[c3]\n\t"
      "smlad %[c3], %[w2], %[xo], %[c3]"
      : [xp] "+&r"(*x), [wp] "+&r"(*w), [c0] "+&r"(s->c0), [c1] "+&r"(s->c1), [c2] "+&r"(s->c2),
        [c3] "+&r"(s->c3), [xe] "=&r"(x_even), [xo] "=&r"(x_odd), [we] "=&r"(even),
        [w1] "=&r"(one), [w2] "=&r"(two)
      :
      : "memory");
}
#else
static inline int32_t tml_fully_connected_dot(uint32_t x, uint32_t w, int32_t sum) {
  sum = tml_lanes_dot(tml_lanes_even(w), tml_lanes_even(x), sum);
  return tml_lanes_dot(tml_lanes_odd(w), tml_lanes_odd(x), sum);
}

TML_INLINE void tml_fully_connected_step(const tml_word_t **x, const tml_word_t **w,
                                         tml_fully_connected_sums_t *s) {
  s->c0 = tml_fully_connected_dot(**x, (*w)[0], s->c0);
  s->c1 = tml_fully_connected_dot(**x, (*w)[1], s->c1);
  s->c2 = tml_fully_connected_dot(**x, (*w)[2], s->c2);
  s->c3 = tml_fully_connected_dot(**x, (*w)[3], s->c3);
  *x += 1;
  *w += 4;
}
#endif

TML_INLINE int8_t tml_fully_connected_output(int32_t sum, int32_t channel,
                                             const tml_fully_connected_fast_t *p) {
  const int32_t which = p->per_channel ? channel : 0;
  return (int8_t)tml_channel_output(sum, p->multipliers[which], p->shifts[which], &p->output, 1);
}

/* Depth and channels at least 4, right shifts only, sums below 2^30: input [batches, depth],
 * aligned to 4 (depth a multiple of 4 where there is more than one batch); weights [groups of
 * four channels, depth / 4, 4 channels, 4 inputs], then for each group the depth % 4 remaining
 * inputs as [depth % 4, 4 channels]; the last group holds the last four channels; bias with the
 * input offset folded in; output [batches, channels]. */
static inline void tml_fully_connected_fast_s8(const int8_t *input, const int8_t *weights,
                                               const int32_t *bias, int8_t *output,
                                               const tml_fully_connected_fast_t *p) {
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    const tml_word_t *w = (const tml_word_t *)(const void *)weights;
    const tml_word_t *const end = (const tml_word_t *)(const void *)input + (p->depth >> 2);
    for (int32_t first = 0; first < p->channels; first += 4) {
      const int32_t at = first + 4 <= p->channels ? first : p->channels - 4;
      tml_fully_connected_sums_t sums = {bias[at], bias[at + 1], bias[at + 2], bias[at + 3]};
      const tml_word_t *x = (const tml_word_t *)(const void *)input;
      if ((p->depth & 4) != 0) {
        tml_fully_connected_step(&x, &w, &sums);
      }
      while (x != end) {
        tml_fully_connected_step(&x, &w, &sums);
        tml_fully_connected_step(&x, &w, &sums);
      }
      const int8_t *rest = (const int8_t *)x;
      for (int32_t i = 0; i < (p->depth & 3); ++i, ++rest) {
        const uint32_t four = *w++;
        sums.c0 += *rest * (int8_t)(uint8_t)four;
        sums.c1 += *rest * (int8_t)(uint8_t)(four >> 8);
        sums.c2 += *rest * (int8_t)(uint8_t)(four >> 16);
        sums.c3 += *rest * (int8_t)(uint8_t)(four >> 24);
      }
      /* All four before the first store, which might change *p for all that GCC knows. */
      const int8_t c0 = tml_fully_connected_output(sums.c0, at, p);
      const int8_t c1 = tml_fully_connected_output(sums.c1, at + 1, p);
      const int8_t c2 = tml_fully_connected_output(sums.c2, at + 2, p);
      const int8_t c3 = tml_fully_connected_output(sums.c3, at + 3, p);
      output[at] = c0;
      output[at + 1] = c1;
      output[at + 2] = c2;
      output[at + 3] = c3;
    }
    input += p->depth;
    output += p->channels;
  }
}

/* Kernels for eights of channels. Two channels P and Q share a halfword, 256 * p + q, as in
 * conv_2d.h: S sums such products and is 256 * P + Q, Q sums those of SXTB16's q alone. The pairs of
 * an eight are AB, CD, EF and GH; its `starts` are what S of each begins with, then Q of each. */
typedef struct {
  int32_t batches;
  int32_t depth;
  int32_t channels;
  int32_t multiplier; /* of all channels */
  int32_t rest;       /* linear: what 256 * Q lacks of its bias; exact: the right shift - 1 */
  int32_t rounding;   /* exact: as in tml_output_t */
} tml_fully_connected_eights_t;

#define TML_FULLY_CONNECTED_RIGHT 9

#if TML_DSP

/* clang-format off */
/* Registers: r12 inputs, lr weights, r4 r5 r6 r7 S, r8 r9 r10 r11 Q of the four pairs. Stack: what
 * was pushed, then the arguments. */
#define TML_FULLY_CONNECTED_EIGHTS_BEGIN \
  "push {r0, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t" \
  "mov lr, r1\n" \
  "1:\n\t" \
  "ldrd r12, r0, [sp]\n\t" \
  "ldm r0!, {r4, r5, r6, r7, r8, r9, r10, r11}\n\t" \
  "str r0, [sp, #4]\n\t" \
  "ldrd r0, r1, [sp, #52]\n\t" \
  "cmp r12, r0\n\t" \
  "beq 2f\n\t" \
  TML_FULLY_CONNECTED_EIGHTS_STEP \
  "ldr r1, [sp, #56]\n" \
  "2:\n\t" \
  "cmp r12, r1\n\t" \
  "beq 4f\n" \
  "3:\n\t" \
  TML_FULLY_CONNECTED_EIGHTS_STEP \
  TML_FULLY_CONNECTED_EIGHTS_STEP \
  "ldr r1, [sp, #56]\n\t" \
  "cmp r12, r1\n\t" \
  "bne 3b\n" \
  "4:\n\t" \
  "sub r4, r4, r8\n\t" \
  "sub r5, r5, r9\n\t" \
  "sub r6, r6, r10\n\t" \
  "sub r7, r7, r11\n\t" \
  "ldrd r0, r1, [sp, #60]\n\t"

/* Four inputs times eight channels: 32 products in 31 instructions. */
#define TML_FULLY_CONNECTED_EIGHTS_STEP \
  "ldr r3, [r12], #4\n\t" \
  "sxtb16 r2, r3\n\t" \
  "sxtb16 r3, r3, ror #8\n\t" \
  TML_FULLY_CONNECTED_EIGHTS_PAIR(r4, r8) \
  TML_FULLY_CONNECTED_EIGHTS_PAIR(r5, r9) \
  TML_FULLY_CONNECTED_EIGHTS_PAIR(r6, r10) \
  TML_FULLY_CONNECTED_EIGHTS_PAIR(r7, r11)

#define TML_FULLY_CONNECTED_EIGHTS_PAIR(s, q) \
  "ldrd r0, r1, [lr], #8\n\t" \
  "smlad " #s ", r2, r0, " #s "\n\t" \
  "smlad " #s ", r3, r1, " #s "\n\t" \
  "sxtb16 r0, r0\n\t" \
  "sxtb16 r1, r1\n\t" \
  "smlad " #q ", r2, r0, " #q "\n\t" \
  "smlad " #q ", r3, r1, " #q "\n\t"

#define TML_FULLY_CONNECTED_EIGHTS_END \
  "ldr r3, [sp, #48]\n\t" \
  "strb r4, [r3]\n\t" \
  "strb r8, [r3, #1]\n\t" \
  "strb r5, [r3, #2]\n\t" \
  "strb r9, [r3, #3]\n\t" \
  "strb r6, [r3, #4]\n\t" \
  "strb r10, [r3, #5]\n\t" \
  "strb r7, [r3, #6]\n\t" \
  "strb r11, [r3, #7]\n\t" \
  "adds r3, r3, #8\n\t" \
  "str r3, [sp, #48]\n\t" \
  "ldrd r0, r1, [sp, #4]\n\t" \
  "cmp r0, r1\n\t" \
  "bne 1b\n\t" \
  "add sp, sp, #12\n\t" \
  "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

#define TML_FULLY_CONNECTED_EIGHTS_LINEAR(sum) \
  "smmul " #sum ", " #sum ", r0\n\t" \
  "ssat " #sum ", #8, " #sum ", asr #9\n\t"

/* As tml_channel_output: `sum` is twice the channel's sum. */
#define TML_FULLY_CONNECTED_EIGHTS_EXACT(sum) \
  "smmulr " #sum ", " #sum ", r0\n\t" \
  "add " #sum ", " #sum ", " #sum ", asr #31\n\t" \
  "asr " #sum ", " #sum ", r1\n\t" \
  "add " #sum ", " #sum ", r2\n\t" \
  "ssat " #sum ", #8, " #sum ", asr #1\n\t"

/* All eights of `starts`..`end`. Inputs up to `middle` are what a multiple of 8 leaves of them. */
__attribute__((naked, noinline, unused)) static void tml_fully_connected_linear_eights(
    const int8_t *input __attribute__((unused)),
    const tml_word_t *weights __attribute__((unused)),
    const int32_t *starts __attribute__((unused)),
    const int32_t *end __attribute__((unused)),
    int8_t *output __attribute__((unused)), const int8_t *middle __attribute__((unused)),
    const int8_t *last __attribute__((unused)), int32_t multiplier __attribute__((unused)),
    int32_t rest __attribute__((unused))) {
  __asm__(
      TML_FULLY_CONNECTED_EIGHTS_BEGIN
      "add r8, r1, r8, lsl #8\n\t"
      "add r9, r1, r9, lsl #8\n\t"
      "add r10, r1, r10, lsl #8\n\t"
      "add r11, r1, r11, lsl #8\n\t"
      TML_FULLY_CONNECTED_EIGHTS_LINEAR(r4) TML_FULLY_CONNECTED_EIGHTS_LINEAR(r5)
      TML_FULLY_CONNECTED_EIGHTS_LINEAR(r6) TML_FULLY_CONNECTED_EIGHTS_LINEAR(r7)
      TML_FULLY_CONNECTED_EIGHTS_LINEAR(r8) TML_FULLY_CONNECTED_EIGHTS_LINEAR(r9)
      TML_FULLY_CONNECTED_EIGHTS_LINEAR(r10) TML_FULLY_CONNECTED_EIGHTS_LINEAR(r11)
      TML_FULLY_CONNECTED_EIGHTS_END);
}

/* The same with exact requantization. */
__attribute__((naked, noinline, unused)) static void tml_fully_connected_exact_eights(
    const int8_t *input __attribute__((unused)),
    const tml_word_t *weights __attribute__((unused)),
    const int32_t *starts __attribute__((unused)),
    const int32_t *end __attribute__((unused)),
    int8_t *output __attribute__((unused)), const int8_t *middle __attribute__((unused)),
    const int8_t *last __attribute__((unused)), int32_t multiplier __attribute__((unused)),
    int32_t shift __attribute__((unused)), int32_t rounding __attribute__((unused))) {
  __asm__(
      TML_FULLY_CONNECTED_EIGHTS_BEGIN
      "ldr r2, [sp, #68]\n\t"
      "asr r4, r4, #7\n\t"
      "asr r5, r5, #7\n\t"
      "asr r6, r6, #7\n\t"
      "asr r7, r7, #7\n\t"
      "lsl r8, r8, #1\n\t"
      "lsl r9, r9, #1\n\t"
      "lsl r10, r10, #1\n\t"
      "lsl r11, r11, #1\n\t"
      TML_FULLY_CONNECTED_EIGHTS_EXACT(r4) TML_FULLY_CONNECTED_EIGHTS_EXACT(r5)
      TML_FULLY_CONNECTED_EIGHTS_EXACT(r6) TML_FULLY_CONNECTED_EIGHTS_EXACT(r7)
      TML_FULLY_CONNECTED_EIGHTS_EXACT(r8) TML_FULLY_CONNECTED_EIGHTS_EXACT(r9)
      TML_FULLY_CONNECTED_EIGHTS_EXACT(r10) TML_FULLY_CONNECTED_EIGHTS_EXACT(r11)
      TML_FULLY_CONNECTED_EIGHTS_END);
}
/* clang-format on */

#else

/* 256 times the sum of the upper channel of a pair, and the sum of the lower. */
typedef struct {
  int32_t upper256;
  int32_t lower;
} tml_fully_connected_pair_t;

/* Pair `which` of an eight, whose weights begin at `weights`. */
static inline tml_fully_connected_pair_t tml_fully_connected_pair(
    const int8_t *input, const int8_t *last, const tml_word_t *weights,
    const int32_t *starts, int which) {
  uint32_t sum = (uint32_t)starts[which];
  uint32_t lower = (uint32_t)starts[4 + which];
  weights += 2 * which;
  for (; input != last; input += 4, weights += 8) {
    const uint32_t x = *(const tml_word_t *)(const void *)input;
    sum += tml_lanes_dot_only(tml_lanes_even(x), weights[0]);
    sum += tml_lanes_dot_only(tml_lanes_odd(x), weights[1]);
    lower += tml_lanes_dot_only(tml_lanes_even(x), tml_lanes_even(weights[0]));
    lower += tml_lanes_dot_only(tml_lanes_odd(x), tml_lanes_even(weights[1]));
  }
  const tml_fully_connected_pair_t pair = {(int32_t)(sum - lower), (int32_t)lower};
  return pair;
}

static inline void tml_fully_connected_linear_eights(const int8_t *input,
                                                     const tml_word_t *weights,
                                                     const int32_t *starts,
                                                     const int32_t *end,
                                                     int8_t *output, const int8_t *middle,
                                                     const int8_t *last, int32_t multiplier,
                                                     int32_t rest) {
  const int right = TML_FULLY_CONNECTED_RIGHT;
  (void)middle;
  for (; starts != end; starts += 8, weights += 2 * (last - input)) {
    for (int i = 0; i < 4; ++i) {
      const tml_fully_connected_pair_t pair =
          tml_fully_connected_pair(input, last, weights, starts, i);
      const int32_t lower256 = (int32_t)(((uint32_t)pair.lower << 8) + (uint32_t)rest);
      *output++ = tml_linear_output(pair.upper256, multiplier, right);
      *output++ = tml_linear_output(lower256, multiplier, right);
    }
  }
}

static inline void tml_fully_connected_exact_eights(const int8_t *input,
                                                    const tml_word_t *weights,
                                                    const int32_t *starts,
                                                    const int32_t *end,
                                                    int8_t *output, const int8_t *middle,
                                                    const int8_t *last, int32_t multiplier,
                                                    int32_t shift, int32_t rounding) {
  const tml_output_t to = {rounding, -128, 127};
  (void)middle;
  for (; starts != end; starts += 8, weights += 2 * (last - input)) {
    for (int i = 0; i < 4; ++i) {
      const tml_fully_connected_pair_t pair =
          tml_fully_connected_pair(input, last, weights, starts, i);
      *output++ = (int8_t)tml_channel_output(pair.upper256 >> 8, multiplier, shift, &to, 0);
      *output++ = (int8_t)tml_channel_output(pair.lower, multiplier, shift, &to, 0);
    }
  }
}

#endif

/* Depth a multiple of 4, channels of 8, one multiplier for all: input [batches, depth], aligned to
 * 4; weights [channels / 8, depth / 4, 4 pairs, even or odd inputs, 2 halfwords]; bias with the
 * input offset folded in, in `starts`; output [batches, channels], -128..127. Sums below 2^23. */
static inline void tml_fully_connected_eights_s8(const int8_t *input, const int8_t *weights,
                                                 const int32_t *starts,
                                                 int8_t *output,
                                                 const tml_fully_connected_eights_t *p) {
  const tml_word_t *const words = (const tml_word_t *)(const void *)weights;
  const int32_t *const end = starts + p->channels;
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    tml_fully_connected_exact_eights(input, words, starts, end, output, input + (p->depth & 4),
                                     input + p->depth, p->multiplier, p->rest, p->rounding);
    input += p->depth;
    output += p->channels;
  }
}

/* The same where requantization has a proved linear form: any sums that the proof covers. */
static inline void tml_fully_connected_linear_s8(const int8_t *input, const int8_t *weights,
                                                 const int32_t *starts,
                                                 int8_t *output,
                                                 const tml_fully_connected_eights_t *p) {
  const tml_word_t *const words = (const tml_word_t *)(const void *)weights;
  const int32_t *const end = starts + p->channels;
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    tml_fully_connected_linear_eights(input, words, starts, end, output, input + (p->depth & 4),
                                      input + p->depth, p->multiplier, p->rest);
    input += p->depth;
    output += p->channels;
  }
}

#endif
