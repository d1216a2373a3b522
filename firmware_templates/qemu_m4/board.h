/* board.h: what startup.c and tml_port.c share. */
#ifndef TML_BOARD_H
#define TML_BOARD_H

#include <stddef.h>
#include <stdint.h>

#define TML_REGISTER(address) (*(volatile uint32_t *)(address))

/* Interrupt numbers of the machine. */
enum { TML_IRQ_UART_RECEIVE = 0, TML_IRQ_UART_TRANSMIT = 1, TML_IRQ_TIMER = 8, TML_IRQ_COUNT = 9 };

/* Set by the linker script: the stack, which grows down from __stack_end. */
extern uint32_t __stack_start[], __stack_end[];

/* Likewise the C library's heap, and in startup.c how far it has grown. */
extern uint8_t __heap_start[], __heap_end[];
void *_sbrk(ptrdiff_t bytes);

/* What startup.c fills the stack with, so that tml_port.c can see how much of it was used. */
#define TML_STACK_PAINT 0xA5A5A5A5u

/* In tml_port.c: the timer has gone round. */
void tml_port_timer_irq(void);

#endif
