/* tml_decimal.h: numbers as text, without printf, which brings kilobytes and often a heap. */
#ifndef TML_DECIMAL_H
#define TML_DECIMAL_H

#include <stdint.h>

#define TML_DECIMAL_BYTES 24 /* the longest of either, its terminating zero included */

/* Both write somewhere into `out` (TML_DECIMAL_BYTES) and return where the text begins. */
const char *tml_decimal_u64(char *out, uint64_t value);

/* With three decimals, exactly as printf("%.3f") rounds: the float's true value to the nearest
 * thousandth, to the even one halfway. Magnitudes of 2^54 and more become "inf". */
const char *tml_decimal_f32(char *out, float value);

#endif
