/* tml_model_slot.h: what a runtime gives besides model.h to firmware with a model slot. */
#ifndef TML_MODEL_SLOT_H
#define TML_MODEL_SLOT_H

#include <stdint.h>

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Take the model from `content`, which is aligned to 16 bytes and stays as it is while it is used;
 * NULL: the built-in model. Returns 0, or a negative reason, and then what ran before runs on. */
int tml_model_use(const uint8_t *content, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif
