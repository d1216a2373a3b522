/* tml_window.h: geometry that convolutions and pools share. */
#ifndef TML_WINDOW_H
#define TML_WINDOW_H

#include "tml_kernel.h"

/* Members of every windowed operator's parameters, in elements; see tinyml/compiler/window.py. */
#define TML_WINDOW_FIELDS  \
  int16_t batches;         \
  int16_t input_height;    \
  int16_t input_width;     \
  int16_t output_height;   \
  int16_t output_width;    \
  int16_t filter_height;   \
  int16_t filter_width;    \
  int16_t stride_height;   \
  int16_t stride_width;    \
  int16_t dilation_height; \
  int16_t dilation_width;  \
  int16_t pad_top;         \
  int16_t pad_left

/* The taps first..last-1 of a filter that lie inside the input, and the input position of tap 0. */
typedef struct {
  int32_t origin;
  int32_t first;
  int32_t last;
} tml_span_t;

/* The span along one axis of the window of output position `out`. */
static inline tml_span_t tml_span(int32_t out, int32_t stride, int32_t pad, int32_t dilation,
                                  int32_t filter, int32_t input) {
  tml_span_t span = {out * stride - pad, 0, filter};
  if (span.origin < 0) {
    span.first = (-span.origin + dilation - 1) / dilation;
  }
  if (span.origin + (filter - 1) * dilation >= input) {
    span.last = (input - span.origin + dilation - 1) / dilation;
  }
  return span;
}

#endif
