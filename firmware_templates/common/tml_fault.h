/* tml_fault.h: what a board's fault handler calls. */
#ifndef TML_FAULT_H
#define TML_FAULT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tell the host about a processor fault; never returns. registers, in this order, each as it was
 * when the fault happened: pc, lr, xpsr, cfsr, hfsr, mmfar, bfar, sp. The FAULT event is sent at
 * once, and again for every request that arrives later; only RESET is obeyed. Needs about
 * 400 bytes of stack, and tml_port_read, tml_port_write and tml_port_idle to work where it is
 * called: a handler in which nothing can end a sleep has to leave its exception first. */
void tml_fault(const uint32_t registers[8]);

#ifdef __cplusplus
}
#endif

#endif
