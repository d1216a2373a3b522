/* Reset of a semihosted Cortex-M4 program: switch the FPU on, then newlib's start. */
#include <stdint.h>

extern char __stack[];
void _start(void);

static void halt(void) {
  for (;;) {
    __asm__ volatile("mov r0, #0x18\n mov r1, #0\n bkpt 0xab" ::: "r0", "r1"); /* SYS_EXIT, failed */
  }
}

void reset(void) {
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: full access to CP10 and CP11 */
  __asm__ volatile("dsb\n isb");
  _start();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    __stack, (const void *)reset, (const void *)halt, (const void *)halt,
    (const void *)halt, (const void *)halt, (const void *)halt};
