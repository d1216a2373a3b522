#include <Arduino.h>

#include "tml_app.h"

void setup() { tml_app_start(); }

void loop() { tml_app_turn(); }
