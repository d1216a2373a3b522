/* space_to_batch_nd.h: images as a batch of small ones. */
#ifndef TML_SPACE_TO_BATCH_ND_H
#define TML_SPACE_TO_BATCH_ND_H

#include "tml_batches.h"

/* See tml_to_batches. */
static inline void tml_space_to_batch_nd(const uint8_t *input, uint8_t *output,
                                         const tml_batches_t *p) {
  tml_to_batches(input, output, p);
}

#endif
