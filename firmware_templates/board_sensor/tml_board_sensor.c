/* What every sensor of a board has in common: it takes no samples from the host, and never ends. */
#include "tml_sensor.h"
#include "tml_stream.h"

void tml_sensor_command(const tml_request_t *request) {
  tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, 0, "this firmware has a sensor of its own");
}

int tml_sensor_ended(void) { return 0; }
