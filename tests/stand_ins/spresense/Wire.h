/* Source: Spresense Arduino core 3.4.4, libraries/Wire/Wire.h. */
#ifndef STAND_IN_WIRE_H
#define STAND_IN_WIRE_H

#include <stddef.h>
#include <stdint.h>

class TwoWire {
 public:
  void begin();
  void setClock(uint32_t hz);
  void beginTransmission(uint8_t address);
  uint8_t endTransmission(bool stop = true);
  uint8_t requestFrom(int address, int quantity);
  size_t write(uint8_t value);
  int read();
};

extern TwoWire Wire;

#endif
