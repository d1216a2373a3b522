/* recognizer.h: from a stream of scores to events, one per spoken word.
 *
 * Each inference gives one int8 score per label. The recognizer averages the newest `average`
 * score vectors and makes an event when a label
 *   - has the highest average (of equals the lowest index), and is not a background label,
 *   - reaches `threshold`,
 *   - is armed: since its last event its average fell below `release`, or another event came, or
 *     the config says that labels repeat,
 *   - and `refractory` samples have passed since the last event of any label.
 * So a word that is still heard makes no second event however long it lasts, a score that flickers
 * around the threshold makes one event, and two different words may follow each other as closely
 * as `refractory` allows. Before `average` inferences have come there are no events.
 *
 * Integers only: the same scores give the same events on a device and on the host. Time is the
 * index of a sample, never a clock.
 */
#ifndef TML_RECOGNIZER_H
#define TML_RECOGNIZER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_RECOGNIZER_LABELS 32  /* most labels */
#define TML_RECOGNIZER_AVERAGE 32 /* most score vectors averaged */

/* Scores are what the model puts out, int8; so are threshold and release. */
typedef struct {
  uint8_t labels;      /* scores per inference, 1..TML_RECOGNIZER_LABELS */
  uint8_t average;     /* score vectors averaged, 1..TML_RECOGNIZER_AVERAGE */
  int8_t threshold;    /* average that an event needs */
  int8_t release;      /* average below which a label is armed again; at most threshold */
  uint32_t refractory; /* samples between two events */
  uint32_t background; /* bit i: label i never makes an event */
  uint8_t repeats;     /* 1: a label is armed at once, as every inference sees something new */
} tml_recognizer_config_t;

typedef struct {
  uint64_t sample; /* index given with the scores that completed the event */
  uint8_t label;
  int8_t score; /* the label's average, rounded down */
} tml_event_t;

/* Belongs to recognizer.c. */
typedef struct {
  tml_recognizer_config_t config;
  int8_t scores[TML_RECOGNIZER_AVERAGE][TML_RECOGNIZER_LABELS];
  int16_t sums[TML_RECOGNIZER_LABELS];
  uint8_t next;      /* row of `scores` that is written next */
  uint8_t filled;    /* rows that hold scores */
  int8_t held;       /* label of the last event while it is not armed, else -1 */
  uint8_t had_event; /* whether `last_event` counts */
  uint64_t last_event;
} tml_recognizer_t;

/* Start a stream. Returns 0, or -1 when a field of `config` is out of its range. */
int tml_recognizer_init(tml_recognizer_t *recognizer, const tml_recognizer_config_t *config);

/* Take the scores of one inference, config.labels of them, and the index of the sample after the
 * last one the inference saw (it never decreases). Returns 1 and fills *event when a word was
 * recognised, else 0. */
int tml_recognizer_push(tml_recognizer_t *recognizer, const int8_t *scores, uint64_t sample,
                        tml_event_t *event);

#ifdef __cplusplus
}
#endif

#endif
