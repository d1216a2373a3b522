/* Stand-in for the Arduino core: calls what a sketch defines. */
extern "C" {
void setup(void);
void loop(void);

int spresense_main(int, char **) {
  setup();
  for (;;) {
    loop();
  }
}
}
