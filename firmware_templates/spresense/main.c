#include "tml_app.h"

/* What Arduino calls, with C linkage on this core. */
void setup(void);
void loop(void);

void setup(void) { tml_app_start(); }

void loop(void) { tml_app_turn(); }
