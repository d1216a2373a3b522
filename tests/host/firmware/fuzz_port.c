/* A board whose line is libFuzzer's input; after every input HELLO must still be answered.
 *
 * The first byte says how the rest is sent: even, as it is; odd, as frames with a right CRC made of
 * [type, seq, length, payload ...], so that the fuzzer gets past the checksum. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tml_app.h"
#include "tml_crc.h"
#include "tml_port.h"
#include "tml_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t nonce[4] = {0xA1, 0xB2, 0xC3, 0xD4};

static uint8_t line[1 << 20];
static size_t line_end, line_next;
static uint64_t now;
static int greeted, asleep;

void tml_port_init(void) {}
void tml_port_idle(void) { asleep = 1; }
uint32_t tml_port_receive_bytes(void) { return 1024; }
uint64_t tml_port_time_us(void) { return now; }
uint64_t tml_port_counter(void) { return now; }
uint32_t tml_port_counter_hz(void) { return 0; }
uint32_t tml_port_stack_bytes(void) { return 0; }
uint32_t tml_port_stack_used(void) { return 0; }
void tml_port_give_back(void) {}
void *tml_port_borrow(uint32_t *bytes) {
  static uint64_t memory[512];
  *bytes = sizeof memory;
  return memory;
}
void tml_port_reset(int bootloader) { (void)bootloader; }

uint32_t tml_port_read(uint8_t *data, uint32_t capacity) {
  const size_t there = line_end - line_next;
  const uint32_t bytes = there < capacity ? (uint32_t)there : capacity;
  memcpy(data, line + line_next, bytes);
  line_next += bytes;
  now += bytes;
  return bytes;
}

void tml_port_write(const uint8_t *data, uint32_t bytes) {
  if (bytes < 2 || data[0] != 0 || data[bytes - 1] != 0 || memchr(data + 1, 0, bytes - 2) != NULL) {
    abort();
  }
  for (uint32_t i = 0; i + sizeof nonce <= bytes; i++) {
    greeted |= memcmp(data + i, nonce, sizeof nonce) == 0;
  }
}

static void put(const uint8_t *data, size_t bytes) {
  if (bytes > sizeof line - line_end) {
    bytes = sizeof line - line_end;
  }
  memcpy(line + line_end, data, bytes);
  line_end += bytes;
}

static void put_frame(uint8_t type, uint8_t seq, const uint8_t *payload, uint32_t bytes) {
  uint8_t content[TML_MAX_CONTENT], encoded[TML_MAX_ENCODED + 2] = {0};
  const tml_wire_header_t header = {TML_PROTOCOL_VERSION, type, 0, seq, (uint16_t)bytes};
  tml_wire_put_header(content, &header);
  memcpy(content + TML_WIRE_HEADER_BYTES, payload, bytes);
  const uint32_t checked = TML_WIRE_HEADER_BYTES + bytes;
  tml_put_u32(content + checked, tml_crc32(content, checked));
  uint32_t code = 1, to = 2;
  for (uint32_t i = 0; i < checked + TML_CRC_BYTES; i++) {
    if (content[i] != 0) {
      encoded[to++] = content[i];
    }
    if (content[i] == 0 || to - code == 255) {
      encoded[code] = (uint8_t)(to - code);
      code = to++;
    }
  }
  encoded[code] = (uint8_t)(to - code);
  put(encoded, to + 1);
}

static void put_frames(const uint8_t *data, size_t size) {
  while (size >= 3) {
    uint8_t payload[255];
    const uint8_t type = data[0], seq = data[1];
    const uint8_t bytes = data[2] < size - 3 ? data[2] : (uint8_t)(size - 3);
    memcpy(payload, data + 3, bytes);
    if (type == TML_TYPE_INFER || type == TML_TYPE_BENCH) {
      for (uint32_t i = 0; i < bytes; i++) {
        payload[i] &= i % 2 ? 0 : 7; /* few repetitions: their number is not what is tested */
      }
    }
    if (type == TML_TYPE_CAPTURE && bytes == TML_WIRE_CAPTURE_BYTES) {
      memset(payload + bytes - 3, 0, 3); /* few samples: zeros cost no time here, and do not end */
    }
    put_frame(type, seq, payload, bytes);
    data += 3 + bytes;
    size -= 3u + bytes;
  }
}

static void run(void) {
  for (asleep = 0; !asleep;) {
    tml_app_turn();
  }
  line_next = line_end = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int started;
  const uint8_t stop[1] = {TML_ACTION_STOP}, zero[1] = {0};
  if (!started) {
    started = 1;
    tml_app_start();
  }
  put_frame(TML_TYPE_STREAM, 0, stop, sizeof stop); /* every input starts alike */
  if (size > 0 && data[0] % 2) {
    put_frames(data + 1, size - 1);
  } else if (size > 0) {
    put(data + 1, size - 1);
  }
  run();
  greeted = 0;
  put(zero, sizeof zero);
  put_frame(TML_TYPE_HELLO, 1, nonce, sizeof nonce);
  run();
  if (!greeted) {
    abort();
  }
  return 0;
}
