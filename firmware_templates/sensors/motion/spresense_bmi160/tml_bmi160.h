/* tml_bmi160.h: registers of Bosch's accelerometer and gyroscope BMI160 (its data sheet, BST-
 * BMI160-DS000, section 2.11), as far as they are used. */
#ifndef TML_BMI160_H
#define TML_BMI160_H

enum {
  TML_BMI160_CHIP_ID = 0x00,
  TML_BMI160_FIFO_LENGTH = 0x22, /* bytes, 11 bits */
  TML_BMI160_FIFO_DATA = 0x24,
  TML_BMI160_ACC_CONF = 0x40,
  TML_BMI160_ACC_RANGE = 0x41,
  TML_BMI160_GYR_CONF = 0x42,
  TML_BMI160_GYR_RANGE = 0x43,
  TML_BMI160_FIFO_CONFIG_1 = 0x47,
  TML_BMI160_CMD = 0x7E
};

#define TML_BMI160_ID 0xD1
#define TML_BMI160_ACC_NORMAL 0x11    /* commands: accelerometer on, */
#define TML_BMI160_GYR_NORMAL 0x15    /* gyroscope on, */
#define TML_BMI160_FIFO_FLUSH 0xB0    /* empty the FIFO, */
#define TML_BMI160_RESET 0xB6         /* start anew */
#define TML_BMI160_NORMAL_FILTER 0x20 /* in ACC_CONF and GYR_CONF, with the code of the rate */
#define TML_BMI160_RANGE_8_G 0x08
#define TML_BMI160_RANGE_2000_DPS 0x00
#define TML_BMI160_FIFO_ACC 0x40 /* frames without headers: of the accelerometer, */
#define TML_BMI160_FIFO_GYR 0x80 /* of the gyroscope; of both, the gyroscope's part comes first */
#define TML_BMI160_FIFO_BYTES 1024

#endif
