/* tml_slot.h: the model slot: another model for a running device. The folder
 * `slot` implements it; without it there is only the built-in model: tml_absent.c. */
#ifndef TML_SLOT_H
#define TML_SLOT_H

#include <stdint.h>

#include "tml_line.h"

/* Name and SHA-256 (32 bytes, of the .tflite file) of the model that runs. */
const char *tml_slot_name(void);
const uint8_t *tml_slot_sha256(void);

/* SLOT, LOAD and USE. */
void tml_slot_command(const tml_request_t *request);

#endif
