/* Source: ArduinoCore-mbed 4.5.0, libraries/PDM/src/PDM.h. */
/* Stand-in for the microphone library of Arduino's mbed core. */
#ifndef STAND_IN_PDM_H
#define STAND_IN_PDM_H

#include <Arduino.h>

class PDMClass {
 public:
  int begin(int channels, int rate_hz);
  void end();
  int available();
  int read(void *buffer, size_t bytes);
  void onReceive(void (*callback)(void));
  void setGain(int gain);
  void setBufferSize(int bytes);
};

extern PDMClass PDM;

#endif
