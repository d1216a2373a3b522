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

/* Parameters of the fast kernels. taps: filter_height * filter_width * depth, rounded up to a
 * multiple of 4. padding: the input's zero point. pointwise: output pixel i reads input pixel i. */
typedef struct {
  TML_WINDOW_FIELDS;
  int32_t depth;
  int32_t taps;
  int32_t channels;
  int32_t padding;
  int32_t pointwise;
  tml_output_t output;
} tml_conv_2d_fast_t;

/* Widen words of four inputs to lanes; `to` advances by 4 words for each. */
static inline tml_word_t *tml_conv_2d_widen(const int8_t *from, int32_t words, tml_word_t *to) {
  const tml_word_t *word = (const tml_word_t *)(const void *)from;
  for (; words > 0; --words, to += 4) {
    to[0] = tml_lanes_even(*word);
    to[1] = tml_lanes_odd(*word++);
  }
  return to;
}

static inline tml_word_t *tml_conv_2d_fill(uint32_t lanes, int32_t words, tml_word_t *to) {
  for (; words > 0; --words, to += 4) {
    to[0] = lanes;
    to[1] = lanes;
  }
  return to;
}

/* Gather one window into a patch; depth is a multiple of 4. */
static inline void tml_conv_2d_gather_words(const int8_t *image, tml_span_t y, tml_span_t x,
                                            const tml_conv_2d_fast_t *p, tml_word_t *to) {
  const int32_t words = p->depth >> 2;
  const uint32_t padding = tml_lanes_of(p->padding);
  for (int32_t i = 0; i < p->filter_height; ++i) {
    if (i < y.first || i >= y.last) {
      to = tml_conv_2d_fill(padding, p->filter_width * words, to);
      continue;
    }
    const int32_t at = (y.origin + i) * p->input_width + x.origin + x.first;
    to = tml_conv_2d_fill(padding, x.first * words, to);
    to = tml_conv_2d_widen(image + at * p->depth, (x.last - x.first) * words, to);
    to = tml_conv_2d_fill(padding, (p->filter_width - x.last) * words, to);
  }
}

/* memcpy, without a call for the few bytes that a row of a window has. */
static inline int8_t *tml_conv_2d_copy(const int8_t *from, int32_t bytes, int8_t *to) {
  for (; bytes >= 4; bytes -= 4, from += 4, to += 4) {
    memcpy(to, from, 4);
  }
  for (; bytes > 0; --bytes) {
    *to++ = *from++;
  }
  return to;
}

/* Gather one window into a patch by way of `bytes`, which holds `taps` bytes; any depth. */
static inline void tml_conv_2d_gather_bytes(const int8_t *image, tml_span_t y, tml_span_t x,
                                            const tml_conv_2d_fast_t *p, tml_word_t *to,
                                            int8_t *bytes) {
  const int32_t columns = p->filter_width * p->depth;
  const int32_t inside = (x.last - x.first) * p->depth;
  const int32_t pitch = p->input_width * p->depth;
  const int8_t *from = image + (y.origin + y.first) * pitch + (x.origin + x.first) * p->depth;
  int8_t *next = bytes + y.first * columns + x.first * p->depth;
  if (y.last - y.first < p->filter_height || inside < columns) {
    memset(bytes, p->padding, (size_t)p->taps);
  }
  for (int32_t i = y.first; i < y.last; ++i, from += pitch) {
    next = tml_conv_2d_copy(from, inside, next) + (columns - inside);
  }
  tml_conv_2d_widen(bytes, p->taps >> 2, to);
}

/* Sums of two pixels (one, two) times two channels (a, b). */
typedef struct {
  int32_t one_a;
  int32_t one_b;
  int32_t two_a;
  int32_t two_b;
} tml_conv_2d_sums_t;

/* Add four taps: *x has two words of the first pixel and two of the second, *w four weights of
 * either channel; both advance. */
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
      "smlad %[s1a], %[x1], %[ao], %[s1a]\n\t"
      "smlad %[s1b], %[x1], %[bo], %[s1b]\n\t"
      "ldrd %[x0], %[x1], [%[xp]], #8\n\t"
      "smlad %[s2a], %[x0], %[ae], %[s2a]\n\t"
      "smlad %[s2b], %[x0], %[be], %[s2b]\n\t"
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
  s->one_a = tml_lanes_dot((*x)[1], a_odd, s->one_a);
  s->one_b = tml_lanes_dot((*x)[1], b_odd, s->one_b);
  s->two_a = tml_lanes_dot((*x)[2], a_even, s->two_a);
  s->two_b = tml_lanes_dot((*x)[2], b_even, s->two_b);
  s->two_a = tml_lanes_dot((*x)[3], a_odd, s->two_a);
  s->two_b = tml_lanes_dot((*x)[3], b_odd, s->two_b);
  *x += 4;
  *w += 2;
}
#endif

/* All channels of two pixels, whose patches lie interleaved: for each four taps two words of the
 * first, two of the second. The weights hold pairs of channels: four taps of one, four of the
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

/* Gather the window at `place` into a patch. */
static inline void tml_conv_2d_gather(const tml_conv_2d_place_t *place, tml_word_t *patch,
                                      int8_t *bytes, const tml_conv_2d_fast_t *p) {
  const tml_span_t y = tml_span(place->row, p->stride_height, p->pad_top, 1, p->filter_height,
                                p->input_height);
  const tml_span_t x = tml_span(place->column, p->stride_width, p->pad_left, 1, p->filter_width,
                                p->input_width);
  if ((p->depth & 3) == 0) {
    tml_conv_2d_gather_words(place->image, y, x, p, patch);
  } else {
    tml_conv_2d_gather_bytes(place->image, y, x, p, patch, bytes);
  }
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

/* Two windows at a time, the last of an odd number of them twice; see tml_conv_2d_s8. */
TML_INLINE void tml_conv_2d_run(const int8_t *input, const int8_t *weights,
                                const tml_channel_t *channels, int8_t *output,
                                const tml_conv_2d_fast_t *p, void *scratch, int clamp) {
  tml_word_t *const patches = scratch;
  int8_t *const bytes = (int8_t *)(patches + p->taps);
  const tml_word_t *const words = (const tml_word_t *)(const void *)weights;
  const int32_t step = p->channels;
  tml_conv_2d_place_t place = {input, 0, 0};
  if ((p->depth & 3) != 0) {
    memset(bytes, 0, (size_t)p->taps); /* what rounds taps up meets weights of 0 */
  }
  for (int32_t left = p->batches * p->output_height * p->output_width; left > 0; left -= 2) {
    const int pair = left > 1;
    if (p->pointwise) {
      tml_conv_2d_widen(place.image, p->taps >> 2, patches);
      place.image += pair ? p->depth : 0;
      tml_conv_2d_widen(place.image, p->taps >> 2, patches + 2);
      place.image += p->depth;
    } else {
      tml_conv_2d_gather(&place, patches, bytes, p);
      if (pair) {
        tml_conv_2d_advance(&place, p);
      }
      tml_conv_2d_gather(&place, patches + 2, bytes, p);
      tml_conv_2d_advance(&place, p);
    }
    tml_conv_2d_pixels(patches, words, channels, output, pair ? output + step : output, p, clamp);
    output += 2 * step;
  }
}

/* No dilation, no groups: input [batches, input_height, input_width, depth], aligned to 4; weights
 * and channels as tml_conv_2d_pixels reads them, bias with the input offset folded in; output
 * [batches, output_height, output_width, channels], -128..127; scratch: 4 * taps bytes, and
 * another `taps` where depth is no multiple of 4. The inputs of two windows are read before their
 * outputs are written. */
static inline void tml_conv_2d_s8(const int8_t *input, const int8_t *weights,
                                  const tml_channel_t *channels, int8_t *output,
                                  const tml_conv_2d_fast_t *p, void *scratch) {
  tml_conv_2d_run(input, weights, channels, output, p, scratch, 0);
}

/* The same with outputs within act_min..act_max. */
static inline void tml_conv_2d_clamped_s8(const int8_t *input, const int8_t *weights,
                                          const tml_channel_t *channels, int8_t *output,
                                          const tml_conv_2d_fast_t *p, void *scratch) {
  tml_conv_2d_run(input, weights, channels, output, p, scratch, 1);
}

#endif
