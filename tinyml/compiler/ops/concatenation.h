/* concatenation.h: tensors side by side along one axis, for elements of any size. */
#ifndef TML_CONCATENATION_H
#define TML_CONCATENATION_H

#include "tml_kernel.h"

#define TML_CONCATENATION_INPUTS 10

/* Each input is `blocks` blocks (one per index of the axes before the joined one) of block_bytes
 * of its own. */
typedef struct {
  int32_t count;
  int32_t blocks;
  const void *inputs[TML_CONCATENATION_INPUTS];
  int32_t block_bytes[TML_CONCATENATION_INPUTS];
} tml_concatenation_t;

static inline void tml_concatenation(uint8_t *output, const tml_concatenation_t *p) {
  for (int32_t block = 0; block < p->blocks; ++block) {
    for (int32_t i = 0; i < p->count; ++i) {
      const size_t bytes = (size_t)p->block_bytes[i];
      memcpy(output, (const uint8_t *)p->inputs[i] + (size_t)block * bytes, bytes);
      output += bytes;
    }
  }
}

#endif
