/* Stand-in for Arduino's library of the BMI270 and the BMM150. */
#ifdef STAND_IN_IMU_H
#error "a firmware has one library of accelerometers: each defines IMU"
#endif
#define STAND_IN_IMU_H

class BMI270_BMM150Class {
 public:
  int begin();
  void end();
  int readAcceleration(float &x, float &y, float &z); /* in g */
  int readGyroscope(float &x, float &y, float &z); /* in degrees per second */
};

extern BMI270_BMM150Class IMU_BMI270_BMM150;
#define IMU IMU_BMI270_BMM150
