/* assign_variable.h: what a variable holds from now on. */
#ifndef TML_ASSIGN_VARIABLE_H
#define TML_ASSIGN_VARIABLE_H

#include "tml_kernel.h"

/* Copy `bytes` bytes; value and variable must not overlap. */
static inline void tml_assign_variable(const uint8_t *value, uint8_t *variable, int32_t bytes) {
  memcpy(variable, value, (size_t)bytes);
}

#endif
