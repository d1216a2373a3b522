#include "FrontEnd.h"

FrontEnd *FrontEnd::getInstance() {
  static FrontEnd instance;
  return &instance;
}

void *StandInMemoryHandle::getPa() const { return nullptr; }
err_t FrontEnd::begin(void (*)(const ErrorAttentionParam *)) { return 0; }
err_t FrontEnd::activate() { return 0; }
err_t FrontEnd::init(uint8_t, uint8_t, uint32_t, uint8_t, AsDataDest) { return 0; }
err_t FrontEnd::start() { return 0; }
err_t FrontEnd::stop() { return 0; }
err_t FrontEnd::setMicGain(int16_t) { return 0; }
err_t FrontEnd::setCapturingClkMode(uint8_t) { return 0; }
