/* What a firmware does without a part that it was built without: stream and capture (a model
 * without a front end), model slot, text commands. All of it is weak: the part itself, in a folder
 * of its own, takes its place. */
#include "tml_capture.h"
#include "tml_config.h"
#include "tml_slot.h"
#include "tml_stream.h"
#include "tml_text.h"
#include "tml_trace.h"

#define TML_WEAK __attribute__((weak))

static void refuse(const tml_request_t *request, const char *reason) {
  tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, 0, reason);
}

TML_WEAK void tml_stream_command(const tml_request_t *request) {
  refuse(request, "this model has no front end to stream with");
}

TML_WEAK void tml_stream_resend(const tml_request_t *request) {
  refuse(request, "this model has no front end to stream with");
}

TML_WEAK void tml_trace_command(const tml_request_t *request) {
  refuse(request, "this model has no front end to stream with");
}

TML_WEAK void tml_sensor_command(const tml_request_t *request) {
  refuse(request, "this model has no front end to stream with");
}

TML_WEAK void tml_stream_stop(void) {}

TML_WEAK int tml_stream_running(void) { return 0; }

TML_WEAK int tml_stream_turn(void) { return 0; }

TML_WEAK void tml_stream_totals(tml_wire_totals_t *totals) {
  const tml_wire_totals_t none = {0};
  *totals = none;
}

TML_WEAK void tml_capture_command(const tml_request_t *request) {
  refuse(request, "this firmware has no sensor");
}

TML_WEAK void tml_capture_stop(void) {}

TML_WEAK int tml_capture_turn(void) { return 0; }

TML_WEAK void tml_slot_command(const tml_request_t *request) {
  refuse(request, "this firmware has no model slot");
}

TML_WEAK const char *tml_slot_name(void) { return TML_MODEL_NAME; }

TML_WEAK const uint8_t *tml_slot_sha256(void) {
  static const uint8_t sha256[32] = TML_MODEL_SHA256;
  return sha256;
}

TML_WEAK void tml_text_start(void) {}

TML_WEAK void tml_text_byte(uint8_t byte) { (void)byte; }
