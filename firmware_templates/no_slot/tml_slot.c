#include "tml_slot.h"

#include "tml_config.h"

static const uint8_t sha256[32] = TML_MODEL_SHA256;

const char *tml_slot_name(void) { return TML_MODEL_NAME; }

const uint8_t *tml_slot_sha256(void) { return sha256; }

void tml_slot_command(const tml_request_t *request) {
  tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, 0, "this firmware has no model slot");
}
