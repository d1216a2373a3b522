/* startup.c: vector table, start-up, memory protection and fault report of QEMU's mps2-an386. */
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "tml_fault.h"

#define SCB_CCR TML_REGISTER(0xE000ED14u)
#define SCB_CFSR TML_REGISTER(0xE000ED28u)
#define SCB_HFSR TML_REGISTER(0xE000ED2Cu)
#define SCB_MMFAR TML_REGISTER(0xE000ED34u)
#define SCB_BFAR TML_REGISTER(0xE000ED38u)
#define SCB_CPACR TML_REGISTER(0xE000ED88u)
#define MPU_CTRL TML_REGISTER(0xE000ED94u)
#define MPU_RBAR TML_REGISTER(0xE000ED9Cu)
#define MPU_RASR TML_REGISTER(0xE000EDA0u)
#define FPU_FPCCR TML_REGISTER(0xE000EF34u)

/* Set by the linker script; of the names that end in _log2_bytes the address is the value. */
extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint32_t __flash_start[], __flash_log2_bytes[], __ram_start[], __ram_log2_bytes[];

typedef void (*handler_t)(void);

/* What the processor pushes when an exception begins. */
typedef struct {
  uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
} frame_t;

int main(void);
void __libc_init_array(void);
void tml_reset(void);
void tml_fault_entry(void);
const frame_t *tml_fault_collect(uint32_t sp);
void _init(void);
void _fini(void);

/* The fault report has a stack of its own: an overflow of the ordinary one is a fault too. */
struct {
  uint64_t stack[124];
  frame_t frame;
} tml_fault_memory;

/* Faults other than HardFault stay disabled, so that all of them escalate to it. */
__attribute__((section(".vectors"), used)) static const handler_t vectors[16 + TML_IRQ_COUNT] = {
    [0] = (handler_t)(uintptr_t)__stack_end,
    [1] = tml_reset,
    [2 ... 15 + TML_IRQ_TIMER] = tml_fault_entry,
    [16 + TML_IRQ_TIMER] = tml_port_timer_irq,
};

enum { NO_ACCESS = 0, READ_WRITE = 3 << 24, READ_ONLY = 6 << 24, NO_EXECUTE = 1 << 28 };

/* One MPU region of 2^log2_bytes bytes; where regions overlap, the higher number wins. */
static void protect(uint32_t region, uint32_t start, uint32_t log2_bytes, uint32_t access) {
  MPU_RBAR = start | 1u << 4 | region;
  MPU_RASR = access | (log2_bytes - 1u) << 1 | 1u;
}

/* The machine has 4 MB of each memory, all of it writable. Make it behave like the board: flash
 * cannot be written, and what lies outside flash and RAM is not there. */
static void protect_memory(void) {
  protect(0, 0, 30, NO_ACCESS);
  protect(1, (uint32_t)__flash_start, (uint32_t)__flash_log2_bytes, READ_ONLY);
  protect(2, (uint32_t)__ram_start, (uint32_t)__ram_log2_bytes, READ_WRITE | NO_EXECUTE);
  MPU_CTRL = 1u | 1u << 2; /* the default map elsewhere: peripherals */
  __asm volatile("dsb\n isb" ::: "memory");
}

void tml_reset(void) {
  SCB_CPACR |= 0xFu << 20; /* floating point on */
  FPU_FPCCR = 0;           /* no handler uses it, so exceptions need not save it */
  SCB_CCR |= 1u << 4 | 1u; /* integer division by zero faults; thread mode may resume after one */
  __asm volatile("dsb\n isb" ::: "memory");

  uint32_t sp;
  __asm volatile("mov %0, sp" : "=r"(sp));
  for (volatile uint32_t *word = __stack_start; (uint32_t)word < sp; ++word) {
    *word = TML_STACK_PAINT;
  }
  for (uint32_t *to = __data_start, *from = __data_load; to < __data_end;) {
    *to++ = *from++;
  }
  for (uint32_t *to = __bss_start; to < __bss_end;) {
    *to++ = 0;
  }
  protect_memory();
  __libc_init_array();
  main();
  for (;;) {
    __asm volatile("wfi");
  }
}

/* Leave the broken context for good: collect its registers on a sound stack, then "return" into
 * tml_fault on that stack, in thread mode, where interrupts and sleeping work again. */
__attribute__((naked)) void tml_fault_entry(void) {
  __asm volatile(
      "mrs r0, msp\n"
      "ldr r1, =tml_fault_memory + %c0\n"
      "msr msp, r1\n"
      "bl tml_fault_collect\n"
      "msr msp, r0\n"
      "mvn lr, #6\n" /* 0xFFFFFFF9: thread mode, main stack, no floating point state */
      "cpsie i\n"
      "bx lr\n" ::"i"(sizeof(tml_fault_memory.stack)));
}

/* `sp` is where the processor pushed its frame, if the stack still had room for one. */
__attribute__((used)) const frame_t *tml_fault_collect(uint32_t sp) {
  static uint32_t registers[8];
  const frame_t *broken = (const frame_t *)sp;
  if (sp >= (uint32_t)__stack_start && sp <= (uint32_t)__stack_end - sizeof(frame_t)) {
    registers[0] = broken->pc;
    registers[1] = broken->lr;
    registers[2] = broken->xpsr;
    sp += sizeof(frame_t) + (broken->xpsr >> 9 & 1u) * 4u; /* bit 9: pushed a word to align */
  }
  registers[3] = SCB_CFSR;
  registers[4] = SCB_HFSR;
  registers[5] = SCB_MMFAR;
  registers[6] = SCB_BFAR;
  registers[7] = sp;
  tml_fault_memory.frame = (frame_t){.r0 = (uint32_t)registers,
                                     .lr = 0xFFFFFFFFu,
                                     .pc = (uint32_t)tml_fault & ~1u,
                                     .xpsr = 1u << 24};
  return &tml_fault_memory.frame;
}

/* What the C library asks of a system. Our own code never allocates. */
void *__dso_handle;

void _init(void) {}

void _fini(void) {}

void *_sbrk(ptrdiff_t bytes) {
  static uint8_t *top = __heap_start;
  if (bytes > __heap_end - top || bytes < __heap_start - top) {
    return (void *)-1;
  }
  uint8_t *block = top;
  top += bytes;
  return block;
}
