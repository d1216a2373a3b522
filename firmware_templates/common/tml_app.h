/* tml_app.h: the application. A board calls start once and turn forever. */
#ifndef TML_APP_H
#define TML_APP_H

#ifdef __cplusplus
extern "C" {
#endif

void tml_app_start(void);

/* Answer what has come, do a bit of the stream; sleep when there was nothing to do. */
void tml_app_turn(void);

#ifdef __cplusplus
}
#endif

#endif
