/* batch_to_space_nd.h: a batch of small images as large ones. */
#ifndef TML_BATCH_TO_SPACE_ND_H
#define TML_BATCH_TO_SPACE_ND_H

#include "tml_batches.h"

/* See tml_from_batches. */
static inline void tml_batch_to_space_nd(const uint8_t *input, uint8_t *output,
                                         const tml_batches_t *p) {
  tml_from_batches(input, output, p);
}

#endif
