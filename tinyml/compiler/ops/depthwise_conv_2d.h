/* depthwise_conv_2d.h: one filter per output channel, int8 in and out. */
#ifndef TML_DEPTHWISE_CONV_2D_H
#define TML_DEPTHWISE_CONV_2D_H

#include "conv_2d.h" /* a depthwise convolution of one channel is a convolution */

/* Channels = input_depth * depth_multiplier. */
typedef struct {
  TML_WINDOW_FIELDS;
  int32_t input_depth;
  int32_t depth_multiplier;
  const int32_t *multipliers;
  const int8_t *shifts;
  int32_t input_offset;
  int32_t output_offset;
  int32_t act_min;
  int32_t act_max;
} tml_depthwise_conv_2d_t;

/* One sum over the part of a window that lies inside the input. */
static inline int32_t tml_depthwise_conv_2d_sum(const int8_t *input, const int8_t *weights,
                                                tml_span_t y, tml_span_t x,
                                                const tml_depthwise_conv_2d_t *p) {
  const int32_t channels = p->input_depth * p->depth_multiplier;
  int32_t sum = 0;
  for (int32_t i = y.first; i < y.last; ++i) {
    const int32_t row = (y.origin + i * p->dilation_height) * p->input_width;
    for (int32_t j = x.first; j < x.last; ++j) {
      const int32_t at = (row + x.origin + j * p->dilation_width) * p->input_depth;
      sum += weights[(i * p->filter_width + j) * channels] * (input[at] + p->input_offset);
    }
  }
  return sum;
}

/* Any geometry: input [batches, input_height, input_width, input_depth], weights [filter_height,
 * filter_width, channels], bias [channels], output [batches, output_height, output_width,
 * channels]; channels = input_depth * depth_multiplier. Padding adds nothing to a sum. */
static inline void tml_depthwise_conv_2d_any_s8(const int8_t *input, const int8_t *weights,
                                                const int32_t *bias, int8_t *output,
                                                const tml_depthwise_conv_2d_t *p) {
  const int32_t channels = p->input_depth * p->depth_multiplier;
  for (int32_t pixel = 0; pixel < p->batches * p->output_height * p->output_width; ++pixel) {
    const int32_t line = pixel / p->output_width;
    const int32_t batch = line / p->output_height;
    const tml_span_t y = tml_span(line % p->output_height, p->stride_height, p->pad_top,
                                  p->dilation_height, p->filter_height, p->input_height);
    const tml_span_t x = tml_span(pixel % p->output_width, p->stride_width, p->pad_left,
                                  p->dilation_width, p->filter_width, p->input_width);
    const int8_t *image = input + batch * p->input_height * p->input_width * p->input_depth;
    for (int32_t c = 0; c < channels; ++c) {
      const int8_t *from = image + c / p->depth_multiplier;
      int32_t sum = bias[c] + tml_depthwise_conv_2d_sum(from, weights + c, y, x, p);
      sum = tml_requantize(sum, p->multipliers[c], p->shifts[c]) + p->output_offset;
      *output++ = (int8_t)tml_clamp(sum, p->act_min, p->act_max);
    }
  }
}

typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t input_offset;
  tml_output_t output;
} tml_depthwise_conv_2d_fast_t;

/* Sums of four channels. */
typedef struct {
  int32_t c0;
  int32_t c1;
  int32_t c2;
  int32_t c3;
} tml_depthwise_conv_2d_sums_t;

/* Add one tap: channels 0 and 2 lie in the even bytes of a word, 1 and 3 in the odd ones. */
TML_INLINE void tml_depthwise_conv_2d_tap(uint32_t x, uint32_t w, uint32_t offset,
                                          tml_depthwise_conv_2d_sums_t *sums) {
  const uint32_t x_even = tml_lanes_even_plus(offset, x);
  const uint32_t w_even = tml_lanes_even(w);
  sums->c0 = tml_lanes_low(x_even, w_even, sums->c0);
  sums->c2 = tml_lanes_high(x_even, w_even, sums->c2);
  const uint32_t x_odd = tml_lanes_odd_plus(offset, x);
  const uint32_t w_odd = tml_lanes_odd(w);
  sums->c1 = tml_lanes_low(x_odd, w_odd, sums->c1);
  sums->c3 = tml_lanes_high(x_odd, w_odd, sums->c3);
}

/* The taps of a window that lie inside the input. */
typedef struct {
  int32_t rows;
  int32_t columns;
  int32_t row_words; /* from one row of the input to the next */
  int32_t depth_words;
  int32_t filter_width;
} tml_depthwise_conv_2d_taps_t;

/* Four channels of one pixel; x and w point at its first tap. */
TML_INLINE void tml_depthwise_conv_2d_four(const tml_word_t *x, const tml_word_t *w,
                                           uint32_t offset, tml_depthwise_conv_2d_sums_t *sums,
                                           const tml_depthwise_conv_2d_taps_t *taps) {
  int32_t rows = taps->rows;
  if (taps->columns == 3) {
    do {
      tml_depthwise_conv_2d_tap(x[0], w[0], offset, sums);
      tml_depthwise_conv_2d_tap(x[taps->depth_words], w[1], offset, sums);
      tml_depthwise_conv_2d_tap(x[2 * taps->depth_words], w[2], offset, sums);
      x += taps->row_words;
      w += taps->filter_width;
    } while (--rows != 0);
    return;
  }
  do {
    const tml_word_t *from = x;
    const tml_word_t *with = w;
    int32_t columns = taps->columns;
    do {
      tml_depthwise_conv_2d_tap(*from, *with++, offset, sums);
      from += taps->depth_words;
    } while (--columns != 0);
    x += taps->row_words;
    w += taps->filter_width;
  } while (--rows != 0);
}

TML_INLINE void tml_depthwise_conv_2d_run(const int8_t *input, const int8_t *weights,
                                          const tml_channel_t *channels, int8_t *output,
                                          const tml_depthwise_conv_2d_fast_t *p, int clamp) {
  const uint32_t offset = tml_lanes_of(p->input_offset);
  const tml_channel_t *const last = channels + p->depth;
  tml_depthwise_conv_2d_taps_t taps = {0, 0, 0, p->depth >> 2, p->filter_width};
  taps.row_words = p->input_width * taps.depth_words;
  for (int32_t line = 0; line < p->batches * p->output_height; ++line) {
    const int32_t batch = line / p->output_height;
    const tml_span_t y = tml_span(line - batch * p->output_height, p->stride_height, p->pad_top,
                                  1, p->filter_height, p->input_height);
    const int32_t top = (batch * p->input_height + y.origin + y.first) * p->input_width;
    taps.rows = y.last - y.first;
    for (int32_t column = 0; column < p->output_width; ++column) {
      const tml_span_t s = tml_span(column, p->stride_width, p->pad_left, 1, p->filter_width,
                                    p->input_width);
      taps.columns = s.last - s.first;
      const tml_word_t *x = (const tml_word_t *)(const void *)input;
      x += (top + s.origin + s.first) * taps.depth_words;
      const tml_word_t *w = (const tml_word_t *)(const void *)weights;
      w += y.first * p->filter_width + s.first;
      for (const tml_channel_t *channel = channels; channel != last; channel += 4) {
        tml_depthwise_conv_2d_sums_t sums;
        sums.c0 = tml_channel_bias(channel[0].bias_shift);
        sums.c1 = tml_channel_bias(channel[1].bias_shift);
        sums.c2 = tml_channel_bias(channel[2].bias_shift);
        sums.c3 = tml_channel_bias(channel[3].bias_shift);
        tml_depthwise_conv_2d_four(x, w, offset, &sums, &taps);
        /* All four before the first store, which might change *p for all that GCC knows. */
        const int8_t c0 = tml_channel_output_s8(sums.c0, &channel[0], &p->output, clamp);
        const int8_t c1 = tml_channel_output_s8(sums.c1, &channel[1], &p->output, clamp);
        const int8_t c2 = tml_channel_output_s8(sums.c2, &channel[2], &p->output, clamp);
        const int8_t c3 = tml_channel_output_s8(sums.c3, &channel[3], &p->output, clamp);
        output[0] = c0;
        output[1] = c1;
        output[2] = c2;
        output[3] = c3;
        output += 4;
        ++x;
        w += p->filter_height * p->filter_width;
      }
    }
  }
}

/* Depth multiplier 1, depth a multiple of 4, no dilation: input [batches, input_height,
 * input_width, depth], aligned to 4; weights [depth / 4, filter_height, filter_width, 4]; output
 * [batches, output_height, output_width, depth], -128..127. Padding adds nothing to a sum. A pixel
 * may be written once the inputs of all later ones lie behind it. */
static inline void tml_depthwise_conv_2d_s8(const int8_t *input, const int8_t *weights,
                                            const tml_channel_t *channels, int8_t *output,
                                            const tml_depthwise_conv_2d_fast_t *p) {
  tml_depthwise_conv_2d_run(input, weights, channels, output, p, 0);
}

/* The same with outputs within act_min..act_max. */
static inline void tml_depthwise_conv_2d_clamped_s8(const int8_t *input, const int8_t *weights,
                                                    const tml_channel_t *channels, int8_t *output,
                                                    const tml_depthwise_conv_2d_fast_t *p) {
  tml_depthwise_conv_2d_run(input, weights, channels, output, p, 1);
}

/* Parameters of the 3x3 kernels. The plane is one input channel, widened and padded with the
 * input's zero point: plane_height rows of plane_width int16, an even number. Where an image is
 * higher than wide its columns are the plane's rows: then heights and widths are exchanged, and so
 * are the taps of the filters. The strides in bytes between neighbours in a row or in a column of
 * the plane say which is which. */
typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t depth_multiplier;
  int32_t plane_height;
  int32_t plane_width;
  int32_t input_column;
  int32_t input_row;
  int32_t output_column;
  int32_t output_row;
  int32_t padding;
  tml_output_t output;
} tml_depthwise_conv_2d_3x3_t;

/* One row of a 3x3 filter as two overlapping pairs of lanes: taps 0 and 1, taps 1 and 2. */
typedef struct {
  uint32_t left;
  uint32_t right;
} tml_depthwise_conv_2d_row_t;

TML_INLINE tml_depthwise_conv_2d_row_t tml_depthwise_conv_2d_row(const int8_t *w) {
  const tml_depthwise_conv_2d_row_t row = {tml_lanes_pair(w[0], w[1]),
                                           tml_lanes_pair(w[1], w[2])};
  return row;
}

/* Add one row of the filter to the sums of two neighbouring pixels: x points at the row's first
 * column of the first of them. */
TML_INLINE void tml_depthwise_conv_2d_row_dot(const tml_word_t *x, tml_depthwise_conv_2d_row_t w,
                                              int32_t *one, int32_t *two, int stride) {
  *one = tml_lanes_dot(w.left, x[0], *one);
  *one = tml_lanes_high_low(w.right, x[1], *one);
  if (stride == 1) {
    *two = tml_lanes_low_high(w.left, x[0], *two);
    *two = tml_lanes_dot(w.right, x[1], *two);
  } else {
    *two = tml_lanes_dot(w.left, x[1], *two);
    *two = tml_lanes_high_low(w.right, x[2], *two);
  }
}

/* Widen pixels that lie `step` bytes apart, four at a time, until `to` is `last`; returns the next
 * pixel. */
TML_INLINE const int8_t *tml_depthwise_conv_2d_widen(const int8_t *from, int32_t step,
                                                     int16_t *to, const int16_t *last) {
#if TML_DSP
  if (to != last) {
    uint32_t a, b, c, d;
    __asm__ volatile(
        "1:\n\t"
        "ldrsb %[a], [%[from]]\n\t"
        "ldrsb %[b], [%[from], %[step]]\n\t"
        "add %[from], %[from], %[step], lsl #1\n\t"
        "ldrsb %[c], [%[from]]\n\t"
        "ldrsb %[d], [%[from], %[step]]\n\t"
        "add %[from], %[from], %[step], lsl #1\n\t"
        "pkhbt %[a], %[a], %[b], lsl #16\n\t"
        "pkhbt %[c], %[c], %[d], lsl #16\n\t"
        "str %[a], [%[to]], #4\n\t"
        "str %[c], [%[to]], #4\n\t"
        "cmp %[to], %[last]\n\t"
        "bne 1b"
        : [from] "+r"(from), [to] "+r"(to), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d)
        : [step] "r"(step), [last] "r"(last)
        : "memory", "cc");
  }
#else
  for (; to != last; ++to, from += step) {
    *to = *from;
  }
#endif
  return from;
}

/* Copy one channel of an image into the inner part of the plane. */
TML_INLINE void tml_depthwise_conv_2d_fill(const int8_t *from, int16_t *plane,
                                           const tml_depthwise_conv_2d_3x3_t *p) {
  const int32_t step = p->input_column;
  const int32_t back = p->input_row - p->input_width * step;
  int16_t *to = plane + p->pad_top * p->plane_width + p->pad_left;
  const int32_t skip = p->plane_width - p->input_width;
  for (int32_t i = p->input_height; i > 0; --i, from += back, to += skip) {
    int16_t *const last = to + (p->input_width & ~3);
    from = tml_depthwise_conv_2d_widen(from, step, to, last);
    to = last;
    for (int32_t left = p->input_width & 3; left > 0; --left, from += step) {
      *to++ = *from;
    }
  }
}

/* One output channel, two neighbouring pixels at a time; stride is 1 or 2. */
TML_INLINE void tml_depthwise_conv_2d_plane(const int16_t *plane, const int8_t *w,
                                            const tml_channel_t *channel, int8_t *output,
                                            const tml_depthwise_conv_2d_3x3_t *p, int stride,
                                            int clamp) {
  const tml_depthwise_conv_2d_row_t w0 = tml_depthwise_conv_2d_row(w);
  const tml_depthwise_conv_2d_row_t w1 = tml_depthwise_conv_2d_row(w + 3);
  const tml_depthwise_conv_2d_row_t w2 = tml_depthwise_conv_2d_row(w + 6);
  const tml_channel_t c = *channel;
  const int32_t bias = tml_channel_bias(c.bias_shift);
  const int32_t pitch = p->plane_width >> 1;
  const int32_t step = p->output_column;
  const int32_t back = p->output_row - p->output_width * step;
  const tml_word_t *row = (const tml_word_t *)(const void *)plane;
  for (int32_t y = p->output_height; y > 0; --y, row += stride * pitch, output += back) {
    const tml_word_t *x = row;
    for (int32_t left = p->output_width; left > 0; left -= 2, x += stride) {
      int32_t one = bias;
      int32_t two = bias;
      tml_depthwise_conv_2d_row_dot(x, w0, &one, &two, stride);
      tml_depthwise_conv_2d_row_dot(x + pitch, w1, &one, &two, stride);
      tml_depthwise_conv_2d_row_dot(x + 2 * pitch, w2, &one, &two, stride);
      *output = tml_channel_output_s8(one, &c, &p->output, clamp);
      output += step;
      if (left > 1) {
        *output = tml_channel_output_s8(two, &c, &p->output, clamp);
        output += step;
      }
    }
  }
}

/* What tml_depthwise_conv_2d_linear_1 and _2 need besides pointers; bytes where not said. */
typedef struct {
  int32_t bias;           /* of the channel's linear form */
  int32_t step;           /* from one output pixel to the next */
  int32_t multiplier;     /* of the channel's linear form */
  const int16_t *row_end; /* of the first row: where its last pair of outputs begins or ends */
  int32_t skip;           /* from there to the start of the next row */
  int32_t advance;        /* from one row to the next: the stride times the plane's pitch */
  int32_t rows;           /* of outputs, 1 or more */
  int32_t back;           /* from the output after a row's pairs to the next row */
  int32_t odd;            /* whether a row has an output more than its pairs */
} tml_depthwise_conv_2d_rows_t;

#define TML_DEPTHWISE_CONV_2D_RIGHT 9

#if TML_DSP

/* clang-format off */
/* Registers: r0 r1 r2 the three rows, r3 output, r4 r5 r6 r7 r8 r9 the weights as in
 * tml_depthwise_conv_2d_row_t, 256 times; stack: tml_depthwise_conv_2d_rows_t. `pitch` turns r12,
 * the advance, into the plane's pitch. */
#define TML_DEPTHWISE_CONV_2D_ROWS(pitch, row0, row1, row2) \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t" \
  "ldm r3, {r4, r5, r6, r7, r8, r9, r10, r11, r12}\n\t" \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, r12}\n\t" \
  "mov r3, r2\n\t" \
  "ldr r10, [r1]\n\t" \
  "ldr r11, [r1, #4]\n\t" \
  "ldrsb r12, [r1, #8]\n\t" \
  "uxtb16 r4, r10\n\t" \
  "uxtb16 r5, r10, ror #8\n\t" \
  "uxtb16 r6, r11\n\t" \
  "uxtb16 r7, r11, ror #8\n\t" \
  "lsl r4, r4, #8\n\t"  /* w2 w0 */ \
  "lsl r5, r5, #8\n\t"  /* w3 w1 */ \
  "lsl r6, r6, #8\n\t"  /* w6 w4 */ \
  "lsl r7, r7, #8\n\t"  /* w7 w5 */ \
  "lsl r12, r12, #8\n\t" \
  "pkhtb r8, r7, r6, asr #16\n\t"  /* w7 w6 */ \
  "lsr r9, r7, #16\n\t" \
  "pkhbt r9, r9, r12, lsl #16\n\t"  /* w8 w7 */ \
  "pkhbt r7, r6, r7, lsl #16\n\t"  /* w5 w4 */ \
  "lsr r10, r5, #16\n\t" \
  "pkhbt r6, r10, r6, lsl #16\n\t"  /* w4 w3 */ \
  "pkhbt r10, r4, r5, lsl #16\n\t" \
  "pkhbt r5, r5, r4\n\t"  /* w2 w1 */ \
  "mov r4, r10\n\t"  /* w1 w0 */ \
  "ldr r12, [sp, #20]\n\t" \
  "add r1, r0, r12" pitch "\n\t" \
  "add r2, r1, r12" pitch "\n\t" \
  "ldr r12, [sp, #12]\n" \
  "1:\n\t" \
  "cmp r0, r12\n\t" \
  "beq 3f\n" \
  "2:\n\t" \
  "ldr lr, [sp]\n\t" \
  row0 row1 row2 \
  "ldrd r10, r11, [sp, #4]\n\t" \
  "smmul r12, r12, r11\n\t" \
  "smmul lr, lr, r11\n\t" \
  "ssat r12, #8, r12, asr #9\n\t" \
  "ssat lr, #8, lr, asr #9\n\t" \
  "strb r12, [r3]\n\t" \
  "strb lr, [r3, r10]\n\t" \
  "add r3, r3, r10, lsl #1\n\t" \
  "ldr r12, [sp, #12]\n\t" \
  "cmp r0, r12\n\t" \
  "bne 2b\n" \
  "3:\n\t" \
  "ldr r10, [sp, #32]\n\t" \
  "cmp r10, #0\n\t" \
  "beq 4f\n\t" \
  "ldr lr, [sp]\n\t" \
  TML_DEPTHWISE_CONV_2D_LAST(r0, r4, r5) \
  TML_DEPTHWISE_CONV_2D_LAST(r1, r6, r7) \
  TML_DEPTHWISE_CONV_2D_LAST(r2, r8, r9) \
  "ldr r11, [sp, #8]\n\t" \
  "smmul lr, lr, r11\n\t" \
  "ssat lr, #8, lr, asr #9\n\t" \
  "strb lr, [r3]\n" \
  "4:\n\t" \
  "ldrd r10, r11, [sp, #16]\n\t" \
  "add r0, r0, r10\n\t" \
  "add r1, r1, r10\n\t" \
  "add r2, r2, r10\n\t" \
  "add r12, r12, r11\n\t" \
  "str r12, [sp, #12]\n\t" \
  "ldrd r10, r11, [sp, #24]\n\t" \
  "add r3, r3, r11\n\t" \
  "subs r10, r10, #1\n\t" \
  "str r10, [sp, #24]\n\t" \
  "bne 1b\n\t" \
  "add sp, sp, #36\n\t" \
  "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

/* One row of the filter for a single output in lr. */
#define TML_DEPTHWISE_CONV_2D_LAST(x, left, right) \
  "ldrd r10, r11, [" #x "]\n\t" \
  "smlad lr, " #left ", r10, lr\n\t" \
  "smlatb lr, " #right ", r11, lr\n\t"

/* One row of the filter for the outputs in r12 and lr; `first` is what r12 adds to. */
#define TML_DEPTHWISE_CONV_2D_STRIDE_1(x, left, right, first) \
  "ldrd r10, r11, [" #x "], #4\n\t" \
  "smlad r12, " #left ", r10, " #first "\n\t" \
  "smlabt lr, " #left ", r10, lr\n\t" \
  "smlatb r12, " #right ", r11, r12\n\t" \
  "smlad lr, " #right ", r11, lr\n\t"
#define TML_DEPTHWISE_CONV_2D_STRIDE_2(x, left, right, first) \
  "ldrd r10, r11, [" #x "], #8\n\t" \
  "smlad r12, " #left ", r10, " #first "\n\t" \
  "ldr r10, [" #x "]\n\t" \
  "smlad lr, " #left ", r11, lr\n\t" \
  "smlatb r12, " #right ", r11, r12\n\t" \
  "smlatb lr, " #right ", r10, lr\n\t"

/* Rows of one output channel in its linear form, two outputs at a time. plane: the first row's first
 * column, aligned to 4; weights: 9. */
__attribute__((naked, noinline, unused)) static void tml_depthwise_conv_2d_linear_1(
    const int16_t *plane __attribute__((unused)), const int8_t *weights __attribute__((unused)),
    int8_t *output __attribute__((unused)),
    const tml_depthwise_conv_2d_rows_t *rows __attribute__((unused))) {
  __asm__(TML_DEPTHWISE_CONV_2D_ROWS("",
                                     TML_DEPTHWISE_CONV_2D_STRIDE_1(r0, r4, r5, lr),
                                     TML_DEPTHWISE_CONV_2D_STRIDE_1(r1, r6, r7, r12),
                                     TML_DEPTHWISE_CONV_2D_STRIDE_1(r2, r8, r9, r12)));
}

/* The same with stride 2. */
__attribute__((naked, noinline, unused)) static void tml_depthwise_conv_2d_linear_2(
    const int16_t *plane __attribute__((unused)), const int8_t *weights __attribute__((unused)),
    int8_t *output __attribute__((unused)),
    const tml_depthwise_conv_2d_rows_t *rows __attribute__((unused))) {
  __asm__(TML_DEPTHWISE_CONV_2D_ROWS(", lsr #1",
                                     TML_DEPTHWISE_CONV_2D_STRIDE_2(r0, r4, r5, lr),
                                     TML_DEPTHWISE_CONV_2D_STRIDE_2(r1, r6, r7, r12),
                                     TML_DEPTHWISE_CONV_2D_STRIDE_2(r2, r8, r9, r12)));
}
/* clang-format on */

#else

TML_INLINE void tml_depthwise_conv_2d_linear(const int16_t *plane, const int8_t *w,
                                             int8_t *output,
                                             const tml_depthwise_conv_2d_rows_t *rows,
                                             int stride) {
  const int32_t pitch = rows->advance / (2 * stride);
  const int32_t columns = (int32_t)(rows->row_end - plane) / stride;
  for (int32_t y = 0; y < rows->rows; ++y, plane += stride * pitch) {
    const int16_t *x = plane;
    for (int32_t i = 0; i < columns + rows->odd; ++i, x += stride) {
      int32_t sum = 0;
      for (int32_t j = 0; j < 3; ++j) {
        const int16_t *row = x + j * pitch;
        sum += row[0] * w[3 * j] + row[1] * w[3 * j + 1] + row[2] * w[3 * j + 2];
      }
      const int32_t scaled = (int32_t)(((uint32_t)sum << 8) + (uint32_t)rows->bias);
      output[i * rows->step] =
          tml_linear_output(scaled, rows->multiplier, TML_DEPTHWISE_CONV_2D_RIGHT);
    }
    output += columns * rows->step + rows->back;
  }
}

static inline void tml_depthwise_conv_2d_linear_1(const int16_t *plane, const int8_t *weights,
                                                  int8_t *output,
                                                  const tml_depthwise_conv_2d_rows_t *rows) {
  tml_depthwise_conv_2d_linear(plane, weights, output, rows, 1);
}

static inline void tml_depthwise_conv_2d_linear_2(const int16_t *plane, const int8_t *weights,
                                                  int8_t *output,
                                                  const tml_depthwise_conv_2d_rows_t *rows) {
  tml_depthwise_conv_2d_linear(plane, weights, output, rows, 2);
}

#endif

/* All of tml_depthwise_conv_2d_rows_t but the channel's form. */
TML_INLINE tml_depthwise_conv_2d_rows_t tml_depthwise_conv_2d_rows(
    const int16_t *plane, const tml_depthwise_conv_2d_3x3_t *p, int stride) {
  const int32_t even = p->output_width & ~1;
  const int32_t advance = 2 * stride * p->plane_width;
  const tml_depthwise_conv_2d_rows_t rows = {
      0,       p->output_column, 0,
      plane + stride * even,
      advance - 2 * stride * even,
      advance, p->output_height, p->output_row - even * p->output_column,
      p->output_width & 1};
  return rows;
}

/* How a plane becomes outputs: with or without a clamp, or in the linear form where the channel
 * has one. */
enum {
  TML_DEPTHWISE_CONV_2D_PLAIN,
  TML_DEPTHWISE_CONV_2D_CLAMPED,
  TML_DEPTHWISE_CONV_2D_LINEAR
};

TML_INLINE void tml_depthwise_conv_2d_3x3(const int8_t *input, const int8_t *weights,
                                          const tml_channel_t *channels, int8_t *output,
                                          const tml_depthwise_conv_2d_3x3_t *p, void *scratch,
                                          int stride, int how) {
  const int32_t image = p->input_height * p->input_width * p->depth;
  const int32_t multiplier = p->depth_multiplier;
  const int32_t result = p->output_height * p->output_width * p->depth * multiplier;
  const int clamp = how == TML_DEPTHWISE_CONV_2D_CLAMPED;
  int16_t *plane = scratch;
  tml_depthwise_conv_2d_rows_t rows = tml_depthwise_conv_2d_rows(plane, p, stride);
  for (int32_t i = 0; i < p->plane_height * p->plane_width; ++i) {
    plane[i] = (int16_t)p->padding;
  }
  for (int32_t c = 0; c < p->depth * multiplier; ++c) {
    for (int32_t batch = 0; batch < p->batches; ++batch) {
      int8_t *const to = output + batch * result + c;
      tml_channel_t channel = channels[c];
      tml_depthwise_conv_2d_fill(input + batch * image + c / multiplier, plane, p);
      if (how == TML_DEPTHWISE_CONV_2D_LINEAR && channel.multiplier >= 0) {
        rows.multiplier = channel.multiplier;
        rows.bias = channel.bias_shift;
        if (stride == 1) {
          tml_depthwise_conv_2d_linear_1(plane, weights + 9 * c, to, &rows);
        } else {
          tml_depthwise_conv_2d_linear_2(plane, weights + 9 * c, to, &rows);
        }
        continue;
      }
      if (how == TML_DEPTHWISE_CONV_2D_LINEAR) {
        channel.multiplier = -channel.multiplier;
      }
      tml_depthwise_conv_2d_plane(plane, weights + 9 * c, &channel, to, p, stride, clamp);
    }
  }
}

/* 3x3 filters without dilation, stride 1: input [batches, input_height, input_width, depth],
 * weights [channels, 3, 3], bias with the input offset folded in, output [batches, output_height,
 * output_width, channels], channels = depth * depth_multiplier, -128..127; scratch: the plane,
 * aligned to 4. Each channel is read whole before it is written: with a depth multiplier of 1 the
 * output may lie on the input. */
static inline void tml_depthwise_conv_2d_3x3_s8(const int8_t *input, const int8_t *weights,
                                                const tml_channel_t *channels, int8_t *output,
                                                const tml_depthwise_conv_2d_3x3_t *p,
                                                void *scratch) {
  tml_depthwise_conv_2d_3x3(input, weights, channels, output, p, scratch, 1,
                            TML_DEPTHWISE_CONV_2D_PLAIN);
}

/* The same with stride 2. */
static inline void tml_depthwise_conv_2d_3x3_stride_2_s8(const int8_t *input,
                                                         const int8_t *weights,
                                                         const tml_channel_t *channels,
                                                         int8_t *output,
                                                         const tml_depthwise_conv_2d_3x3_t *p,
                                                         void *scratch) {
  tml_depthwise_conv_2d_3x3(input, weights, channels, output, p, scratch, 2,
                            TML_DEPTHWISE_CONV_2D_PLAIN);
}

/* Stride 1 with outputs within act_min..act_max. */
static inline void tml_depthwise_conv_2d_3x3_clamped_s8(const int8_t *input,
                                                        const int8_t *weights,
                                                        const tml_channel_t *channels,
                                                        int8_t *output,
                                                        const tml_depthwise_conv_2d_3x3_t *p,
                                                        void *scratch) {
  tml_depthwise_conv_2d_3x3(input, weights, channels, output, p, scratch, 1,
                            TML_DEPTHWISE_CONV_2D_CLAMPED);
}

/* Stride 2 with outputs within act_min..act_max. */
static inline void tml_depthwise_conv_2d_3x3_stride_2_clamped_s8(
    const int8_t *input, const int8_t *weights, const tml_channel_t *channels, int8_t *output,
    const tml_depthwise_conv_2d_3x3_t *p, void *scratch) {
  tml_depthwise_conv_2d_3x3(input, weights, channels, output, p, scratch, 2,
                            TML_DEPTHWISE_CONV_2D_CLAMPED);
}

/* Stride 1 with proved linear forms: multiplier and, as bias_shift, the bias of the form. A channel
 * without one has minus its multiplier, and bias_shift as ever. */
static inline void tml_depthwise_conv_2d_3x3_linear_s8(const int8_t *input, const int8_t *weights,
                                                       const tml_channel_t *channels,
                                                       int8_t *output,
                                                       const tml_depthwise_conv_2d_3x3_t *p,
                                                       void *scratch) {
  tml_depthwise_conv_2d_3x3(input, weights, channels, output, p, scratch, 1,
                            TML_DEPTHWISE_CONV_2D_LINEAR);
}

/* Stride 2 with proved linear forms. */
static inline void tml_depthwise_conv_2d_3x3_stride_2_linear_s8(
    const int8_t *input, const int8_t *weights, const tml_channel_t *channels, int8_t *output,
    const tml_depthwise_conv_2d_3x3_t *p, void *scratch) {
  tml_depthwise_conv_2d_3x3(input, weights, channels, output, p, scratch, 2,
                            TML_DEPTHWISE_CONV_2D_LINEAR);
}

/* From here on: filters of one row, stride 1 or 2 along it. The plane is one row of one input channel,
 * and the scratch memory holds, before it, the row's taps in pairs of lanes: for each two taps
 * those that two neighbouring outputs multiply the same word of the plane by, w[2k], w[2k + 1] and
 * w[2k - 1], w[2k], with 0 for taps that do not exist. With stride 2 the first of them is enough:
 * the next output multiplies the next word by it. */

/* Pairs of a row of `taps` taps, a word for either output each. */
TML_INLINE int32_t tml_depthwise_conv_2d_pairs(int32_t taps) { return (taps >> 1) + 1; }

/* Pair the taps w, times 2^left. */
TML_INLINE void tml_depthwise_conv_2d_pair_up(const int8_t *w, int32_t taps, int32_t left,
                                              tml_word_t *pairs) {
  int32_t before = 0;
  for (int32_t i = 0; i <= taps; i += 2, pairs += 2) {
    const int32_t first = i < taps ? w[i] * (1 << left) : 0;
    const int32_t second = i + 1 < taps ? w[i + 1] * (1 << left) : 0;
    pairs[0] = tml_lanes_pair(first, second);
    pairs[1] = tml_lanes_pair(before, first);
    before = second;
  }
}

TML_INLINE int8_t tml_depthwise_conv_2d_output(int32_t sum, const tml_channel_t *channel,
                                               const tml_output_t *to, int linear, int clamp) {
  return linear
             ? tml_linear_output(sum, channel->multiplier, TML_DEPTHWISE_CONV_2D_RIGHT)
             : tml_channel_output_s8(sum, channel, to, clamp);
}

/* One row of one output channel, four outputs at a time; `linear` says which form `channel` has. */
TML_INLINE void tml_depthwise_conv_2d_along(const tml_word_t *x, const tml_word_t *pairs,
                                            const tml_channel_t *channel, int8_t *output,
                                            const tml_depthwise_conv_2d_3x3_t *p, int stride,
                                            int linear, int clamp) {
  const tml_channel_t c = *channel;
  const tml_output_t to = p->output;
  const int32_t bias = linear ? c.bias_shift : tml_channel_bias(c.bias_shift);
  const tml_word_t *const end = pairs + 2 * tml_depthwise_conv_2d_pairs(p->filter_width);
  const int32_t step = p->output_column;
  for (int32_t left = p->output_width; left > 0;
       left -= 4, x += 2 * stride, output += 4 * step) {
    int32_t sum0 = bias;
    int32_t sum1 = bias;
    int32_t sum2 = bias;
    int32_t sum3 = bias;
    const tml_word_t *next = x;
    uint32_t first = *next++;
    uint32_t second = stride == 2 ? *next++ : 0;
    uint32_t third = stride == 2 ? *next++ : 0;
    for (const tml_word_t *w = pairs; w != end && stride == 2; w += 2) {
      const uint32_t fourth = *next++;
      sum0 = tml_lanes_dot(w[0], first, sum0);
      sum1 = tml_lanes_dot(w[0], second, sum1);
      sum2 = tml_lanes_dot(w[0], third, sum2);
      sum3 = tml_lanes_dot(w[0], fourth, sum3);
      first = second;
      second = third;
      third = fourth;
    }
    for (const tml_word_t *w = pairs; w != end && stride == 1; w += 2) {
      second = *next++;
      sum0 = tml_lanes_dot(w[0], first, sum0);
      sum1 = tml_lanes_dot(w[1], first, sum1);
      sum2 = tml_lanes_dot(w[0], second, sum2);
      sum3 = tml_lanes_dot(w[1], second, sum3);
      first = second;
    }
    const int8_t out0 = tml_depthwise_conv_2d_output(sum0, &c, &to, linear, clamp);
    const int8_t out1 = tml_depthwise_conv_2d_output(sum1, &c, &to, linear, clamp);
    const int8_t out2 = tml_depthwise_conv_2d_output(sum2, &c, &to, linear, clamp);
    output[0] = out0;
    if (left > 1) {
      output[step] = out1;
    }
    if (left > 2) {
      output[2 * step] = out2;
    }
    if (left > 3) {
      output[3 * step] = tml_depthwise_conv_2d_output(sum3, &c, &to, linear, clamp);
    }
  }
}

TML_INLINE void tml_depthwise_conv_2d_rowwise(const int8_t *input, const int8_t *weights,
                                          const tml_channel_t *channels, int8_t *output,
                                          const tml_depthwise_conv_2d_3x3_t *p, void *scratch,
                                          int stride) {
  const int32_t multiplier = p->depth_multiplier;
  const int32_t image = p->input_height * p->input_width * p->depth;
  const int32_t result = p->output_height * p->output_width * p->depth * multiplier;
  const int32_t whole = p->input_width & ~3;
  tml_word_t *const pairs = scratch;
  tml_word_t *const plane = pairs + 2 * tml_depthwise_conv_2d_pairs(p->filter_width);
  int16_t *const row = (int16_t *)(void *)plane;
  int16_t *const inner = row + p->pad_left;
  for (int32_t i = 0; i < p->plane_width; ++i) {
    row[i] = (int16_t)p->padding;
  }
  for (int32_t c = 0; c < p->depth * multiplier; ++c, weights += p->filter_width) {
    tml_channel_t channel = channels[c];
    const int linear = channel.multiplier >= 0;
    channel.multiplier = linear ? channel.multiplier : -channel.multiplier;
    tml_depthwise_conv_2d_pair_up(weights, p->filter_width, linear ? 8 : 0, pairs);
    for (int32_t line = 0; line < p->batches * p->output_height; ++line) {
      const int32_t batch = line / p->output_height;
      const int32_t at = line - batch * p->output_height;
      const int8_t *from = input + batch * image + at * p->stride_height * p->input_row;
      int8_t *to = output + batch * result + at * p->output_row + c;
      from = tml_depthwise_conv_2d_widen(from + c / multiplier, p->input_column, inner,
                                         inner + whole);
      for (int32_t i = whole; i < p->input_width; ++i, from += p->input_column) {
        inner[i] = *from;
      }
      if (linear) {
        tml_depthwise_conv_2d_along(plane, pairs, &channel, to, p, stride, 1, 0);
      } else if (p->output.act_min == INT8_MIN && p->output.act_max == INT8_MAX) {
        tml_depthwise_conv_2d_along(plane, pairs, &channel, to, p, stride, 0, 0);
      } else {
        tml_depthwise_conv_2d_along(plane, pairs, &channel, to, p, stride, 0, 1);
      }
    }
  }
}

/* Filters [channels, taps] of one row, or of one column where the parameters exchange heights and
 * widths, without dilation, stride 1 along them; otherwise as tml_depthwise_conv_2d_3x3_linear_s8.
 * Each row of a channel is read whole before it is written. scratch: 8 bytes for each pair of taps,
 * then the plane, whose width leaves room for the windows of a multiple of 4 outputs. */
static inline void tml_depthwise_conv_2d_row_s8(const int8_t *input, const int8_t *weights,
                                                const tml_channel_t *channels, int8_t *output,
                                                const tml_depthwise_conv_2d_3x3_t *p,
                                                void *scratch) {
  tml_depthwise_conv_2d_rowwise(input, weights, channels, output, p, scratch, 1);
}

/* The same with stride 2. */
static inline void tml_depthwise_conv_2d_row_stride_2_s8(const int8_t *input,
                                                         const int8_t *weights,
                                                         const tml_channel_t *channels,
                                                         int8_t *output,
                                                         const tml_depthwise_conv_2d_3x3_t *p,
                                                         void *scratch) {
  tml_depthwise_conv_2d_rowwise(input, weights, channels, output, p, scratch, 2);
}

#endif
