/* tml_port.c: serial line, clock and counter of QEMU's mps2-an386.
 *
 * The emulator holds a received byte back until the last one is taken, so nothing is lost however
 * late it is read. UART interrupts therefore only end a sleep, and no handler runs: a measured
 * piece of code costs the same number of instructions whether bytes arrive meanwhile or not.
 *
 * One instruction takes 64 ns (-icount shift=6). TIMER0 counts down at 25 MHz: 8 ticks are 5
 * instructions. It stands still during sleep, because a running timer makes the emulator
 * (sleep=off) jump from one expiry to the next instead of sleeping; so time here is time awake. */
#include "tml_port.h"

#include "board.h"

#define UART_DATA TML_REGISTER(0x40004000u)
#define UART_STATE TML_REGISTER(0x40004004u)
#define UART_CTRL TML_REGISTER(0x40004008u)
#define UART_INTCLEAR TML_REGISTER(0x4000400Cu)
#define UART_BAUDDIV TML_REGISTER(0x40004010u)
#define UART_TX (1u << 0) /* in STATE: full; in CTRL: enabled; in INTCLEAR: its interrupt */
#define UART_RX (1u << 1)
#define UART_INTERRUPTS (UART_TX << 2 | UART_RX << 2) /* in CTRL */

#define TIMER_CTRL TML_REGISTER(0x40000000u)
#define TIMER_VALUE TML_REGISTER(0x40000004u)
#define TIMER_RELOAD TML_REGISTER(0x40000008u)
#define TIMER_INTCLEAR TML_REGISTER(0x4000000Cu) /* reads as the interrupt's state */
#define TIMER_RUN (1u << 0 | 1u << 3)            /* count, interrupt at zero */

#define NVIC_ENABLE TML_REGISTER(0xE000E100u)
#define NVIC_DISABLE TML_REGISTER(0xE000E180u)
#define NVIC_UNPEND TML_REGISTER(0xE000E280u)
#define SCB_AIRCR TML_REGISTER(0xE000ED0Cu)
#define UART_IRQS (1u << TML_IRQ_UART_RECEIVE | 1u << TML_IRQ_UART_TRANSMIT)

static uint64_t earlier;   /* instructions executed before the timer's last start */
static uint32_t laps;      /* how often it has gone round since */
static uint32_t calls;     /* of tml_port_counter */
static uint32_t call_cost; /* instructions of one */

static uint32_t mask_interrupts(void) {
  uint32_t before;
  __asm volatile("mrs %0, primask\n cpsid i" : "=r"(before)::"memory");
  return before;
}

static void restore_interrupts(uint32_t before) {
  __asm volatile("msr primask, %0" ::"r"(before) : "memory");
}

/* Call with interrupts masked. */
static void timer_start(void) {
  laps = 0;
  TIMER_INTCLEAR = 1;
  NVIC_UNPEND = 1u << TML_IRQ_TIMER;
  TIMER_VALUE = 0xFFFFFFFFu;
  TIMER_CTRL = TIMER_RUN;
}

void tml_port_timer_irq(void) {
  TIMER_INTCLEAR = 1;
  ++laps;
}

/* Instructions executed since start. */
static uint64_t executed(void) {
  const uint32_t before = mask_interrupts();
  uint32_t lap = laps;
  uint32_t value = TIMER_VALUE;
  if ((TIMER_INTCLEAR & 1u) != 0) { /* it has just gone round and the interrupt waits */
    ++lap;
    value = TIMER_VALUE;
  }
  restore_interrupts(before);
  return earlier + ((uint64_t)lap << 32 | (0xFFFFFFFFu - value)) * 5u / 8u;
}

void tml_port_init(void) {
  const uint32_t before = mask_interrupts();
  TIMER_RELOAD = 0xFFFFFFFFu;
  timer_start();
  restore_interrupts(before);
  NVIC_ENABLE = 1u << TML_IRQ_TIMER;
  UART_BAUDDIV = 16; /* the least that is valid; the emulated line has no speed */
  UART_CTRL = UART_TX | UART_RX | UART_INTERRUPTS;

  const uint64_t first = tml_port_counter();
  const uint64_t second = tml_port_counter();
  call_cost = (uint32_t)(second - first);
}

/* Sleep until one of the UART's interrupts, if (STATE & mask) == value. */
static void sleep_while_state(uint32_t mask, uint32_t value) {
  const uint32_t before = mask_interrupts();
  UART_INTCLEAR = UART_RX | UART_TX;
  NVIC_UNPEND = UART_IRQS;
  if ((UART_STATE & mask) == value) {
    earlier = executed();
    TIMER_CTRL = 0;
    NVIC_ENABLE = UART_IRQS;
    __asm volatile("wfi" ::: "memory");
    NVIC_DISABLE = UART_IRQS;
    timer_start();
  }
  restore_interrupts(before);
}

uint32_t tml_port_read(uint8_t *data, uint32_t capacity) {
  uint32_t bytes = 0;
  while (bytes < capacity && (UART_STATE & UART_RX) != 0) {
    data[bytes++] = (uint8_t)UART_DATA;
  }
  return bytes;
}

uint32_t tml_port_receive_bytes(void) { return 16384; }

void tml_port_write(const uint8_t *data, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; ++i) {
    while ((UART_STATE & UART_TX) != 0) {
      sleep_while_state(UART_TX, UART_TX);
    }
    UART_DATA = data[i];
  }
}

void tml_port_idle(void) { sleep_while_state(UART_RX, 0); }

/* What counting itself costs is left out: two calls in a row return the same. */
uint64_t tml_port_counter(void) { return executed() - (uint64_t)call_cost * calls++; }

uint32_t tml_port_counter_hz(void) { return 0; }

uint64_t tml_port_time_us(void) { return executed() * 8u / 125u; }

uint32_t tml_port_stack_bytes(void) {
  return (uint32_t)((const uint8_t *)__stack_end - (const uint8_t *)__stack_start);
}

uint32_t tml_port_stack_used(void) {
  const uint32_t *word = __stack_start;
  while (word < __stack_end && *word == TML_STACK_PAINT) {
    ++word;
  }
  return (uint32_t)((const uint8_t *)__stack_end - (const uint8_t *)word);
}

void *tml_port_borrow(uint32_t *bytes) {
  uint8_t *free = _sbrk(0);
  *bytes = (uint32_t)(__heap_end - free);
  return free;
}

void tml_port_give_back(void) {}

void tml_port_reset(int bootloader) {
  if (bootloader == 0) {
    SCB_AIRCR = 0x05FA0004u;
    for (;;) {
      __asm volatile("dsb" ::: "memory");
    }
  }
}
