/* transpose.h: axes in another order, for elements of any size. */
#ifndef TML_TRANSPOSE_H
#define TML_TRANSPOSE_H

#include "tml_walk.h"

/* The walk follows the output; its strides are in bytes. */
static inline void tml_transpose(const uint8_t *input, uint8_t *output, const tml_walk_t *walk) {
  tml_move(input, output, walk);
}

#endif
