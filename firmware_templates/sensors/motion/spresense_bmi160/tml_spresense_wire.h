/* tml_spresense_wire.h: what is used of Arduino's I2C; its warnings are not ours. */
#ifndef TML_SPRESENSE_WIRE_H
#define TML_SPRESENSE_WIRE_H

#pragma GCC system_header

#include <Wire.h>
#include <unistd.h>

#endif
