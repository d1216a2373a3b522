/* tml_port.cpp: serial line, clocks and stack of Arduino boards whose core is made of mbed OS.
 *
 * The line is the board's own USB port, whose speed means nothing. The core counts a host as there
 * while it holds DTR, and drops what is written to nobody. Nothing here waits for a host: it says
 * HELLO when it comes. */
#include "tml_port.h"

#include <stdlib.h> /* before Arduino's macros */

#include <Arduino.h>
#include <rtx_os.h>

namespace {

/* One less than the 64 bytes of a USB packet: a host hands on a short packet at once, but may keep
 * a full one until the next. */
constexpr uint32_t kPacketBytes = 63;

/* The core takes no byte that it has no room for, so this is what the host keeps meanwhile. */
constexpr uint32_t kReceiveBytes = 4096;

constexpr unsigned long kReplyMs = 20; /* until the host has the reply to RESET */

/* What the stack is filled with below its end, so that its use can be seen. */
constexpr uint32_t kPaint = 0xA5A5A5A5;
constexpr uint32_t kUnpaintedWords = 64; /* of the function that paints */

/* A counter of 32 bits as one of 64; it must be read at least once in every round. */
class Wide {
 public:
  uint64_t at(uint32_t now) {
    total_ += static_cast<uint32_t>(now - last_);
    last_ = now;
    return total_;
  }

 private:
  uint64_t total_ = 0;
  uint32_t last_ = 0;
};

Wide cycles;
Wide microseconds;

struct Words {
  uint32_t *begin, *end;
};

/* The stack of the thread that runs setup() and loop(), which grows down to begin. */
Words stack() {
  const auto *thread = static_cast<const osRtxThread_t *>(osThreadGetId());
  auto *memory = static_cast<uint32_t *>(thread->stack_mem);
  return {memory + 1, memory + thread->stack_size / sizeof *memory}; /* [0] is the RTOS's mark */
}

void paint_stack() {
  auto *here = static_cast<uint32_t *>(__builtin_frame_address(0));
  for (uint32_t *word = stack().begin; word < here - kUnpaintedWords; ++word) {
    *const_cast<volatile uint32_t *>(word) = kPaint;
  }
}

uint32_t bytes(const uint32_t *begin, const uint32_t *end) {
  return static_cast<uint32_t>(end - begin) * static_cast<uint32_t>(sizeof *begin);
}

/* What is tried first when memory is borrowed from the heap, and what its others keep of it. */
constexpr uint32_t kHeapMost = 192 * 1024;
constexpr uint32_t kHeapStep = 4096;
constexpr uint32_t kHeapReserve = 8192;

void *borrowed;

}  // namespace

void tml_port_init() {
  paint_stack();
  CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
  DWT->CYCCNT = 0;
  DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
}

uint32_t tml_port_read(uint8_t *data, uint32_t capacity) {
  /* The application comes here all the time: often enough for the counters' rounds of 67 seconds
   * and 71 minutes. */
  tml_port_counter();
  tml_port_time_us();
  uint32_t count = 0;
  for (int byte; count < capacity && (byte = Serial.read()) >= 0;) {
    data[count++] = static_cast<uint8_t>(byte);
  }
  return count;
}

uint32_t tml_port_receive_bytes() { return kReceiveBytes; }

void tml_port_write(const uint8_t *data, uint32_t count) {
  while (count > 0) {
    const uint32_t part = count < kPacketBytes ? count : kPacketBytes;
    if (Serial.write(data, part) != part) {
      return; /* nobody listens */
    }
    data += part;
    count -= part;
  }
}

void tml_port_idle() { delay(1); }

uint64_t tml_port_time_us() { return microseconds.at(static_cast<uint32_t>(micros())); }

uint64_t tml_port_counter() { return cycles.at(DWT->CYCCNT); }

uint32_t tml_port_counter_hz() { return SystemCoreClock; }

uint32_t tml_port_stack_bytes() {
  const Words all = stack();
  return bytes(all.begin, all.end);
}

uint32_t tml_port_stack_used() {
  const Words all = stack();
  const uint32_t *word = all.begin;
  while (word < all.end && *word == kPaint) {
    ++word;
  }
  return bytes(word, all.end);
}

void *tml_port_borrow(uint32_t *bytes) {
  uint32_t size = kHeapMost;
  while (size > 0 && (borrowed = malloc(size)) == nullptr) {
    size -= kHeapStep;
  }
  free(borrowed);
  *bytes = size > kHeapReserve ? size - kHeapReserve : 0;
  borrowed = malloc(*bytes);
  *bytes = borrowed != nullptr ? *bytes : 0;
  return borrowed;
}

void tml_port_give_back() {
  free(borrowed);
  borrowed = nullptr;
}

void tml_port_reset(int bootloader) {
  delay(kReplyMs);
  if (bootloader != 0) {
    _ontouch1200bps_(); /* what the core does when a host sets 1200 baud: marks GPREGRET, resets */
  }
  NVIC_SystemReset();
}
