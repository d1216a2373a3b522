/* padv2.h: a border of a chosen value around an int8 tensor. */
#ifndef TML_PADV2_H
#define TML_PADV2_H

#include "pad.h"

/* As tml_pad; fill is the value of the border. */
static inline void tml_padv2_s8(const uint8_t *input, uint8_t *output, int32_t bytes, int32_t fill,
                                int32_t first, const tml_walk_t *walk) {
  tml_pad(input, output, bytes, fill, first, walk);
}

#endif
