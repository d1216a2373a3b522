/* tml_port.cpp: serial line, clocks and stack of Sony's Spresense, whose system is NuttX.
 *
 * The line is the system's console, UART1 behind the main board's USB serial chip: 115200 baud and
 * no flow control. NuttX keeps what arrives in a buffer of CONFIG_UART1_RXBUFSIZE bytes. Arduino's
 * Serial is the same device but takes one byte at a time and cannot sleep until some come. Text of
 * the system (at a fault, say) uses the line too; frames survive that. */
#include "tml_port.h"

#include "tml_nuttx.h"

namespace {

const int kIdleMs = 10; /* a tick of the system: how late a sensor may be looked at */

volatile uint32_t &Register(uint32_t address) {
  return *reinterpret_cast<volatile uint32_t *>(address);
}

const uint32_t kDemcr = 0xE000EDFCu, kDemcrTrace = 1u << 24;
const uint32_t kDwtControl = 0xE0001000u, kDwtCycleCount = 0xE0001004u;

int line = -1;

/* What NuttX paints stacks with (CONFIG_STACK_COLORATION). */
const uint32_t kStackPaint = 0xDEADBEEFu;

bool Stack(struct stackinfo_s *info) {
  return nxsched_get_stackinfo(0, info) == 0 && info->stack_base_ptr != nullptr;
}

/* What is tried first when memory is borrowed from the heap, and what its others keep of it. */
const uint32_t kHeapMost = 512u * 1024u, kHeapStep = 4096u, kHeapReserve = 8192u;

void *borrowed;

}  // namespace

void tml_port_init(void) {
  line = open("/dev/console", O_RDWR | O_NONBLOCK);
  struct termios settings;
  if (line >= 0 && tcgetattr(line, &settings) == 0) {
    settings.c_iflag = 0; /* every byte as it is, in both directions */
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    cfsetspeed(&settings, B115200);
    tcsetattr(line, TCSANOW, &settings);
  }
  Register(kDemcr) = Register(kDemcr) | kDemcrTrace;
  Register(kDwtControl) = Register(kDwtControl) | 1u;
}

uint32_t tml_port_read(uint8_t *data, uint32_t capacity) {
  const ssize_t bytes = read(line, data, capacity);
  return bytes > 0 ? static_cast<uint32_t>(bytes) : 0;
}

uint32_t tml_port_receive_bytes(void) { return CONFIG_UART1_RXBUFSIZE; }

void tml_port_write(const uint8_t *data, uint32_t bytes) {
  while (bytes > 0) {
    const ssize_t sent = write(line, data, bytes);
    if (sent > 0) {
      data += sent;
      bytes -= static_cast<uint32_t>(sent);
    } else {
      struct pollfd room = {};
      room.fd = line;
      room.events = POLLOUT;
      if (poll(&room, 1, 1000) <= 0) { /* the transmitter stands still: there is no line */
        return;
      }
    }
  }
}

void tml_port_idle(void) {
  struct pollfd bytes = {};
  bytes.fd = line;
  bytes.events = POLLIN;
  poll(&bytes, 1, kIdleMs);
  tml_port_counter(); /* must see every wrap of its 32 bits: once in 27 s */
}

/* The system's own clock: that of the RTC, with a resolution of 31 us. */
uint64_t tml_port_time_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000u + static_cast<uint64_t>(now.tv_nsec) / 1000u;
}

uint64_t tml_port_counter(void) {
  static uint32_t wraps, before;
  const uint32_t now = Register(kDwtCycleCount);
  wraps += now < before;
  before = now;
  return static_cast<uint64_t>(wraps) << 32 | now;
}

uint32_t tml_port_counter_hz(void) { return cxd56_get_cpu_baseclk(); }

uint32_t tml_port_stack_bytes(void) {
  struct stackinfo_s info;
  return Stack(&info) ? static_cast<uint32_t>(info.adj_stack_size) : 0;
}

uint32_t tml_port_stack_used(void) {
#ifdef CONFIG_STACK_COLORATION
  struct stackinfo_s info;
  if (!Stack(&info)) {
    return 0;
  }
  const uint32_t *words = static_cast<const uint32_t *>(info.stack_base_ptr);
  const uint32_t count = static_cast<uint32_t>(info.adj_stack_size / sizeof *words);
  uint32_t unused = 0;
  while (unused < count && words[unused] == kStackPaint) {
    ++unused;
  }
  return (count - unused) * static_cast<uint32_t>(sizeof *words);
#else
  return 0;
#endif
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

void tml_port_give_back(void) {
  free(borrowed);
  borrowed = nullptr;
}

void tml_port_reset(int bootloader) {
  if (bootloader == 0) {
    boardctl(BOARDIOC_RESET, 0);
  }
}
