/* gather.h: slices of a tensor by their indices along an axis, for elements of any size. */
#ifndef TML_GATHER_H
#define TML_GATHER_H

#include "tml_kernel.h"

/* outer: indices of the axes before the gathered one, which has `size`; block_bytes: of the axes
 * after it; count: how many are gathered. */
typedef struct {
  int32_t outer;
  int32_t size;
  int32_t count;
  int32_t block_bytes;
} tml_gather_t;

/* input [outer, size, block], indices [count], output [outer, count, block]. An index beyond the
 * axis reads its nearest end. */
static inline void tml_gather(const uint8_t *input, const int32_t *indices, uint8_t *output,
                              const tml_gather_t *p) {
  const size_t bytes = (size_t)p->block_bytes;
  for (int32_t i = 0; i < p->outer; ++i) {
    for (int32_t j = 0; j < p->count; ++j) {
      const int32_t index = tml_clamp(indices[j], 0, p->size - 1);
      memcpy(output, input + (size_t)index * bytes, bytes);
      output += bytes;
    }
    input += (size_t)p->size * bytes;
  }
}

#endif
