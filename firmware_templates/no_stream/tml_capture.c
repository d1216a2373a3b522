/* The firmware of a model that has no front end has no sensor either: there is nothing to record. */
#include "tml_capture.h"

void tml_capture_command(const tml_request_t *request) {
  tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, 0, "this firmware has no sensor");
}

void tml_capture_stop(void) {}

int tml_capture_turn(void) { return 0; }
