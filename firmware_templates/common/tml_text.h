/* tml_text.h: text on the serial line, beside the frames: commands that a person or the runner of a
 * benchmark types. What they are is up to the firmware; most have none. */
#ifndef TML_TEXT_H
#define TML_TEXT_H

#include <stdint.h>

/* Say what is said once, after the model has started. */
void tml_text_start(void);

/* Take a byte of the line: all of them in order, those of frames and their zeros too. */
void tml_text_byte(uint8_t byte);

#endif
