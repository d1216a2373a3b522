/* Source: ArduinoCore-mbed 4.5.0, cores/arduino/mbed: rtos/Thread.h, cmsis_os2.h. */
/* Stand-in for the header of mbed OS in Arduino's core. */
#ifndef STAND_IN_MBED_H
#define STAND_IN_MBED_H

#include <stdint.h>

typedef enum { osOK = 0, osError = -1 } osStatus;
typedef enum { osPriorityNormal = 24, osPriorityAboveNormal = 32 } osPriority;

namespace rtos {

class Thread {
 public:
  Thread(osPriority priority, uint32_t stack_bytes, unsigned char *stack, const char *name);
  osStatus start(void (*task)());
};

}  // namespace rtos

#endif
