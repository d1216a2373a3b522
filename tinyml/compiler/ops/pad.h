/* pad.h: a border around a tensor, for elements of any size. */
#ifndef TML_PAD_H
#define TML_PAD_H

#include "tml_walk.h"

/* All `bytes` of output become `fill`; then input goes to `first`, a byte offset. The walk follows
 * the input; its strides are in bytes. */
static inline void tml_pad(const uint8_t *input, uint8_t *output, int32_t bytes, int32_t fill,
                           int32_t first, const tml_walk_t *walk) {
  memset(output, fill, (size_t)bytes);
  tml_move(input, output + first, walk);
}

#endif
