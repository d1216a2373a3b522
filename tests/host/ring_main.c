/* Checks tml_ring: alone against a count, and with an "interrupt" that puts while another takes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tml_ring.h"

#define CHECK(condition)                                            \
  do {                                                              \
    if (!(condition)) {                                             \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition);       \
      exit(1);                                                      \
    }                                                               \
  } while (0)

enum { CHANNELS = 3, BLOCK = 97, BLOCKS = 20000, ROOM = 8192 / CHANNELS };

/* Sample n has the values n, n + 1 and n + 2 in 16 bits. */
static void fill(int16_t *samples, uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t channel = 0; channel < CHANNELS; channel++) {
      samples[i * CHANNELS + channel] = (int16_t)(uint16_t)(first + i + channel);
    }
  }
}

static void is_whole(const int16_t *sample) {
  CHECK((uint16_t)(sample[1] - sample[0]) == 1 && (uint16_t)(sample[2] - sample[0]) == 2);
}

static void alone(void) {
  static int16_t in[4000 * CHANNELS], out[4000 * CHANNELS];
  tml_ring_start(CHANNELS);
  CHECK(tml_ring_take(out, 10) == 0);
  fill(in, 0, 4000);
  tml_ring_put(in, 4000); /* more than there is room for: the oldest stay */
  CHECK(tml_ring_dropped() == 4000 - ROOM);
  CHECK(tml_ring_take(out, 4000) == ROOM);
  CHECK(memcmp(in, out, ROOM * CHANNELS * sizeof *in) == 0);
  for (uint32_t n = 0; n < 100000; n += 7) { /* round and round */
    fill(in, n, 7);
    tml_ring_put(in, 7);
    CHECK(tml_ring_take(out, 3) == 3 && tml_ring_take(out + 3 * CHANNELS, 9) == 4);
    CHECK(memcmp(in, out, 7 * CHANNELS * sizeof *in) == 0);
  }
  tml_ring_start(1);
  CHECK(tml_ring_dropped() == 0 && tml_ring_take(out, 1) == 0);
}

static void *interrupt(void *unused) {
  int16_t samples[BLOCK * CHANNELS];
  for (uint32_t n = 0; n < BLOCKS; n++) {
    fill(samples, n * BLOCK, BLOCK);
    tml_ring_put(samples, BLOCK);
  }
  return unused;
}

static void together(void) {
  pthread_t thread;
  int16_t samples[64 * CHANNELS];
  uint32_t taken = 0, missed = 0;
  uint16_t expected = 0;
  tml_ring_start(CHANNELS);
  CHECK(pthread_create(&thread, NULL, interrupt, NULL) == 0);
  while (taken + tml_ring_dropped() < BLOCKS * BLOCK) {
    const uint32_t count = tml_ring_take(samples, 64);
    for (uint32_t i = 0; i < count; i++) {
      is_whole(&samples[i * CHANNELS]);
      missed += (uint16_t)((uint16_t)samples[i * CHANNELS] - expected); /* modulo 65536 */
      expected = (uint16_t)(samples[i * CHANNELS] + 1);
    }
    taken += count;
  }
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(missed <= tml_ring_dropped());
  CHECK(taken + tml_ring_dropped() == BLOCKS * BLOCK);
}

int main(void) {
  alone();
  together();
  return 0;
}
