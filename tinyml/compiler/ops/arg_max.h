/* arg_max.h: where along an axis the largest value lies, int8 in, int32 out. */
#ifndef TML_ARG_MAX_H
#define TML_ARG_MAX_H

#include "tml_kernel.h"

/* input [outer, size, inner], output [outer, inner]; the first of several equal values counts. */
static inline void tml_arg_max_s8(const int8_t *input, int32_t *output, int32_t outer, int32_t size,
                                  int32_t inner) {
  for (int32_t i = 0; i < outer; ++i, input += size * inner) {
    for (int32_t j = 0; j < inner; ++j) {
      int32_t best = 0;
      for (int32_t k = 1; k < size; ++k) {
        if (input[k * inner + j] > input[best * inner + j]) {
          best = k;
        }
      }
      *output++ = best;
    }
  }
}

#endif
