#include "tml_app.h"

int main(void) {
  tml_app_start();
  for (;;) {
    tml_app_turn();
  }
}
