/* tml_run.h: inferences on inputs that are kept, because an inference may overwrite the model's.
 *
 * Whoever wants an inference writes the kept inputs once; every run copies them afresh.
 */
#ifndef TML_RUN_H
#define TML_RUN_H

#include <stdint.h>

#include "model.h"

/* Start the model. Its result is that of every later run where it is negative. */
int tml_run_init(void);

/* What tml_run_init returned. */
int tml_run_status(void);

/* The kept bytes of an input, aligned to 16 bytes where input 0 is concerned. */
uint8_t *tml_run_input(int index);

/* One inference; returns 0 or a negative reason of model.h. *counter is what invoke alone took. */
int tml_run(uint64_t *counter);

/* Have the model forget earlier inferences; 0 or a negative reason of model.h. */
int tml_run_reset(void);

/* The same as tml_run, with `hook` called after every step. */
int tml_run_hooked(tml_step_hook_t hook, void *context);

/* Inferences since start. */
uint32_t tml_run_count(void);

#endif
