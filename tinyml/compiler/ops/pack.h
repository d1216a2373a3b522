/* pack.h: tensors stacked along a new axis, for elements of any size. */
#ifndef TML_PACK_H
#define TML_PACK_H

#include "concatenation.h"

/* Each input is `blocks` blocks (one per index of the axes before the new one) of block_bytes. */
static inline void tml_pack(uint8_t *output, const tml_concatenation_t *p) {
  tml_concatenation(output, p);
}

#endif
