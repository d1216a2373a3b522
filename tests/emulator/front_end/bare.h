/* bare.h: a program for QEMU's mps2-an386 that runs a front end over samples that are linked in and
 * tells the host, through semihosting, what comes of them. Its one file defines `run`. */
#include <stddef.h>
#include <stdint.h>

/* SAMPLES is the path of a file of int16 samples. */
__asm__(".section .rodata\n.balign 4\nsamples: .incbin " SAMPLES "\nsamples_end:\n.text\n");
extern const int16_t samples[], samples_end[];
extern char stack_top[];

static void semihosting(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void end(uint32_t reason) {
  semihosting(0x18, (const void *)(uintptr_t)reason); /* SYS_EXIT */
  for (;;) {
  }
}

static void print(uint32_t value, int digits, char after) {
  char text[10] = {0};
  for (int i = 0; i < digits; i++) {
    text[i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 15];
  }
  text[digits] = after;
  semihosting(0x04, text); /* SYS_WRITE0 */
}

/* volatile: else the compiler makes the loop a call of memset. */
void *memset(void *to, int value, size_t bytes) {
  for (volatile char *p = to; bytes > 0; bytes--) {
    *p++ = (char)value;
  }
  return to;
}

/* CMSDK timer 0: CTRL, VALUE (counts down at 25 MHz), RELOAD. */
static volatile uint32_t *const timer = (volatile uint32_t *)0x40000000u;

/* By `-icount shift=6`, 64 ns each. */
static uint32_t instructions_since(uint32_t start) { return (start - timer[1]) * 40 / 64; }

/* Take samples from `next` on, print rows; ends the program. */
static void run(void);

void reset(void) {
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* the FPU: compilers keep integers in it */
  __asm__ volatile("dsb\n isb");
  timer[2] = timer[1] = UINT32_MAX;
  timer[0] = 1;
  run();
  end(0x20026); /* ADP_Stopped_ApplicationExit */
}

static void fault(void) { end(0x20023); /* ADP_Stopped_RunTimeErrorUnknown */ }

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault};
