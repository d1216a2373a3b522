// A BMI160 behind a stand-in for Arduino's I2C, and commands on stdin that drive the driver:
//   start HZ CHANNELS | put X Y Z (steps) | ms N (time passes) | read CAPACITY | absent | overruns
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

static void put(const int16_t *steps) {
  if (filled + 6 > sizeof fifo) {
    memmove(fifo, fifo + 6, filled -= 6);
  }
  memcpy(fifo + filled, steps, 6);
  filled += 6;
}

int main() {
  char command[16];
  int a, b, c;
  while (scanf("%15s", command) == 1) {
    if (!strcmp(command, "start") && scanf("%d %d", &a, &b) == 2) {
      const int status = tml_sensor_start((uint32_t)a, (uint32_t)b);
      printf("%d %02x %02x %02x\n", status, registers[0x40], registers[0x41], registers[0x47]);
    } else if (!strcmp(command, "put") && scanf("%d %d %d", &a, &b, &c) == 3) {
      const int16_t steps[3] = {(int16_t)a, (int16_t)b, (int16_t)c};
      put(steps);
    } else if (!strcmp(command, "ms") && scanf("%d", &a) == 1) {
      now_us += 1000u * (uint32_t)a;
    } else if (!strcmp(command, "read") && scanf("%d", &a) == 1) {
      int16_t samples[3 * 64];
      const uint32_t count = tml_sensor_read(samples, (uint32_t)a);
      printf("%u:", count);
      for (uint32_t i = 0; i < 3 * count; i++) {
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
