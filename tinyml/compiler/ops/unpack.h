/* unpack.h: one index of a tensor along an axis, for elements of any size. */
#ifndef TML_UNPACK_H
#define TML_UNPACK_H

#include "tml_walk.h"

/* first: byte offset of the first element in input. The walk follows the output; its strides are
 * in bytes. */
static inline void tml_unpack(const uint8_t *input, uint8_t *output, int32_t first,
                            const tml_walk_t *walk) {
  tml_move(input + first, output, walk);
}

#endif
