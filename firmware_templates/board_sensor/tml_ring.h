/* tml_ring.h: samples on their way from an interrupt to the application.
 *
 * For drivers of real sensors: the interrupt (or another single thread) puts, the application
 * takes. What does not fit is dropped and counted; nothing that waits is ever overwritten.
 */
#ifndef TML_RING_H
#define TML_RING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Start empty; samples have `channels` values. Call while nobody puts. */
void tml_ring_start(uint32_t channels);

/* Add `count` samples, or as many as there is room for. */
void tml_ring_put(const int16_t *samples, uint32_t count);

/* Remove up to `capacity` samples, the oldest first; returns how many. Never blocks. */
uint32_t tml_ring_take(int16_t *samples, uint32_t capacity);

/* Samples dropped since start. */
uint32_t tml_ring_dropped(void);

#ifdef __cplusplus
}
#endif

#endif
