#include "tml_ring.h"

/* int16 values, a power of two: half a second of one channel at 16 kHz, while a model runs. */
#define RING_VALUES 8192u

static int16_t values[RING_VALUES];
static uint32_t channels = 1;
/* Values put and taken since start, modulo 2^32. Each is written by one side only, and after the
 * values that it speaks of: the release and acquire keep compiler and processor to that. */
static uint32_t put, taken, dropped;

void tml_ring_start(uint32_t channel_count) {
  channels = channel_count;
  put = taken = dropped = 0;
}

void tml_ring_put(const int16_t *samples, uint32_t count) {
  const uint32_t room = RING_VALUES - (put - __atomic_load_n(&taken, __ATOMIC_ACQUIRE));
  const uint32_t fitting = room / channels < count ? room / channels : count;
  for (uint32_t i = 0; i < fitting * channels; i++) {
    values[(put + i) % RING_VALUES] = samples[i];
  }
  __atomic_store_n(&put, put + fitting * channels, __ATOMIC_RELEASE);
  __atomic_store_n(&dropped, dropped + (count - fitting), __ATOMIC_RELAXED);
}

uint32_t tml_ring_take(int16_t *samples, uint32_t capacity) {
  const uint32_t waiting = (__atomic_load_n(&put, __ATOMIC_ACQUIRE) - taken) / channels;
  const uint32_t count = waiting < capacity ? waiting : capacity;
  for (uint32_t i = 0; i < count * channels; i++) {
    samples[i] = values[(taken + i) % RING_VALUES];
  }
  __atomic_store_n(&taken, taken + count * channels, __ATOMIC_RELEASE);
  return count;
}

uint32_t tml_ring_dropped(void) { return __atomic_load_n(&dropped, __ATOMIC_RELAXED); }
