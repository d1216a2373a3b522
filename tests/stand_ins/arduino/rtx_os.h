/* Source: ArduinoCore-mbed 4.5.0, cores/arduino/mbed: rtx_os.h, cmsis_os2.h. */
/* Stand-in for the header of the RTOS in Arduino's mbed core. */
#ifndef STAND_IN_RTX_OS_H
#define STAND_IN_RTX_OS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *osThreadId_t;

typedef struct {
  void *stack_mem;
  uint32_t stack_size;
} osRtxThread_t;

osThreadId_t osThreadGetId(void);

#ifdef __cplusplus
}
#endif

#endif
