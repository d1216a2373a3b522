/* space_to_depth.h: blocks of pixels to channels, for elements of any size. */
#ifndef TML_SPACE_TO_DEPTH_H
#define TML_SPACE_TO_DEPTH_H

#include "tml_walk.h"

/* The walk follows the output; its strides are in bytes. */
static inline void tml_space_to_depth(const uint8_t *input, uint8_t *output,
                                      const tml_walk_t *walk) {
  tml_move(input, output, walk);
}

#endif
