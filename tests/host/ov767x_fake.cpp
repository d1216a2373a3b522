// Arduino's camera library with a camera whose next picture is the one that was shot last.
#include <stdint.h>
#include <stdio.h>

#include "Arduino_OV767X.h"

OV767X Camera;
bool present = true;
static int next_value;

void shoot(int value) { next_value = value; }

int OV767X::begin(int resolution, int format, int fps, int camera_name) {
  printf("begin %d %d %d %d\n", resolution, format, fps, camera_name);
  return present;
}

void OV767X::end() { printf("end\n"); }

void OV767X::readFrame(void *buffer) {
  for (int i = 0; i < 160 * 120; i++) {
    static_cast<uint8_t *>(buffer)[i] = static_cast<uint8_t>(next_value + i);
  }
}
