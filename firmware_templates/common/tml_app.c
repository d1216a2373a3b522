#include "tml_app.h"

#include <string.h>

#include "tml_capture.h"
#include "tml_commands.h"
#include "tml_config.h"
#include "tml_line.h"
#include "tml_port.h"
#include "tml_run.h"
#include "tml_stream.h"
#include "tml_text.h"

static void log_text(const char *text) {
  uint8_t payload[256];
  const size_t bytes = strlen(text);
  payload[0] = (uint8_t)bytes;
  memcpy(payload + 1, text, bytes);
  tml_event(TML_TYPE_LOG, payload, (uint32_t)bytes + 1u);
}

void tml_app_start(void) {
  tml_port_init();
  if (tml_run_init() < 0) {
    log_text("the model did not start: INFER tells why");
  } else {
    log_text("started");
  }
  tml_text_start();
}

void tml_app_turn(void) {
  const int came = tml_line_poll(tml_command, tml_text_byte);
  const int worked = tml_stream_turn() | tml_capture_turn();
  if (!came && !worked) {
    tml_port_idle();
  }
}
