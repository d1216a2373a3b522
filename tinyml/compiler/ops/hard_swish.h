/* hard_swish.h: x * relu6(x + 3) / 6, int8 in and out, as a table. */
#ifndef TML_HARD_SWISH_H
#define TML_HARD_SWISH_H

#include "tml_table.h"

/* count elements; table as in tml_table.h. output may be input. */
static inline void tml_hard_swish_s8(const uint8_t *input, const uint8_t *table, uint8_t *output,
                                     int32_t count) {
  tml_table(input, table, output, count);
}

#endif
