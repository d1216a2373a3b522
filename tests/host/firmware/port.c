/* A board that is a process: the line is stdin and stdout, time passes with what is received. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "tml_app.h"
#include "tml_fault.h"
#include "tml_port.h"

#define BYTE_US 87u /* 115200 baud */

static uint64_t time_us;
static uint64_t counter;

static int readable(int timeout_ms) {
  struct pollfd line = {.fd = 0, .events = POLLIN};
  return poll(&line, 1, timeout_ms) > 0;
}

void tml_port_init(void) {}

uint32_t tml_port_read(uint8_t *data, uint32_t capacity) {
  if (!readable(0)) {
    return 0;
  }
  const ssize_t bytes = read(0, data, capacity);
  if (bytes <= 0) {
    exit(0);
  }
  time_us += (uint64_t)bytes * BYTE_US;
  return (uint32_t)bytes;
}

void tml_port_write(const uint8_t *data, uint32_t bytes) {
  while (bytes > 0) {
    const ssize_t written = write(1, data, bytes);
    if (written <= 0) {
      exit(0);
    }
    data += written;
    bytes -= (uint32_t)written;
  }
}

void tml_port_idle(void) { readable(-1); }

uint32_t tml_port_receive_bytes(void) { return 1024; }
uint64_t tml_port_time_us(void) { return time_us; }
uint64_t tml_port_counter(void) { return counter += 7; }
uint32_t tml_port_counter_hz(void) { return 64000000; }
uint32_t tml_port_stack_bytes(void) { return 8192; }
uint32_t tml_port_stack_used(void) { return 512; }

void *tml_port_borrow(uint32_t *bytes) {
  static uint64_t memory[4096];
  *bytes = sizeof memory;
  return memory;
}

void tml_port_give_back(void) {}

void tml_port_reset(int bootloader) {
  if (!bootloader) {
    exit(40);
  }
}

int main(int argc, char **argv) {
  (void)argv;
  tml_app_start();
  if (argc > 1) { /* any argument: as after a processor fault */
    const uint32_t registers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    tml_fault(registers);
  }
  for (;;) {
    tml_app_turn();
  }
}
