/* dsp_sums.h: a checksum of every operation of tml_dsp.h over all pairs of the given words. */
#include "tml_dsp.h"

enum { DSP_OPERATIONS = 18 };

static void dsp_sums(const uint32_t *words, uint32_t count, uint32_t *sums) {
  for (int i = 0; i < DSP_OPERATIONS; i++) {
    sums[i] = 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t j = 0; j < count; j++) {
      const uint32_t a = words[i], b = words[j];
      const int32_t sum = (int32_t)(i * 40503u & 0xffffu); /* no sum below leaves int32 */
      const uint32_t small = b & 0x3fff3fffu;
      const uint32_t results[DSP_OPERATIONS] = {
          tml_lanes_even(a),
          tml_lanes_odd(a),
          tml_lanes_even_plus(a, b),
          tml_lanes_odd_plus(a, b),
          (uint32_t)tml_lanes_dot(a, small, sum),
          (uint32_t)tml_lanes_dot_difference(a, small, sum),
          (uint32_t)tml_lanes_dot_crossed(a, small, sum),
          (uint32_t)tml_lanes_low(a, b, sum),
          (uint32_t)tml_lanes_high(a, b, sum),
          (uint32_t)tml_lanes_low_high(a, b, sum),
          (uint32_t)tml_lanes_high_low(a, b, sum),
          tml_lanes_dot_only(a, b),
          tml_lanes_add(a, b),
          tml_lanes_sub(a, b),
          tml_lanes_add_i(a, b),
          tml_lanes_sub_i(a, b),
          tml_lanes_half_add(a, b) ^ tml_lanes_half_sub(a, b) << 1,
          (uint32_t)tml_high_mul((int32_t)a, (int32_t)b),
      };
      for (int k = 0; k < DSP_OPERATIONS; k++) {
        sums[k] = sums[k] * 31u + results[k];
      }
    }
  }
}
