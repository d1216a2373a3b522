/* The firmware of a model that has no front end: there is nothing to stream. */
#include "tml_stream.h"

static void refuse(const tml_request_t *request) {
  tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, 0, "this model has no front end to stream with");
}

void tml_stream_command(const tml_request_t *request) { refuse(request); }

void tml_sensor_command(const tml_request_t *request) { refuse(request); }

void tml_stream_stop(void) {}

int tml_stream_running(void) { return 0; }

int tml_stream_turn(void) { return 0; }

void tml_stream_totals(tml_wire_totals_t *totals) {
  const tml_wire_totals_t none = {0};
  *totals = none;
}
