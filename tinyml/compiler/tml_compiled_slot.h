/* tml_compiled_slot.h: a compiled model whose constants can be exchanged (see tml_model_slot.h).
 *
 * Included once, by the generated model.c, after tml_compiled.h and before the body of run().
 */
#include <string.h>

#include "tml_model_slot.h"

static const uint8_t *block = (const uint8_t *)builtin;

static inline const void *constant(uint32_t offset) { return block + offset; }

static inline int32_t integer(uint32_t offset) {
  int32_t value;
  memcpy(&value, block + offset, sizeof value);
  return value;
}

static inline float real(uint32_t offset) {
  float value;
  memcpy(&value, block + offset, sizeof value);
  return value;
}

int tml_model_use(const uint8_t *content, uint32_t bytes) {
  (void)integer;
  (void)real; /* a model may have no use for it */
  if (content != NULL && bytes != BLOCK_BYTES) {
    return TML_ERROR_SCHEMA;
  }
  block = content != NULL ? content : (const uint8_t *)builtin;
  return TML_OK;
}
