/* conv_2d.h: convolution, int8 in and out, one scale per output channel. */
#ifndef TML_CONV_2D_H
#define TML_CONV_2D_H

#include "tml_window.h"

/* input_depth / filter_depth is the number of groups. */
typedef struct {
  TML_WINDOW_FIELDS;
  int32_t input_depth;
  int32_t filter_depth;
  int32_t channels;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_conv_2d_t;

/* One sum over the part of a window that lies inside the input. */
static inline int32_t tml_conv_2d_sum(const int8_t *input, const int8_t *weights, tml_span_t y,
                                      tml_span_t x, const tml_conv_2d_t *p) {
  int32_t sum = 0;
  for (int32_t i = y.first; i < y.last; ++i) {
    const int32_t row = (y.origin + i * p->dilation_height) * p->input_width;
    for (int32_t j = x.first; j < x.last; ++j) {
      const int8_t *from = input + (row + x.origin + j * p->dilation_width) * p->input_depth;
      const int8_t *with = weights + (i * p->filter_width + j) * p->filter_depth;
      for (int32_t k = 0; k < p->filter_depth; ++k) {
        sum += with[k] * (from[k] + p->input_offset);
      }
    }
  }
  return sum;
}

/* Any geometry: input [batches, input_height, input_width, input_depth], weights [channels,
 * filter_height, filter_width, filter_depth], bias [channels], output [batches, output_height,
 * output_width, channels]. Padding adds nothing to a sum. */
static inline void tml_conv_2d_any_s8(const int8_t *input, const int8_t *weights,
                                      const int32_t *bias, int8_t *output,
                                      const tml_conv_2d_t *p) {
  const int32_t taps = p->filter_height * p->filter_width * p->filter_depth;
  const int32_t per_group = p->channels / (p->input_depth / p->filter_depth);
  for (int32_t pixel = 0; pixel < p->batches * p->output_height * p->output_width; ++pixel) {
    const int32_t line = pixel / p->output_width;
    const int32_t batch = line / p->output_height;
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top,
                                  p->dilation_height, p->filter_height, p->input_height);
    const tml_span_t x = tml_span(pixel % p->output_width, p->stride_width, p->pad_left,
                                  p->dilation_width, p->filter_width, p->input_width);
    const int8_t *image = input + batch * p->input_height * p->input_width * p->input_depth;
    for (int32_t c = 0; c < p->channels; ++c) {
      const int8_t *from = image + c / per_group * p->filter_depth;
      int32_t sum = bias[c] + tml_conv_2d_sum(from, weights + c * taps, y, x, p);
      sum = tml_requantize(sum, p->multipliers[c], p->shifts[c]) + p->output_offset;
      *output++ = (int8_t)tml_clamp(sum, p->act_min, p->act_max);
    }
  }
}

/* Parameters of the fast kernels. row_words: filter_width * depth taps in words of four, the last
 * one filled up with taps whose weights are 0. taps: filter_height * row_words * 4. padding: the
 * input's zero point. pointwise: output pixel i reads input pixel i. */
typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t row_words;
  int32_t taps;
  int32_t channels;
  int32_t padding;
  int32_t pointwise;
  tml_output_t output;
} tml_conv_2d_fast_t;

/* A patch is one window, widened to lanes. Two patches lie interleaved: for each four taps the even
 * taps of the first, of the second, the odd taps of the first, of the second. So a patch has every
 * other word, and `to` advances by 4 words for four taps. */

/* Widen words of four inputs to lanes; `from` need not be aligned. */
static inline tml_word_t *tml_conv_2d_widen(const int8_t *from, int32_t words, tml_word_t *to) {
#if TML_DSP
  if (words > 0) {
    uint32_t even, odd;
    __asm__ volatile(
        "1:\n\t"
        "ldr %[odd], [%[from]], #4\n\t"
        "sxtb16 %[even], %[odd]\n\t"
        "sxtb16 %[odd], %[odd], ror #8\n\t"
        "str %[even], [%[to]], #8\n\t"
        "str %[odd], [%[to]], #8\n\t"
        "subs %[words], %[words], #1\n\t"
        "bne 1b"
        : [from] "+r"(from), [to] "+r"(to), [words] "+r"(words), [even] "=&r"(even),
          [odd] "=&r"(odd)
        :
        : "memory", "cc");
  }
#else
  for (; words > 0; --words, from += 4, to += 4) {
    uint32_t word;
    memcpy(&word, from, sizeof(word));
    to[0] = tml_lanes_even(word);
    to[2] = tml_lanes_odd(word);
  }
#endif
  return to;
}

static inline tml_word_t *tml_conv_2d_fill(uint32_t lanes, int32_t words, tml_word_t *to) {
  for (; words > 0; --words, to += 4) {
    to[0] = lanes;
    to[2] = lanes;
  }
  return to;
}

/* The same for two windows at once, into both patches. */
static inline tml_word_t *tml_conv_2d_widen_two(const int8_t *one, const int8_t *two,
                                                int32_t words, tml_word_t *to) {
#if TML_DSP
  if (words > 0) {
    uint32_t even_one, odd_one, even_two, odd_two;
    __asm__ volatile(
        "1:\n\t"
        "ldr %[o1], [%[one]], #4\n\t"
        "ldr %[o2], [%[two]], #4\n\t"
        "sxtb16 %[e1], %[o1]\n\t"
        "sxtb16 %[e2], %[o2]\n\t"
        "sxtb16 %[o1], %[o1], ror #8\n\t"
        "sxtb16 %[o2], %[o2], ror #8\n\t"
        "strd %[e1], %[e2], [%[to]], #8\n\t"
        "strd %[o1], %[o2], [%[to]], #8\n\t"
        "subs %[words], %[words], #1\n\t"
        "bne 1b"
        : [one] "+r"(one), [two] "+r"(two), [to] "+r"(to), [words] "+r"(words),
          [e1] "=&r"(even_one), [o1] "=&r"(odd_one), [e2] "=&r"(even_two), [o2] "=&r"(odd_two)
        :
        : "memory", "cc");
  }
#else
  for (; words > 0; --words, one += 4, two += 4, to += 4) {
    uint32_t a, b;
    memcpy(&a, one, sizeof(a));
    memcpy(&b, two, sizeof(b));
    to[0] = tml_lanes_even(a);
    to[1] = tml_lanes_even(b);
    to[2] = tml_lanes_odd(a);
    to[3] = tml_lanes_odd(b);
  }
#endif
  return to;
}

static inline tml_word_t *tml_conv_2d_fill_two(uint32_t lanes, int32_t words, tml_word_t *to) {
  for (; words > 0; --words, to += 4) {
    to[0] = lanes;
    to[1] = lanes;
    to[2] = lanes;
    to[3] = lanes;
  }
  return to;
}

/* Four taps from `tap` on of a row of a window, `from` pointing at its tap 0; those outside
 * first..last-1 are padding. */
static inline uint32_t tml_conv_2d_clipped_word(const int8_t *from, int32_t tap, int32_t first,
                                                int32_t last, int32_t padding) {
  uint32_t word = 0;
  if (tap >= first && tap + 4 <= last) {
    memcpy(&word, from + tap, sizeof(word));
    return word;
  }
  for (int32_t i = tap; i < tap + 4; ++i) {
    const int32_t value = i >= first && i < last ? from[i] : padding;
    word = (word >> 8) | ((uint32_t)value << 24);
  }
  return word;
}

/* One row of a window that reaches over the left or right border, or whose last word would reach
 * over the image's end. */
static inline tml_word_t *tml_conv_2d_widen_clipped(const int8_t *from, tml_span_t x,
                                                    const tml_conv_2d_fast_t *p, tml_word_t *to) {
  const int32_t first = x.first * p->depth;
  const int32_t last = x.last * p->depth;
  for (int32_t tap = 0; tap < 4 * p->row_words; tap += 4, to += 4) {
    const uint32_t word = tml_conv_2d_clipped_word(from, tap, first, last, p->padding);
    to[0] = tml_lanes_even(word);
    to[2] = tml_lanes_odd(word);
  }
  return to;
}

/* Sums of two pixels (one, two) times two channels (a, b). */
typedef struct {
  int32_t one_a;
  int32_t one_b;
  int32_t two_a;
  int32_t two_b;
} tml_conv_2d_sums_t;

/* Add four taps: *x has four words of the patches, *w four weights of either channel; both
 * advance. */
#if defined(__ARM_FEATURE_DSP)
/* In 15 instructions and 12 registers, which leaves GCC one for the loop and nothing to spill. */
TML_INLINE void tml_conv_2d_step(const tml_word_t **x, const tml_word_t **w,
                                 tml_conv_2d_sums_t *s) {
  uint32_t a_even, a_odd, b_even, b_odd, x0, x1;
  __asm__(
      "ldrd %[ao], %[bo], [%[wp]], #8\n\t"
      "ldrd %[x0], %[x1], [%[xp]], #8\n\t"
      "sxtb16 %[ae], %[ao]\n\t"
      "sxtb16 %[ao], %[ao], ror #8\n\t"
      "sxtb16 %[be], %[bo]\n\t"
      "sxtb16 %[bo], %[bo], ror #8\n\t"
      "smlad %[s1a], %[x0], %[ae], %[s1a]\n\t"
      "smlad %[s1b], %[x0], %[be], %[s1b]\n\t"
      "smlad %[s2a], %[x1], %[ae], %[s2a]\n\t"
      "smlad %[s2b], %[x1], %[be], %[s2b]\n\t"
      "ldrd %[x0], %[x1], [%[xp]], #8\n\t"
      "smlad %[s1a], %[x0], %[ao], %[s1a]\n\t"
      "smlad %[s1b], %[x0], %[bo], %[s1b]\n\t"
      "smlad %[s2a], %[x1], %[ao], %[s2a]\n\t"
      "smlad %[s2b], %[x1], %[bo], %[s2b]"
      : [xp] "+&r"(*x), [wp] "+&r"(*w), [s1a] "+&r"(s->one_a), [s1b] "+&r"(s->one_b),
        [s2a] "+&r"(s->two_a), [s2b] "+&r"(s->two_b), [ae] "=&r"(a_even), [ao] "=&r"(a_odd),
        [be] "=&r"(b_even), [bo] "=&r"(b_odd), [x0] "=&r"(x0), [x1] "=&r"(x1)
      :
      : "memory");
}
#else
TML_INLINE void tml_conv_2d_step(const tml_word_t **x, const tml_word_t **w,
                                 tml_conv_2d_sums_t *s) {
  const uint32_t a_even = tml_lanes_even((*w)[0]);
  const uint32_t a_odd = tml_lanes_odd((*w)[0]);
  const uint32_t b_even = tml_lanes_even((*w)[1]);
  const uint32_t b_odd = tml_lanes_odd((*w)[1]);
  s->one_a = tml_lanes_dot((*x)[0], a_even, s->one_a);
  s->one_b = tml_lanes_dot((*x)[0], b_even, s->one_b);
  s->one_a = tml_lanes_dot((*x)[2], a_odd, s->one_a);
  s->one_b = tml_lanes_dot((*x)[2], b_odd, s->one_b);
  s->two_a = tml_lanes_dot((*x)[1], a_even, s->two_a);
  s->two_b = tml_lanes_dot((*x)[1], b_even, s->two_b);
  s->two_a = tml_lanes_dot((*x)[3], a_odd, s->two_a);
  s->two_b = tml_lanes_dot((*x)[3], b_odd, s->two_b);
  *x += 4;
  *w += 2;
}
#endif

/* All channels of two pixels. The weights hold pairs of channels: four taps of one, four of the
 * other. An odd number of channels starts with the pairs (0, 1), (1, 2); a single one is paired
 * with itself. */
TML_INLINE void tml_conv_2d_pixels(const tml_word_t *patches, const tml_word_t *weights,
                                   const tml_channel_t *channel, int8_t *one, int8_t *two,
                                   const tml_conv_2d_fast_t *p, int clamp) {
  const tml_word_t *const end = patches + p->taps;
  const tml_channel_t *const last = channel + ((p->channels + 1) & ~1);
  const int32_t second = p->channels > 1 ? 1 : 0;
  int32_t advance = 2 - (p->channels & 1);
  do {
    tml_conv_2d_sums_t sums;
    sums.one_a = tml_channel_bias(channel[0].bias_shift);
    sums.one_b = tml_channel_bias(channel[1].bias_shift);
    sums.two_a = sums.one_a;
    sums.two_b = sums.one_b;
    const tml_word_t *x = patches;
    if ((p->taps & 4) != 0) {
      tml_conv_2d_step(&x, &weights, &sums);
    }
    while (x != end) {
      tml_conv_2d_step(&x, &weights, &sums);
      tml_conv_2d_step(&x, &weights, &sums);
    }
    /* All four before the first store, which might change *channel for all that GCC knows. */
    const tml_channel_t a = channel[0];
    const tml_channel_t b = channel[1];
    const int8_t one_a = tml_channel_output_s8(sums.one_a, &a, &p->output, clamp);
    const int8_t two_a = tml_channel_output_s8(sums.two_a, &a, &p->output, clamp);
    const int8_t one_b = tml_channel_output_s8(sums.one_b, &b, &p->output, clamp);
    const int8_t two_b = tml_channel_output_s8(sums.two_b, &b, &p->output, clamp);
    one[0] = one_a;
    two[0] = two_a;
    one[second] = one_b;
    two[second] = two_b;
    one += advance;
    two += advance;
    advance = 2;
    channel += 2;
  } while (channel != last);
}

/* The next output pixel to gather a window for. */
typedef struct {
  const int8_t *image;
  int32_t row;
  int32_t column;
} tml_conv_2d_place_t;

/* Whether rows of whole words can be read from a window whose last row inside the image is `row`
 * and whose columns from `left` on are: not where the last word reaches over the image's end. */
static inline int tml_conv_2d_is_readable(int32_t row, int32_t left, const tml_conv_2d_fast_t *p) {
  const int32_t pixels = (p->input_height - row) * p->input_width - left;
  return 4 * p->row_words <= pixels * p->depth;
}

/* Gather the window at `place` into a patch. */
static inline void tml_conv_2d_gather(const tml_conv_2d_place_t *place, tml_word_t *to,
                                      const tml_conv_2d_fast_t *p) {
  const tml_span_t y = tml_span(place->row, p->stride_height, p->pad_top, 1, p->filter_height,
                                p->input_height);
  const tml_span_t x = tml_span(place->column, p->stride_width, p->pad_left, 1, p->filter_width,
                                p->input_width);
  const uint32_t padding = tml_lanes_of(p->padding);
  const int32_t pitch = p->input_width * p->depth;
  const int whole = x.last - x.first == p->filter_width;
  const int8_t *from = place->image + (y.origin + y.first) * pitch + x.origin * p->depth;
  to = tml_conv_2d_fill(padding, y.first * p->row_words, to);
  for (int32_t i = y.first; i < y.last; ++i, from += pitch) {
    if (whole && tml_conv_2d_is_readable(y.origin + i, x.origin, p)) {
      to = tml_conv_2d_widen(from, p->row_words, to);
    } else if ((p->depth & 3) == 0) {
      const int32_t words = p->depth >> 2;
      to = tml_conv_2d_fill(padding, x.first * words, to);
      to = tml_conv_2d_widen(from + x.first * p->depth, (x.last - x.first) * words, to);
      to = tml_conv_2d_fill(padding, (p->filter_width - x.last) * words, to);
    } else {
      to = tml_conv_2d_widen_clipped(from, x, p, to);
    }
  }
  tml_conv_2d_fill(padding, (p->filter_height - y.last) * p->row_words, to);
}

/* Gather the window at `place` and the next one into the patches and return 1, where both lie in
 * one row of windows and between the left and right borders; else return 0. */
static inline int tml_conv_2d_gather_two(const tml_conv_2d_place_t *place, tml_word_t *patches,
                                         const tml_conv_2d_fast_t *p) {
  const int32_t left = place->column * p->stride_width - p->pad_left;
  const int32_t next = left + p->stride_width;
  if (left < 0 || next + p->filter_width > p->input_width ||
      place->column + 1 >= p->output_width) {
    return 0;
  }
  const tml_span_t y = tml_span(place->row, p->stride_height, p->pad_top, 1, p->filter_height,
                                p->input_height);
  if (!tml_conv_2d_is_readable(y.origin + y.last - 1, next, p)) {
    return 0;
  }
  const int32_t words = p->row_words;
  const uint32_t padding = tml_lanes_of(p->padding);
  const int32_t pitch = p->input_width * p->depth;
  const int32_t apart = p->stride_width * p->depth;
  const int8_t *from = place->image + (y.origin + y.first) * pitch + left * p->depth;
  tml_word_t *to = tml_conv_2d_fill_two(padding, y.first * words, patches);
  for (int32_t i = y.first; i < y.last; ++i, from += pitch) {
    to = tml_conv_2d_widen_two(from, from + apart, words, to);
  }
  tml_conv_2d_fill_two(padding, (p->filter_height - y.last) * words, to);
  return 1;
}

static inline void tml_conv_2d_advance(tml_conv_2d_place_t *place, const tml_conv_2d_fast_t *p) {
  if (++place->column < p->output_width) {
    return;
  }
  place->column = 0;
  if (++place->row == p->output_height) {
    place->row = 0;
    place->image += p->input_height * p->input_width * p->depth;
  }
}

/* How two pixels become outputs: the channel table with or without a clamp, or quads of channels
 * that are requantized as tml_channel_output does, or in the linear form. */
enum { TML_CONV_2D_PLAIN, TML_CONV_2D_CLAMPED, TML_CONV_2D_QUADS, TML_CONV_2D_LINEAR };

/* Two channels P and Q share a halfword, 256 * p + q. Summed as such that is 256 * P + Q, modulo
 * 2^32; SXTB16 leaves q alone, for the sum Q; so S - Q is 256 * P. A quad is four channels: two
 * such pairs AB and CD. For each four taps its weights have the words even taps of AB, of CD, odd
 * taps of AB, of CD, so a quad has as many words as a patch. */

/* What a quad starts with, and what its sums become; the last four members come twice, once for
 * either way to requantize: see tml_conv_2d_quad_t and tml_conv_2d_linear_t. */
#define TML_CONV_2D_QUAD_STARTS \
  int32_t start_ab;             \
  int32_t start_cd;             \
  int32_t start_b;              \
  int32_t start_d

/* Exact: multiplier and right shift - 1 of each channel. The starts are those of S and Q. */
typedef struct {
  TML_CONV_2D_QUAD_STARTS;
  int32_t multiplier_a;
  int32_t shift_a;
  int32_t multiplier_b;
  int32_t shift_b;
  int32_t multiplier_c;
  int32_t shift_c;
  int32_t multiplier_d;
  int32_t shift_d;
} tml_conv_2d_quad_t;

/* Linear: what 256 * Q lacks of its bias, and the multipliers of the linear form. */
typedef struct {
  TML_CONV_2D_QUAD_STARTS;
  int32_t rest_b;
  int32_t rest_d;
  int32_t multiplier_a;
  int32_t multiplier_b;
  int32_t multiplier_c;
  int32_t multiplier_d;
} tml_conv_2d_linear_t;

#define TML_CONV_2D_LINEAR_RIGHT 10

#if TML_DSP

/* clang-format off */
/* Registers: r12 inputs, lr weights; S of AB r4 r5 and of CD r6 r7, Q of B r8 r9 and of D r10 r11,
 * each for the first and the second pixel. Stack: what was pushed, then the arguments. */
#define TML_CONV_2D_QUADS_BEGIN \
  "push {r0, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t" \
  "mov lr, r1\n" \
  "1:\n\t" \
  "ldrd r12, r3, [sp]\n\t" \
  "ldm r3!, {r4, r6, r8, r10}\n\t" \
  "str r3, [sp, #4]\n\t" \
  "ldrd r0, r1, [sp, #56]\n\t" \
  "mov r5, r4\n\t" \
  "mov r7, r6\n\t" \
  "mov r9, r8\n\t" \
  "mov r11, r10\n\t" \
  "cmp r12, r0\n\t" \
  "beq 3f\n" \
  "2:\n\t" \
  TML_CONV_2D_QUADS_TAPS \
  "ldr r0, [sp, #56]\n\t" \
  "cmp r12, r0\n\t" \
  "bne 2b\n\t" \
  "ldr r1, [sp, #60]\n" \
  "3:\n\t" \
  "cmp r12, r1\n\t" \
  "beq 5f\n" \
  "4:\n\t" \
  TML_CONV_2D_QUADS_TAPS TML_CONV_2D_QUADS_TAPS TML_CONV_2D_QUADS_TAPS TML_CONV_2D_QUADS_TAPS \
  "ldr r1, [sp, #60]\n\t" \
  "cmp r12, r1\n\t" \
  "bne 4b\n" \
  "5:\n\t" \
  "ldr r3, [sp, #4]\n\t" \
  "sub r4, r4, r8\n\t" \
  "sub r5, r5, r9\n\t" \
  "sub r6, r6, r10\n\t" \
  "sub r7, r7, r11\n\t"

#define TML_CONV_2D_QUADS_TAPS TML_CONV_2D_QUADS_PAIR TML_CONV_2D_QUADS_PAIR

/* Two taps of four channels for two pixels: 16 products in 12 instructions. */
#define TML_CONV_2D_QUADS_PAIR \
  "ldrd r0, r1, [lr], #8\n\t" \
  "ldrd r2, r3, [r12], #8\n\t" \
  "smlad r4, r2, r0, r4\n\t" \
  "smlad r5, r3, r0, r5\n\t" \
  "smlad r6, r2, r1, r6\n\t" \
  "smlad r7, r3, r1, r7\n\t" \
  "sxtb16 r0, r0\n\t" \
  "sxtb16 r1, r1\n\t" \
  "smlad r8, r2, r0, r8\n\t" \
  "smlad r9, r3, r0, r9\n\t" \
  "smlad r10, r2, r1, r10\n\t" \
  "smlad r11, r3, r1, r11\n\t"

#define TML_CONV_2D_QUADS_END \
  "str r3, [sp, #4]\n\t" \
  "ldrd r0, r1, [sp, #48]\n\t" \
  "strb r4, [r0]\n\t" \
  "strb r8, [r0, #1]\n\t" \
  "strb r6, [r0, #2]\n\t" \
  "strb r10, [r0, #3]\n\t" \
  "strb r5, [r1]\n\t" \
  "strb r9, [r1, #1]\n\t" \
  "strb r7, [r1, #2]\n\t" \
  "strb r11, [r1, #3]\n\t" \
  "adds r0, r0, #4\n\t" \
  "adds r1, r1, #4\n\t" \
  "strd r0, r1, [sp, #48]\n\t" \
  "ldr r0, [sp, #8]\n\t" \
  "cmp r3, r0\n\t" \
  "bne 1b\n\t" \
  "add sp, sp, #12\n\t" \
  "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

#define TML_CONV_2D_QUADS_LINEAR(sum, multiplier) \
  "smmul " #sum ", " #sum ", " #multiplier "\n\t" \
  "ssat " #sum ", #8, " #sum ", asr #10\n\t"

/* As tml_channel_output: `sum` is twice the channel's sum. */
#define TML_CONV_2D_QUADS_EXACT(sum) \
  "smmulr " #sum ", " #sum ", r0\n\t" \
  "add " #sum ", " #sum ", " #sum ", asr #31\n\t" \
  "asr " #sum ", " #sum ", r1\n\t" \
  "add " #sum ", " #sum ", r2\n\t" \
  "ssat " #sum ", #8, " #sum ", asr #1\n\t"

/* All quads of `quads`..`end` for two pixels. `middle`: where in the patches the last multiple of
 * 16 taps begins. */
__attribute__((naked, noinline, unused)) static void tml_conv_2d_linear_quads(
    const tml_word_t *patches __attribute__((unused)),
    const tml_word_t *weights __attribute__((unused)),
    const tml_conv_2d_linear_t *quads __attribute__((unused)),
    const tml_conv_2d_linear_t *end __attribute__((unused)),
    int8_t *one __attribute__((unused)), int8_t *two __attribute__((unused)),
    const tml_word_t *middle __attribute__((unused)),
    const tml_word_t *last __attribute__((unused))) {
  __asm__(
      TML_CONV_2D_QUADS_BEGIN
      "ldm r3!, {r0, r1}\n\t"
      "add r8, r0, r8, lsl #8\n\t"
      "add r9, r0, r9, lsl #8\n\t"
      "add r10, r1, r10, lsl #8\n\t"
      "add r11, r1, r11, lsl #8\n\t"
      "ldm r3!, {r0, r1, r2, r12}\n\t"
      TML_CONV_2D_QUADS_LINEAR(r4, r0) TML_CONV_2D_QUADS_LINEAR(r5, r0)
      TML_CONV_2D_QUADS_LINEAR(r8, r1) TML_CONV_2D_QUADS_LINEAR(r9, r1)
      TML_CONV_2D_QUADS_LINEAR(r6, r2) TML_CONV_2D_QUADS_LINEAR(r7, r2)
      TML_CONV_2D_QUADS_LINEAR(r10, r12) TML_CONV_2D_QUADS_LINEAR(r11, r12)
      TML_CONV_2D_QUADS_END);
}

/* The same with exact requantization; `rounding` as in tml_output_t. */
__attribute__((naked, noinline, unused)) static void tml_conv_2d_exact_quads(
    const tml_word_t *patches __attribute__((unused)),
    const tml_word_t *weights __attribute__((unused)),
    const tml_conv_2d_quad_t *quads __attribute__((unused)),
    const tml_conv_2d_quad_t *end __attribute__((unused)),
    int8_t *one __attribute__((unused)), int8_t *two __attribute__((unused)),
    const tml_word_t *middle __attribute__((unused)),
    const tml_word_t *last __attribute__((unused)), int32_t rounding __attribute__((unused))) {
  __asm__(
      TML_CONV_2D_QUADS_BEGIN
      "ldr r2, [sp, #64]\n\t"
      "asr r4, r4, #7\n\t"
      "asr r5, r5, #7\n\t"
      "ldrd r0, r1, [r3], #8\n\t"
      TML_CONV_2D_QUADS_EXACT(r4) TML_CONV_2D_QUADS_EXACT(r5)
      "lsl r8, r8, #1\n\t"
      "lsl r9, r9, #1\n\t"
      "ldrd r0, r1, [r3], #8\n\t"
      TML_CONV_2D_QUADS_EXACT(r8) TML_CONV_2D_QUADS_EXACT(r9)
      "asr r6, r6, #7\n\t"
      "asr r7, r7, #7\n\t"
      "ldrd r0, r1, [r3], #8\n\t"
      TML_CONV_2D_QUADS_EXACT(r6) TML_CONV_2D_QUADS_EXACT(r7)
      "lsl r10, r10, #1\n\t"
      "lsl r11, r11, #1\n\t"
      "ldrd r0, r1, [r3], #8\n\t"
      TML_CONV_2D_QUADS_EXACT(r10) TML_CONV_2D_QUADS_EXACT(r11)
      TML_CONV_2D_QUADS_END);
}
/* clang-format on */

#else

/* sum + a0 * b0 + a1 * b1, modulo 2^32 */
static inline int32_t tml_conv_2d_wrapped_dot(uint32_t a, uint32_t b, int32_t sum) {
  return (int32_t)((uint32_t)sum + tml_lanes_dot_only(a, b));
}

/* The sums of one quad for one pixel: 256 times those of A and C, those of B and D. */
typedef struct {
  int32_t a256;
  int32_t b;
  int32_t c256;
  int32_t d;
} tml_conv_2d_quad_sums_t;

/* `starts` points at the four starts; x at the first of the pixel's words. */
static inline tml_conv_2d_quad_sums_t tml_conv_2d_quad_sums(const tml_word_t *x,
                                                            const tml_word_t *weights,
                                                            const int32_t *starts, int32_t taps) {
  int32_t ab = starts[0];
  int32_t cd = starts[1];
  int32_t b = starts[2];
  int32_t d = starts[3];
  for (int32_t i = 0; i < taps; i += 2, x += 2, weights += 2) {
    ab = tml_conv_2d_wrapped_dot(*x, weights[0], ab);
    cd = tml_conv_2d_wrapped_dot(*x, weights[1], cd);
    b = tml_conv_2d_wrapped_dot(*x, tml_lanes_even(weights[0]), b);
    d = tml_conv_2d_wrapped_dot(*x, tml_lanes_even(weights[1]), d);
  }
  const tml_conv_2d_quad_sums_t sums = {(int32_t)((uint32_t)ab - (uint32_t)b), b,
                                        (int32_t)((uint32_t)cd - (uint32_t)d), d};
  return sums;
}

static inline void tml_conv_2d_linear_quads(const tml_word_t *patches, const tml_word_t *weights,
                                            const tml_conv_2d_linear_t *quads,
                                            const tml_conv_2d_linear_t *end, int8_t *one,
                                            int8_t *two, const tml_word_t *middle,
                                            const tml_word_t *last) {
  const int32_t taps = (int32_t)(last - patches);
  const int right = TML_CONV_2D_LINEAR_RIGHT;
  (void)middle;
  for (; quads != end; ++quads, weights += taps, one += 4, two += 4) {
    int8_t *const to[2] = {one, two};
    for (int pixel = 0; pixel < 2; ++pixel) {
      const tml_conv_2d_quad_sums_t sums =
          tml_conv_2d_quad_sums(patches + pixel, weights, &quads->start_ab, taps);
      const int32_t b256 = (int32_t)(((uint32_t)sums.b << 8) + (uint32_t)quads->rest_b);
      const int32_t d256 = (int32_t)(((uint32_t)sums.d << 8) + (uint32_t)quads->rest_d);
      to[pixel][0] = tml_linear_output(sums.a256, quads->multiplier_a, right);
      to[pixel][1] = tml_linear_output(b256, quads->multiplier_b, right);
      to[pixel][2] = tml_linear_output(sums.c256, quads->multiplier_c, right);
      to[pixel][3] = tml_linear_output(d256, quads->multiplier_d, right);
    }
  }
}

static inline void tml_conv_2d_exact_quads(const tml_word_t *patches, const tml_word_t *weights,
                                           const tml_conv_2d_quad_t *quads,
                                           const tml_conv_2d_quad_t *end, int8_t *one,
                                           int8_t *two, const tml_word_t *middle,
                                           const tml_word_t *last, int32_t rounding) {
  const int32_t taps = (int32_t)(last - patches);
  const tml_output_t to_all = {rounding, -128, 127};
  (void)middle;
  for (; quads != end; ++quads, weights += taps, one += 4, two += 4) {
    int8_t *const to[2] = {one, two};
    for (int pixel = 0; pixel < 2; ++pixel) {
      const tml_conv_2d_quad_sums_t sums =
          tml_conv_2d_quad_sums(patches + pixel, weights, &quads->start_ab, taps);
      const int32_t of[4] = {sums.a256 >> 8, sums.b, sums.c256 >> 8, sums.d};
      const int32_t *scale = &quads->multiplier_a;
      for (int c = 0; c < 4; ++c, scale += 2) {
        to[pixel][c] = (int8_t)tml_channel_output(of[c], scale[0], scale[1], &to_all, 0);
      }
    }
  }
}

#endif

/* All channels of two pixels in quads. Where their number is no multiple of 4, the first quad
 * shares channels with the second. `table` has the quads of `how`. */
TML_INLINE void tml_conv_2d_quads(const tml_word_t *patches, const tml_word_t *weights,
                                  const void *table, int8_t *one, int8_t *two,
                                  const tml_conv_2d_fast_t *p, int how) {
  const int32_t rest = p->channels & 3;
  const int32_t count = p->channels >> 2;
  const tml_word_t *const middle = patches + (p->taps & 12);
  const tml_word_t *const last = patches + p->taps;
  if (how == TML_CONV_2D_LINEAR) {
    const tml_conv_2d_linear_t *quads = table;
    if (rest != 0) {
      tml_conv_2d_linear_quads(patches, weights, quads, quads + 1, one, two, middle, last);
      ++quads;
      weights += p->taps;
    }
    tml_conv_2d_linear_quads(patches, weights, quads, quads + count, one + rest, two + rest,
                             middle, last);
  } else {
    const tml_conv_2d_quad_t *quads = table;
    const int32_t rounding = p->output.rounding;
    if (rest != 0) {
      tml_conv_2d_exact_quads(patches, weights, quads, quads + 1, one, two, middle, last,
                              rounding);
      ++quads;
      weights += p->taps;
    }
    tml_conv_2d_exact_quads(patches, weights, quads, quads + count, one + rest, two + rest,
                            middle, last, rounding);
  }
}

/* Two windows at a time, the last of an odd number of them twice; see tml_conv_2d_s8. `table` is
 * what `how` needs. */
TML_INLINE void tml_conv_2d_run(const int8_t *input, const int8_t *weights, const void *table,
                                int8_t *output, const tml_conv_2d_fast_t *p, void *scratch,
                                int how) {
  tml_word_t *const patches = scratch;
  const tml_word_t *const words = (const tml_word_t *)(const void *)weights;
  const int32_t step = p->channels;
  tml_conv_2d_place_t place = {input, 0, 0};
  for (int32_t left = p->batches * p->output_height * p->output_width; left > 0; left -= 2) {
    const int pair = left > 1;
    if (p->pointwise) {
      const int8_t *const first = place.image;
      place.image += pair ? p->depth : 0;
      tml_conv_2d_widen_two(first, place.image, p->taps >> 2, patches);
      place.image += p->depth;
    } else if (tml_conv_2d_gather_two(&place, patches, p)) {
      tml_conv_2d_advance(&place, p);
      tml_conv_2d_advance(&place, p);
    } else {
      tml_conv_2d_gather(&place, patches, p);
      if (pair) {
        tml_conv_2d_advance(&place, p);
      }
      tml_conv_2d_gather(&place, patches + 1, p);
      tml_conv_2d_advance(&place, p);
    }
    int8_t *const two = pair ? output + step : output;
    if (how == TML_CONV_2D_PLAIN || how == TML_CONV_2D_CLAMPED) {
      tml_conv_2d_pixels(patches, words, table, output, two, p, how == TML_CONV_2D_CLAMPED);
    } else {
      tml_conv_2d_quads(patches, words, table, output, two, p, how);
    }
    output += 2 * step;
  }
}

/* No dilation, no groups: input [batches, input_height, input_width, depth], aligned to 4; weights
 * and channels as tml_conv_2d_pixels reads them, bias with the input offset folded in; output
 * [batches, output_height, output_width, channels], -128..127; scratch: 4 * taps bytes. The
 * inputs of two windows are read before their outputs are written. */
static inline void tml_conv_2d_s8(const int8_t *input, const int8_t *weights,
                                  const tml_channel_t *channels, int8_t *output,
                                  const tml_conv_2d_fast_t *p, void *scratch) {
  tml_conv_2d_run(input, weights, channels, output, p, scratch, TML_CONV_2D_PLAIN);
}

/* The same with outputs within act_min..act_max. */
static inline void tml_conv_2d_clamped_s8(const int8_t *input, const int8_t *weights,
                                          const tml_channel_t *channels, int8_t *output,
                                          const tml_conv_2d_fast_t *p, void *scratch) {
  tml_conv_2d_run(input, weights, channels, output, p, scratch, TML_CONV_2D_CLAMPED);
}

/* As tml_conv_2d_s8 for at least 4 channels with weights in quads; sums of A and C below 2^23. */
static inline void tml_conv_2d_quads_s8(const int8_t *input, const int8_t *weights,
                                        const tml_conv_2d_quad_t *quads, int8_t *output,
                                        const tml_conv_2d_fast_t *p, void *scratch) {
  tml_conv_2d_run(input, weights, quads, output, p, scratch, TML_CONV_2D_QUADS);
}

/* The same where every channel has a proved linear form. */
static inline void tml_conv_2d_linear_s8(const int8_t *input, const int8_t *weights,
                                         const tml_conv_2d_linear_t *quads, int8_t *output,
                                         const tml_conv_2d_fast_t *p, void *scratch) {
  tml_conv_2d_run(input, weights, quads, output, p, scratch, TML_CONV_2D_LINEAR);
}

#endif
