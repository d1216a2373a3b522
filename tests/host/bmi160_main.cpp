// A BMI160 behind a stand-in for Arduino's I2C, and commands on stdin that drive the driver:
//   start HZ CHANNELS | put X Y Z (steps) | turn X Y Z (steps of what the next put has) | ms N (time passes) | read CAPACITY | absent | overruns
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "Wire.h"
#include "tml_port.h"
#include "tml_sensor.h"

TwoWire Wire;
static uint8_t registers[128], fifo[1024], out[32];
static uint32_t filled, out_at;
static uint8_t selected, written;
static bool present = true;
static uint64_t now_us;

extern "C" uint64_t tml_port_time_us(void) { return now_us; }
void TwoWire::begin() {}
void TwoWire::setClock(uint32_t) {}
void TwoWire::beginTransmission(uint8_t address) { selected = address, written = 0; }

size_t TwoWire::write(uint8_t value) {
  static uint8_t at;
  if (written++ == 0) {
    at = value;
    registers[0x7F] = at;
  } else {
    registers[at] = value;
    if (at == 0x7E && value == 0xB0) {
      filled = 0;
    }
  }
  return 1;
}

uint8_t TwoWire::endTransmission(bool) { return present && selected == 0x69 ? 0 : 2; }

uint8_t TwoWire::requestFrom(int, int quantity) {
  const uint8_t at = registers[0x7F];
  out_at = 0;
  for (int i = 0; i < quantity; i++) {
    out[i] = at == 0 ? 0xD1 : at == 0x22 ? (uint8_t)(filled >> 8 * i) : fifo[i];
  }
  if (at == 0x24) {
    filled -= (uint32_t)quantity;
    memmove(fifo, fifo + quantity, filled);
  }
  return (uint8_t)quantity;
}

int TwoWire::read() { return out[out_at++]; }

static uint32_t channels;
static int16_t turned[3];

static void put(const int16_t *steps) {
  const uint32_t bytes = 2 * channels;
  if (filled + bytes > sizeof fifo) {
    memmove(fifo, fifo + bytes, filled -= bytes);
  }
  memcpy(fifo + filled, turned, bytes - 6);
  memcpy(fifo + filled + bytes - 6, steps, 6);
  filled += bytes;
}

int main() {
  char command[16];
  int a, b, c;
  while (scanf("%15s", command) == 1) {
    if (!strcmp(command, "start") && scanf("%d %d", &a, &b) == 2) {
      const int status = tml_sensor_start((uint32_t)a, (uint32_t)b);
      channels = (uint32_t)b;
      printf("%d %02x %02x %02x", status, registers[0x40], registers[0x41], registers[0x47]);
      printf(b == 6 ? " %02x %02x\n" : "\n", registers[0x42], registers[0x43]);
    } else if (!strcmp(command, "put") && scanf("%d %d %d", &a, &b, &c) == 3) {
      const int16_t steps[3] = {(int16_t)a, (int16_t)b, (int16_t)c};
      put(steps);
    } else if (!strcmp(command, "turn") && scanf("%d %d %d", &a, &b, &c) == 3) {
      turned[0] = (int16_t)a, turned[1] = (int16_t)b, turned[2] = (int16_t)c;
    } else if (!strcmp(command, "ms") && scanf("%d", &a) == 1) {
      now_us += 1000u * (uint32_t)a;
    } else if (!strcmp(command, "read") && scanf("%d", &a) == 1) {
      int16_t samples[6 * 64];
      const uint32_t count = tml_sensor_read(samples, (uint32_t)a);
      printf("%u:", count);
      for (uint32_t i = 0; i < channels * count; i++) {
        printf(" %d", samples[i]);
      }
      printf("\n");
    } else if (!strcmp(command, "absent")) {
      present = false;
    } else if (!strcmp(command, "overruns")) {
      printf("%u\n", tml_sensor_overruns());
    }
  }
  return 0;
}
