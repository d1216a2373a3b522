#include "tml_decimal.h"

#include <string.h>

/* Write digits that end before `end`, at least `least` of them. */
static char *digits(char *end, uint64_t value, int least) {
  for (; value > 0 || least > 0; least--) {
    *--end = (char)('0' + value % 10u);
    value /= 10u;
  }
  return end;
}

/* mantissa / 2^shift, times 1000, rounded to the nearest, halves to even. */
static uint64_t thousandths(uint32_t mantissa, int shift) {
  const uint64_t scaled = (uint64_t)mantissa * 1000u;
  if (shift <= 0) {
    return scaled << -shift;
  }
  if (shift > 40) {
    return 0; /* scaled is less than 2^34 */
  }
  const uint64_t whole = scaled >> shift;
  const uint64_t rest = scaled & (((uint64_t)1 << shift) - 1u);
  const uint64_t half = (uint64_t)1 << (shift - 1);
  return whole + (rest > half || (rest == half && (whole & 1u) != 0));
}

const char *tml_decimal_u64(char *out, uint64_t value) {
  char *end = out + TML_DECIMAL_BYTES - 1;
  *end = 0;
  return digits(end, value, 1);
}

const char *tml_decimal_f32(char *out, float value) {
  char *text = out + TML_DECIMAL_BYTES - 1;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const int exponent = (int)(bits >> 23 & 0xFFu);
  const uint32_t fraction = bits & 0x7FFFFFu;
  if (exponent == 0xFF && fraction != 0) {
    return "nan";
  }
  const int shift = 150 - (exponent > 0 ? exponent : 1);
  if (shift < -30) {
    return bits >> 31 ? "-inf" : "inf";
  }
  const uint64_t rounded = thousandths(exponent > 0 ? fraction | 1u << 23 : fraction, shift);
  *text = 0;
  text = digits(text, rounded % 1000u, 3);
  *--text = '.';
  text = digits(text, rounded / 1000u, 1);
  if (bits >> 31) {
    *--text = '-';
  }
  return text;
}
