/* Source: Arduino_BMI270_BMM150 1.2.3, src/BoschSensorClass.h and BMI270.cpp. It also declares end(),
 * which it defines nowhere. */
/* Stand-in for Arduino's library of the BMI270 and the BMM150. */
#ifdef STAND_IN_IMU_H
#error "a firmware has one library of accelerometers: each defines IMU"
#endif
#define STAND_IN_IMU_H

class BMI270_BMM150Class {
 public:
  int begin();
  int readAcceleration(float &x, float &y, float &z); /* in g */
  int readGyroscope(float &x, float &y, float &z); /* in degrees per second */
};

extern BMI270_BMM150Class IMU_BMI270_BMM150;
#define IMU IMU_BMI270_BMM150
