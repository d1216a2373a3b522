/* rsqrt.h: 1 / sqrt(x), int8 in and out, as a table. */
#ifndef TML_RSQRT_H
#define TML_RSQRT_H

#include "tml_table.h"

/* count elements; table as in tml_table.h. output may be input. */
static inline void tml_rsqrt_s8(const uint8_t *input, const uint8_t *table, uint8_t *output,
                                int32_t count) {
  tml_table(input, table, output, count);
}

#endif
