/* The Spresense's camera board by Sony's library, whose thread brings the pictures.
 *
 * The image hardware cuts out the middle and makes it small. Of the pictures that come while nobody
 * reads, the newest is kept: a model sees what is, not what was. */
#include <string.h>

#include "tml_config.h"
#include "tml_sensor.h"
#include "tml_spresense_camera.h"

namespace {

const uint32_t kWidth = TML_FEATURE_SOURCE_WIDTH, kHeight = TML_FEATURE_SOURCE_HEIGHT;
const uint32_t kSamples = kWidth * kHeight; /* YUV 4:2:2 has two bytes a pixel */
const uint32_t kMostWidth = CAM_IMGSIZE_QVGA_H, kMostHeight = CAM_IMGSIZE_QVGA_V;

/* The hardware halves. */
constexpr uint32_t Halvings(uint32_t factor) {
  return kWidth * factor * 2 <= kMostWidth && kHeight * factor * 2 <= kMostHeight
             ? Halvings(factor * 2)
             : factor;
}

const int kCutWidth = kWidth * Halvings(1), kCutHeight = kHeight * Halvings(1);
const int kLeft = (CAM_IMGSIZE_QVGA_H - kCutWidth) / 2;
const int kTop = (CAM_IMGSIZE_QVGA_V - kCutHeight) / 2;
static_assert(kWidth <= kMostWidth && kHeight <= kMostHeight, "a picture is a part of QVGA");

enum State : uint32_t { kEmpty, kWriting, kFull, kReading };

CamImage picture;
uint32_t state;
uint32_t taken;  /* samples of the picture that were read */
uint32_t every;  /* of so many pictures of the camera's one is wanted */
uint32_t passed; /* since the last one that was */
bool started;

/* Go from a state to another; false where it is not the state. */
bool Pass(uint32_t from, State to) {
  return __atomic_compare_exchange_n(&state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void Come(State to) { __atomic_store_n(&state, to, __ATOMIC_RELEASE); }

/* Called by the library's thread with every picture. */
void Keep(CamImage image) {
  if (!image.isAvailable() || ++passed < every) {
    return;
  }
  passed = 0;
  if (!Pass(kEmpty, kWriting) && !Pass(kFull, kWriting)) {
    return;
  }
  const CamErr error =
      image.clipAndResizeImageByHW(picture, kLeft, kTop, kLeft + kCutWidth - 1,
                                   kTop + kCutHeight - 1, kWidth, kHeight);
  Come(error == CAM_ERR_SUCCESS ? kFull : kEmpty);
}

struct CameraRate {
  uint32_t pictures; /* a second */
  CAM_VIDEO_FPS code;
};

const CameraRate kRates[] = {
    {5, CAM_VIDEO_FPS_5}, {6, CAM_VIDEO_FPS_6}, {15, CAM_VIDEO_FPS_15}, {30, CAM_VIDEO_FPS_30}};

/* The lowest rate of the camera that has `wanted` pictures a second in it; NULL where none has. */
const CameraRate *Rate(uint32_t wanted) {
  for (const CameraRate &rate : kRates) {
    if (wanted > 0 && rate.pictures % wanted == 0) {
      return &rate;
    }
  }
  return NULL;
}

}  // namespace

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  const CameraRate *rate = Rate(rate_hz / kSamples);
  if (channels != 1 || rate_hz % kSamples != 0 || rate == NULL) {
    return TML_SENSOR_SETTINGS;
  }
  every = rate->pictures / (rate_hz / kSamples);
  passed = 0;
  if (theCamera.begin(1, rate->code, CAM_IMGSIZE_QVGA_H, CAM_IMGSIZE_QVGA_V, CAM_IMAGE_PIX_FMT_YUV422) !=
      CAM_ERR_SUCCESS) {
    return TML_SENSOR_MISSING;
  }
  taken = 0;
  Come(kEmpty);
  if (theCamera.startStreaming(true, Keep) != CAM_ERR_SUCCESS) {
    theCamera.end();
    return TML_SENSOR_MISSING;
  }
  started = true;
  return 0;
}

uint32_t tml_sensor_read(int16_t *samples, uint32_t capacity) {
  if (!started || (taken == 0 && !Pass(kFull, kReading))) {
    return 0;
  }
  const uint32_t left = kSamples - taken;
  const uint32_t count = left < capacity ? left : capacity;
  memcpy(samples, picture.getImgBuff() + 2 * taken, 2 * count);
  taken += count;
  if (taken == kSamples) {
    taken = 0;
    Come(kEmpty);
  }
  return count;
}

void tml_sensor_stop(void) {
  if (started) {
    theCamera.startStreaming(false, NULL);
    theCamera.end();
    started = false;
  }
}

/* A picture that gives way to a newer one is not missed. */
uint32_t tml_sensor_overruns(void) { return 0; }
