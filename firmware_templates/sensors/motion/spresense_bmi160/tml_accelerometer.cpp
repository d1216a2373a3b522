/* tml_accelerometer.cpp: a BMI160 on an add-on board, at the I2C0 pins of the Spresense. Three channels
 * are its accelerometer's, six its gyroscope's too.
 *
 * The sensor keeps up to 170 samples of three channels, or 85 of six, in a FIFO of its own, so nothing
 * here runs in an interrupt: samples are fetched when somebody asks for them. */
#include "tml_bmi160.h"
#include "tml_port.h"
#include "tml_sensor.h"
#include "tml_spresense_wire.h"

namespace {

const uint32_t kAxes = 3;
const uint32_t kMostBytes = 32; /* that the I2C library takes at a time */
const uint32_t kClockHz = 400000;
const uint32_t kSettleUs = 50000;
const uint32_t kGyroscopeUs = 100000; /* until it turns evenly: 80 ms and some */

uint8_t address;
uint32_t rate; /* samples a second, 0 while stopped */
uint32_t axes; /* 3 or 6 */
uint64_t start_us, taken, lost;

bool Write(uint8_t reg, uint8_t value) {
  Wire.beginTransmission(address);
  Wire.write(reg);
  Wire.write(value);
  return Wire.endTransmission() == 0;
}

bool Read(uint8_t reg, uint8_t *data, uint32_t bytes) {
  Wire.beginTransmission(address);
  Wire.write(reg);
  if (Wire.endTransmission(false) != 0 ||
      Wire.requestFrom(static_cast<int>(address), static_cast<int>(bytes)) != bytes) {
    return false;
  }
  for (uint32_t i = 0; i < bytes; i++) {
    data[i] = static_cast<uint8_t>(Wire.read());
  }
  return true;
}

bool Find() {
  for (address = 0x68; address <= 0x69; address++) { /* as its pin SDO says */
    uint8_t id = 0;
    if (Read(TML_BMI160_CHIP_ID, &id, 1) && id == TML_BMI160_ID) {
      return true;
    }
  }
  return false;
}

/* The code of a rate in ACC_CONF: 8 is 100 Hz, one more doubles it; 0 where there is none. */
uint8_t RateCode(uint32_t rate_hz) {
  for (uint8_t code = 6; code <= 11; code++) {
    if (rate_hz << 8 == 100u << code) {
      return code;
    }
  }
  return 0;
}

bool StartGyroscope(uint8_t code) {
  if (!Write(TML_BMI160_CMD, TML_BMI160_GYR_NORMAL)) {
    return false;
  }
  usleep(kGyroscopeUs);
  return Write(TML_BMI160_GYR_CONF, TML_BMI160_NORMAL_FILTER | code) &&
         Write(TML_BMI160_GYR_RANGE, TML_BMI160_RANGE_2000_DPS);
}

bool Configure(uint8_t code) {
  if (!Write(TML_BMI160_CMD, TML_BMI160_RESET)) {
    return false;
  }
  usleep(kSettleUs);
  if (!Write(TML_BMI160_CMD, TML_BMI160_ACC_NORMAL)) {
    return false;
  }
  usleep(kSettleUs);
  if (axes > kAxes && !StartGyroscope(code)) {
    return false;
  }
  const uint8_t frames = TML_BMI160_FIFO_ACC | (axes > kAxes ? TML_BMI160_FIFO_GYR : 0);
  return Write(TML_BMI160_ACC_CONF, TML_BMI160_NORMAL_FILTER | code) &&
         Write(TML_BMI160_ACC_RANGE, TML_BMI160_RANGE_8_G) &&
         Write(TML_BMI160_FIFO_CONFIG_1, frames) &&
         Write(TML_BMI160_CMD, TML_BMI160_FIFO_FLUSH);
}

/* A full FIFO overwrites its oldest samples: how many, only the clock knows. */
void CountLost(uint32_t waiting) {
  const uint64_t made = (tml_port_time_us() - start_us) * rate / 1000000u;
  if (made > taken + lost + waiting) {
    lost = made - taken - waiting;
  }
}

int16_t Steps(const uint8_t *bytes) { return static_cast<int16_t>(bytes[0] | bytes[1] << 8); }

/* 4096 steps are 1 g. */
int16_t MilliG(const uint8_t *bytes) { return static_cast<int16_t>(Steps(bytes) * 125 / 512); }

/* 16.4 steps are a degree per second. */
int16_t Tenths(const uint8_t *bytes) { return static_cast<int16_t>(Steps(bytes) * 25 / 41); }

void Unpack(const uint8_t *frame, int16_t *sample) {
  const uint8_t *acceleration = frame + 2 * (axes - kAxes);
  for (uint32_t i = 0; i < kAxes; i++) {
    sample[i] = MilliG(acceleration + 2 * i);
  }
  for (uint32_t i = kAxes; i < axes; i++) {
    sample[i] = Tenths(frame + 2 * (i - kAxes));
  }
}

}  // namespace

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  const uint8_t code = RateCode(rate_hz);
  if (code == 0 || (channels != kAxes && channels != 2 * kAxes)) {
    return TML_SENSOR_SETTINGS;
  }
  axes = channels;
  Wire.begin();
  Wire.setClock(kClockHz);
  if (!Find() || !Configure(code)) {
    return TML_SENSOR_MISSING;
  }
  rate = rate_hz;
  taken = lost = 0;
  start_us = tml_port_time_us();
  return 0;
}

uint32_t tml_sensor_read(int16_t *samples, uint32_t capacity) {
  uint8_t bytes[kMostBytes];
  if (rate == 0 || !Read(TML_BMI160_FIFO_LENGTH, bytes, 2)) {
    return 0;
  }
  const uint32_t filled = bytes[0] | (bytes[1] & 0x07u) << 8;
  const uint32_t frame_bytes = 2 * axes;
  uint32_t count = filled / frame_bytes;
  if (filled + frame_bytes > TML_BMI160_FIFO_BYTES) {
    CountLost(count);
  }
  count = count < capacity ? count : capacity;
  count = count < kMostBytes / frame_bytes ? count : kMostBytes / frame_bytes;
  if (count == 0 || !Read(TML_BMI160_FIFO_DATA, bytes, count * frame_bytes)) {
    return 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    Unpack(bytes + frame_bytes * i, samples + axes * i);
  }
  taken += count;
  return count;
}

void tml_sensor_stop(void) {
  if (rate != 0) {
    Write(TML_BMI160_CMD, TML_BMI160_RESET);
    rate = 0;
  }
}

uint32_t tml_sensor_overruns(void) { return static_cast<uint32_t>(lost); }
