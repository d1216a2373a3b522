/* tml_port.h: what a board gives the application. Each board template implements it once. */
#ifndef TML_PORT_H
#define TML_PORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bring up clocks, the serial line and the counters. Called once, before anything else here. */
void tml_port_init(void);

/* Take up to capacity received bytes; returns how many (0 when there are none). Never blocks. */
uint32_t tml_port_read(uint8_t *data, uint32_t capacity);

/* Bytes that may be under way to tml_port_read before it must be called or some are lost; what a
 * line with back-pressure holds is the driver's choice, at least 1024. */
uint32_t tml_port_receive_bytes(void);

/* Send all bytes, waiting for room in the transmitter. Drops them where nobody listens. */
void tml_port_write(const uint8_t *data, uint32_t bytes);

/* Sleep until something may have happened: a byte, a sensor, a tick. May return early. */
void tml_port_idle(void);

/* Microseconds since start; monotonic, never wraps in a lifetime. */
uint64_t tml_port_time_us(void);

/* Counter for measuring code: instructions on an emulated board, core cycles on a real one.
 * Monotonic, never wraps in a lifetime. */
uint64_t tml_port_counter(void);

/* Core clock in hertz that tml_port_counter counts at, 0 where it counts instructions. */
uint32_t tml_port_counter_hz(void);

/* Bytes of stack reserved, and the most ever used since start; 0 where it cannot be known. */
uint32_t tml_port_stack_bytes(void);
uint32_t tml_port_stack_used(void);

/* Memory that is left over, until it is given back: aligned to 8 bytes, its size in *bytes, which may
 * be 0. Where the system has a heap it comes from there, and some is left for others. */
void *tml_port_borrow(uint32_t *bytes);
void tml_port_give_back(void);

/* Restart into the application (0) or the bootloader (1). Returns only where it cannot. */
void tml_port_reset(int bootloader);

#ifdef __cplusplus
}
#endif

#endif
