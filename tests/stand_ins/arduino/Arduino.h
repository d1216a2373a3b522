/* Source: ArduinoCore-mbed 4.5.0, cores/arduino: Arduino.h, wiring.cpp, USB/PluggableUSBSerial.h. */
/* Stand-in for the header of Arduino's mbed core: declarations, as far as the templates use them.
 * Like the real one it brings the processor's registers and defines abs() as a macro. */
#ifndef STAND_IN_ARDUINO_H
#define STAND_IN_ARDUINO_H

#include <stddef.h>
#include <stdint.h>

#define abs(x) ((x) > 0 ? (x) : -(x))

typedef struct {
  volatile uint32_t DEMCR;
} stand_in_core_debug_t;

typedef struct {
  volatile uint32_t CTRL, CYCCNT;
} stand_in_dwt_t;

#define CoreDebug ((stand_in_core_debug_t *)0xE000EDF0u)
#define CoreDebug_DEMCR_TRCENA_Msk (1ul << 24)
#define DWT ((stand_in_dwt_t *)0xE0001000u)
#define DWT_CTRL_CYCCNTENA_Msk (1ul << 0)

#ifdef __cplusplus
extern "C" {
#endif

extern uint32_t SystemCoreClock;
void NVIC_SystemReset(void);
unsigned long millis(void);
unsigned long micros(void);
void delay(unsigned long ms);

#ifdef __cplusplus
}

class StandInSerial {
 public:
  int read();
  size_t write(const uint8_t *data, size_t bytes);
  operator bool();
};

extern StandInSerial Serial;

void _ontouch1200bps_();
void setup();
void loop();
#endif

#endif
