/* tml_table.h: functions of one byte, computed offline for every value. */
#ifndef TML_TABLE_H
#define TML_TABLE_H

#include "tml_kernel.h"

/* output[i] = table[input[i]] for count bytes, signed or not: table has 256 entries in the order of
 * the input's bytes read as unsigned (for int8: 0..127, -128..-1). output may be input. */
static inline void tml_table(const uint8_t *input, const uint8_t *table, uint8_t *output,
                             int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = table[input[i]];
  }
}

#endif
