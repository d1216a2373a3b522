// Commands on stdin that drive a camera driver over a fake of its library:
//   start HZ CHANNELS | shoot VALUE (a picture of bytes that count up from it) | read CAPACITY
//   | stop | absent
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tml_sensor.h"

extern bool present;
void shoot(int value);

int main() {
  char command[16];
  int a, b;
  static int16_t samples[20000];
  while (scanf("%15s", command) == 1) {
    if (!strcmp(command, "start") && scanf("%d %d", &a, &b) == 2) {
      printf("%d\n", tml_sensor_start((uint32_t)a, (uint32_t)b));
    } else if (!strcmp(command, "shoot") && scanf("%d", &a) == 1) {
      shoot(a);
    } else if (!strcmp(command, "read") && scanf("%d", &a) == 1) {
      const uint32_t count = tml_sensor_read(samples, (uint32_t)a);
      const uint16_t first = (uint16_t)samples[0], last = (uint16_t)samples[count ? count - 1 : 0];
      printf("%u: %04x %04x\n", count, count ? first : 0, count ? last : 0);
    } else if (!strcmp(command, "stop")) {
      tml_sensor_stop();
    } else if (!strcmp(command, "absent")) {
      present = false;
    }
  }
  return 0;
}
