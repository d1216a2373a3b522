/* Stands in for the application: each received letter exercises the board's port. */
#include "tml_app.h"

#include "tml_fault.h"
#include "tml_port.h"

#define NOPS_1 __asm volatile("nop");
#define NOPS_3 NOPS_1 NOPS_1 NOPS_1

static void put(const char *text) {
  for (; *text != '\0'; ++text) {
    tml_port_write((const uint8_t *)text, 1);
  }
}

static void put_hex(uint64_t value) {
  char text[] = "0000000000000000 ";
  for (int i = 15; i >= 0; --i, value >>= 4) {
    text[i] = "0123456789abcdef"[value & 15u];
  }
  put(text);
}

void tml_fault(const uint32_t registers[8]) {
  put("fault ");
  for (int i = 0; i < 8; ++i) {
    put_hex(registers[i]);
  }
  put("\n");
  for (;;) {
    tml_app_turn();
  }
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int use_stack(volatile int *below) {
  volatile int block[64];
  block[0] = *below;
  block[1] = use_stack(block) + 1;
  return block[1];
}

static void count(void) {
  const uint64_t a = tml_port_counter();
  const uint64_t b = tml_port_counter();
  NOPS_1
  const uint64_t c = tml_port_counter();
  NOPS_3
  const uint64_t d = tml_port_counter();
  put_hex(b - a);
  put_hex(c - b);
  put_hex(d - c);
  put("\n");
}

/* Spin across the 32-bit timer's zero, which otherwise comes after 2.7e9 instructions only. */
static void spin(void) {
  uint32_t rounds = 1000000u;
  *(volatile uint32_t *)0x40000004u = 1600000u; /* TIMER0's value: half of the spin's ticks */
  const uint64_t start_us = tml_port_time_us();
  const uint64_t start = tml_port_counter();
  __asm volatile("1: subs %0, #1\n bne 1b" : "+r"(rounds)::"cc");
  put_hex(tml_port_counter() - start);
  put_hex(tml_port_time_us() - start_us);
  put_hex(*(volatile uint32_t *)0x40000004u);
  put("\n");
}

static void act(char letter) {
  volatile int zero = 0;
  switch (letter) {
    case 'c':
      count();
      break;
    case 'w':
      spin();
      break;
    case 't':
      put_hex(tml_port_time_us());
      put_hex(tml_port_stack_bytes());
      put_hex(tml_port_stack_used());
      put("\n");
      break;
    case 'r':
      tml_port_reset(0);
      break;
    case 'n':
      *(volatile int *)0 = 1;
      break;
    case 'd':
      zero = 7 / zero;
      break;
    case 's':
      zero = 1;
      use_stack(&zero);
      break;
    case 'e':
      *(volatile int *)(0x20000000u + tml_port_stack_bytes()); /* RAM: allowed */
      *(volatile int *)0x20040000u;                            /* what lies behind it: not */
      break;
    case 'x':
      ((void (*)(void))0x20001001u)();
      break;
    case 'u':
      __asm volatile("cpsid i\n udf #1");
      break;
    default:
      put("ready\n");
  }
}

void tml_app_start(void) {
  tml_port_init();
  put("ready\n");
}

void tml_app_turn(void) {
  uint8_t letter;
  if (tml_port_read(&letter, 1) == 1) {
    act((char)letter);
  } else {
    tml_port_idle();
  }
}
