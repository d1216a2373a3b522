/* Source: Spresense SDK 3.4.4 (NuttX), the configuration of its release for the Arduino core. */
/* Stand-in for the SDK's configuration: what the templates look at. */
#ifndef STAND_IN_NUTTX_CONFIG_H
#define STAND_IN_NUTTX_CONFIG_H

#define CONFIG_STACK_COLORATION 1
#define CONFIG_UART1_RXBUFSIZE 1024

#endif
