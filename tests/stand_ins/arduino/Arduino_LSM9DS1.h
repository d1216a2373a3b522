/* Source: Arduino_LSM9DS1 1.1.1, src/LSM9DS1.h. */
/* Stand-in for Arduino's library of the LSM9DS1. */
#ifdef STAND_IN_IMU_H
#error "a firmware has one library of accelerometers: each defines IMU"
#endif
#define STAND_IN_IMU_H

class LSM9DS1Class {
 public:
  int begin();
  void end();
  int readAcceleration(float &x, float &y, float &z); /* in g */
  int readGyroscope(float &x, float &y, float &z); /* in degrees per second */
};

extern LSM9DS1Class IMU_LSM9DS1;
#define IMU IMU_LSM9DS1
