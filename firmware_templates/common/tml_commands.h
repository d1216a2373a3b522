/* tml_commands.h: what the device does about each request of the host. */
#ifndef TML_COMMANDS_H
#define TML_COMMANDS_H

#include "tml_line.h"

/* Answer any request: a tml_line_handler_t. */
void tml_command(const tml_request_t *request);

/* Forget the inputs that INPUT brought: another has written into them since. */
void tml_inputs_lost(void);

/* Answer INFO; the payload has its right length. */
void tml_info(const tml_request_t *request);

/* Answer RESET and restart; returns only where the target does not exist. */
void tml_reset_command(const tml_request_t *request);

#endif
