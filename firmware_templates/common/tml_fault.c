#include "tml_fault.h"

#include <string.h>

#include "tml_commands.h"
#include "tml_line.h"
#include "tml_port.h"

static tml_wire_fault_t fault;

static void report(void) {
  uint8_t payload[TML_WIRE_FAULT_BYTES];
  tml_wire_put_fault(payload, &fault);
  tml_event(TML_TYPE_FAULT, payload, sizeof payload);
}

static void answer(const tml_request_t *request) {
  if (request->header.type == TML_TYPE_RESET) {
    tml_command(request);
  } else {
    report();
  }
}

void tml_fault(const uint32_t registers[8]) {
  memcpy(fault.registers, registers, sizeof fault.registers);
  report();
  for (;;) {
    if (!tml_line_poll(answer, NULL)) {
      tml_port_idle();
    }
  }
}
