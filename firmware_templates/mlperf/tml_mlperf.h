/* tml_mlperf.h: the device's end of MLPerf Tiny, as the benchmark's open runner speaks it.
 *
 * Every reply is lines that end in CR LF, the last of them "m-ready", one per command.
 */
#ifndef TML_MLPERF_H
#define TML_MLPERF_H

#define TML_MLPERF_COMMAND_BYTES 80 /* without the '%' that ends it */

/* What is said at boot, and never again: the runner takes a stray "m-ready" for an answer. */
void tml_mlperf_banner(void);

/* Answer a command, which is cut into its words. */
void tml_mlperf_command(char *text);

/* Answer one that had more characters than TML_MLPERF_COMMAND_BYTES. */
void tml_mlperf_too_long(void);

#endif
