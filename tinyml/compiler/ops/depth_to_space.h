/* depth_to_space.h: channels to blocks of pixels, for elements of any size. */
#ifndef TML_DEPTH_TO_SPACE_H
#define TML_DEPTH_TO_SPACE_H

#include "tml_walk.h"

/* The walk follows the output; its strides are in bytes. */
static inline void tml_depth_to_space(const uint8_t *input, uint8_t *output,
                                      const tml_walk_t *walk) {
  tml_move(input, output, walk);
}

#endif
