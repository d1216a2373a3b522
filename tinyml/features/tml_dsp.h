/* tml_dsp.h: two int16 lanes in a word, as the DSP instructions of Armv7E-M compute with them.
 *
 * Lane 0 is the lower half, lane 1 the upper. TML_DSP is 1 where the instructions are used; the
 * plain C below them gives the same bits. They are our own because GCC's arm_acle.h has them from
 * version 10 on, and the Arduino cores compile with 7.2.1 and 9.2.1. They are volatile, though they
 * compute values only: left to itself, GCC 12 moves them apart and spills what lies between.
 */
#ifndef TML_DSP_H
#define TML_DSP_H

#include <stdint.h>

static inline uint32_t tml_lanes_pair(int32_t low, int32_t high) {
  return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

/* Both lanes hold `value`. */
static inline uint32_t tml_lanes_of(int32_t value) { return tml_lanes_pair(value, value); }

#if defined(__ARM_FEATURE_DSP)
#define TML_DSP 1

#define TML_DSP_OF_WORD(name, instruction, operands)                                            \
  static inline uint32_t name(uint32_t word) {                                                  \
    uint32_t lanes;                                                                             \
    __asm__ volatile(instruction " %0, %1" operands : "=r"(lanes) : "r"(word));                 \
    return lanes;                                                                               \
  }
#define TML_DSP_OF_TWO(name, instruction, operands)                                             \
  static inline uint32_t name(uint32_t a, uint32_t b) {                                         \
    uint32_t result;                                                                            \
    __asm__ volatile(instruction " %0, %1, %2" operands : "=r"(result) : "r"(a), "r"(b));       \
    return result;                                                                              \
  }
#define TML_DSP_SUM(name, instruction)                                                          \
  static inline int32_t name(uint32_t a, uint32_t b, int32_t sum) {                             \
    int32_t result;                                                                             \
    __asm__ volatile(instruction " %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));  \
    return result;                                                                              \
  }

TML_DSP_OF_WORD(tml_lanes_even, "sxtb16", "")        /* bytes 0 and 2 of a word, widened */
TML_DSP_OF_WORD(tml_lanes_odd, "sxtb16", ", ror #8") /* bytes 1 and 3 of a word, widened */
/* a + tml_lanes_even(b) and a + tml_lanes_odd(b), lane by lane */
TML_DSP_OF_TWO(tml_lanes_even_plus, "sxtab16", "")
TML_DSP_OF_TWO(tml_lanes_odd_plus, "sxtab16", ", ror #8")

TML_DSP_SUM(tml_lanes_dot, "smlad")             /* sum + a0 * b0 + a1 * b1 */
TML_DSP_SUM(tml_lanes_dot_difference, "smlsd")  /* sum + a0 * b0 - a1 * b1 */
TML_DSP_SUM(tml_lanes_dot_crossed, "smladx")    /* sum + a0 * b1 + a1 * b0 */
TML_DSP_SUM(tml_lanes_low, "smlabb")            /* sum + a0 * b0 */
TML_DSP_SUM(tml_lanes_high, "smlatt")           /* sum + a1 * b1 */
TML_DSP_SUM(tml_lanes_low_high, "smlabt")       /* sum + a0 * b1 */
TML_DSP_SUM(tml_lanes_high_low, "smlatb")       /* sum + a1 * b0 */
TML_DSP_OF_TWO(tml_lanes_dot_only, "smuad", "") /* a0 * b0 + a1 * b1, without sign */

/* Lane by lane, wrapping at 16 bits: a + b, a - b; with a and b as complex numbers (lane 0 is the
 * real part) a + ib, a - ib; (a + b) / 2, (a - b) / 2, rounded down. */
TML_DSP_OF_TWO(tml_lanes_add, "sadd16", "")
TML_DSP_OF_TWO(tml_lanes_sub, "ssub16", "")
TML_DSP_OF_TWO(tml_lanes_add_i, "sasx", "")
TML_DSP_OF_TWO(tml_lanes_sub_i, "ssax", "")
TML_DSP_OF_TWO(tml_lanes_half_add, "shadd16", "")
TML_DSP_OF_TWO(tml_lanes_half_sub, "shsub16", "")

/* a * b / 2^32 to nearest, halves up. */
static inline int32_t tml_high_mul(int32_t a, int32_t b) {
  int32_t high;
  __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
  return high;
}

#undef TML_DSP_OF_WORD
#undef TML_DSP_OF_TWO
#undef TML_DSP_SUM

#else
#define TML_DSP 0

static inline int32_t tml_lane(uint32_t lanes, int which) {
  return (int16_t)(uint16_t)(lanes >> (16 * which));
}

static inline uint32_t tml_lanes_even(uint32_t word) {
  return tml_lanes_pair((int8_t)(uint8_t)word, (int8_t)(uint8_t)(word >> 16));
}

static inline uint32_t tml_lanes_odd(uint32_t word) { return tml_lanes_even(word >> 8); }

static inline uint32_t tml_lanes_add(uint32_t a, uint32_t b) {
  return tml_lanes_pair(tml_lane(a, 0) + tml_lane(b, 0), tml_lane(a, 1) + tml_lane(b, 1));
}

static inline uint32_t tml_lanes_sub(uint32_t a, uint32_t b) {
  return tml_lanes_pair(tml_lane(a, 0) - tml_lane(b, 0), tml_lane(a, 1) - tml_lane(b, 1));
}

static inline uint32_t tml_lanes_add_i(uint32_t a, uint32_t b) {
  return tml_lanes_pair(tml_lane(a, 0) - tml_lane(b, 1), tml_lane(a, 1) + tml_lane(b, 0));
}

static inline uint32_t tml_lanes_sub_i(uint32_t a, uint32_t b) {
  return tml_lanes_pair(tml_lane(a, 0) + tml_lane(b, 1), tml_lane(a, 1) - tml_lane(b, 0));
}

static inline uint32_t tml_lanes_half_add(uint32_t a, uint32_t b) {
  return tml_lanes_pair((tml_lane(a, 0) + tml_lane(b, 0)) >> 1,
                        (tml_lane(a, 1) + tml_lane(b, 1)) >> 1);
}

static inline uint32_t tml_lanes_half_sub(uint32_t a, uint32_t b) {
  return tml_lanes_pair((tml_lane(a, 0) - tml_lane(b, 0)) >> 1,
                        (tml_lane(a, 1) - tml_lane(b, 1)) >> 1);
}

static inline uint32_t tml_lanes_even_plus(uint32_t a, uint32_t b) {
  return tml_lanes_add(a, tml_lanes_even(b));
}

static inline uint32_t tml_lanes_odd_plus(uint32_t a, uint32_t b) {
  return tml_lanes_add(a, tml_lanes_odd(b));
}

static inline int32_t tml_lanes_dot(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 0) + tml_lane(a, 1) * tml_lane(b, 1);
}

static inline int32_t tml_lanes_dot_difference(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 0) - tml_lane(a, 1) * tml_lane(b, 1);
}

static inline int32_t tml_lanes_dot_crossed(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 1) + tml_lane(a, 1) * tml_lane(b, 0);
}

static inline int32_t tml_lanes_low(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 0);
}

static inline int32_t tml_lanes_high(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 1) * tml_lane(b, 1);
}

static inline int32_t tml_lanes_low_high(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 0) * tml_lane(b, 1);
}

static inline int32_t tml_lanes_high_low(uint32_t a, uint32_t b, int32_t sum) {
  return sum + tml_lane(a, 1) * tml_lane(b, 0);
}

static inline uint32_t tml_lanes_dot_only(uint32_t a, uint32_t b) {
  return (uint32_t)(tml_lane(a, 0) * tml_lane(b, 0)) +
         (uint32_t)(tml_lane(a, 1) * tml_lane(b, 1));
}

static inline int32_t tml_high_mul(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

#endif

#endif
