/* The microphone of the Nano 33 BLE Sense, taken by the core's PDM library.
 *
 * The plain Nano 33 BLE has none, and nothing tells the two apart but the samples: without a
 * microphone the line stands still. So every start listens for a moment, at the highest gain. */
#include <Arduino.h>
#include <PDM.h>

#include "tml_ring.h"
#include "tml_sensor.h"

namespace {

constexpr int kBlockBytes = 1024; /* 32 ms at 16 kHz; the interrupt must come before the next */

/* In half decibels above -20 dB. */
constexpr int kGain = 20;
constexpr int kHighestGain = 80;

/* The library's first two blocks are empty; a microphone needs some 10 ms to wake up. */
constexpr uint32_t kSettleSamples = 1536;
constexpr uint32_t kListenSamples = 1024;
constexpr unsigned long kListenMs = 500; /* until a silent library is given up */

void take_block() {
  static int16_t block[kBlockBytes / sizeof(int16_t)];
  const int bytes = PDM.read(block, sizeof block);
  tml_ring_put(block, static_cast<uint32_t>(bytes) / sizeof block[0]);
}

/* Whether samples come, and are not all the same. */
bool hears() {
  int16_t low = INT16_MAX, high = INT16_MIN;
  const unsigned long start = millis();
  for (uint32_t heard = 0; heard < kSettleSamples + kListenSamples;) {
    int16_t sample;
    if (tml_ring_take(&sample, 1) == 0) {
      if (millis() - start > kListenMs) {
        return false;
      }
      delay(1);
      continue;
    }
    if (++heard > kSettleSamples) {
      low = sample < low ? sample : low;
      high = sample > high ? sample : high;
    }
  }
  return low != high;
}

}  // namespace

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  if (channels != 1) {
    return TML_SENSOR_SETTINGS;
  }
  tml_ring_start(channels);
  PDM.onReceive(take_block);
  PDM.setBufferSize(kBlockBytes);
  PDM.setGain(kHighestGain);
  if (!PDM.begin(static_cast<int>(channels), static_cast<int>(rate_hz))) {
    return TML_SENSOR_SETTINGS;
  }
  if (!hears()) {
    PDM.end();
    return TML_SENSOR_MISSING;
  }
  PDM.setGain(kGain);
  return 0;
}

uint32_t tml_sensor_read(int16_t *samples, uint32_t capacity) {
  return tml_ring_take(samples, capacity);
}

void tml_sensor_stop() { PDM.end(); }

uint32_t tml_sensor_overruns() { return tml_ring_dropped(); }
