/* An OV7675 camera (Arduino's Tiny Machine Learning Shield) by Arduino's library.
 *
 * A picture is taken when the one before has been read. The library waits for it with interrupts
 * off, for up to two periods of the camera; then it is read from the library's bytes as they are. */
#include <string.h> /* before Arduino's macros */

#include <Arduino.h>
#include <Arduino_OV767X.h>

#include "tml_config.h"
#include "tml_sensor.h"

namespace {

constexpr uint32_t kBytes = 160 * 120; /* QQVGA, one byte a pixel: sensor.ini says so too */
constexpr uint32_t kSamples = kBytes / 2;
static_assert(TML_FEATURE_SOURCE_WIDTH * TML_FEATURE_SOURCE_HEIGHT == kBytes,
              "the front end takes the camera's pictures");

uint8_t picture[kBytes];
uint32_t taken; /* samples of the picture that were read */
bool started;

}  // namespace

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  const uint32_t pictures = rate_hz / kSamples; /* a second: the camera does 1 and 5 */
  if (channels != 1 || rate_hz % kSamples != 0 || (pictures != 1 && pictures != 5)) {
    return TML_SENSOR_SETTINGS;
  }
  if (!Camera.begin(QQVGA, GRAYSCALE, static_cast<int>(pictures), OV7675)) {
    return TML_SENSOR_MISSING;
  }
  taken = kSamples;
  started = true;
  return 0;
}

uint32_t tml_sensor_read(int16_t *samples, uint32_t capacity) {
  if (!started) {
    return 0;
  }
  if (taken == kSamples) {
    Camera.readFrame(picture);
    taken = 0;
  }
  const uint32_t left = kSamples - taken;
  const uint32_t count = left < capacity ? left : capacity;
  memcpy(samples, picture + 2 * taken, 2 * count);
  taken += count;
  return count;
}

void tml_sensor_stop() {
  if (started) {
    Camera.end();
    started = false;
  }
}

/* No picture waits for anybody. */
uint32_t tml_sensor_overruns() { return 0; }
