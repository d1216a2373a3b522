// Sony's camera library, as its Camera.cpp behaves: what it refuses, and who owns a picture.
#include <stdio.h>
#include <stdlib.h>

#include "Camera.h"

CameraClass theCamera;
bool present = true;
static camera_cb_t callback;

CamImage::CamImage() : bytes(NULL) {}
CamImage::CamImage(const CamImage &obj) : bytes(NULL), shot(obj.shot) {}
CamImage &CamImage::operator=(const CamImage &) { abort(); } // no empty image may be copied
CamImage::~CamImage() { free(bytes); }
uint8_t *CamImage::getImgBuff() { return bytes; }
bool CamImage::isAvailable(void) { return shot >= 0; }

CamErr CamImage::clipAndResizeImageByHW(CamImage &img, int x1, int y1, int x2, int y2, int width,
                                        int height) {
  const int cut_width = x2 - x1 + 1, cut_height = y2 - y1 + 1;
  if (x1 < 0 || y1 < 0 || x2 >= 320 || y2 >= 240 || cut_width % width || cut_height % height) {
    return CAM_ERR_INVALID_PARAM;
  }
  printf("cut %d %d %dx%d\n", x1, y1, cut_width, cut_height);
  const size_t bytes_needed = 2u * static_cast<size_t>(width * height);
  free(img.bytes);
  img.bytes = static_cast<uint8_t *>(malloc(bytes_needed));
  for (size_t i = 0; i < bytes_needed; i++) {
    img.bytes[i] = static_cast<uint8_t>(static_cast<size_t>(shot) + i);
  }
  return CAM_ERR_SUCCESS;
}

CamErr CameraClass::begin(int buffers, CAM_VIDEO_FPS fps, int width, int height, CAM_IMAGE_PIX_FMT,
                          int) {
  printf("begin %d %d %dx%d\n", buffers, fps, width, height);
  return present ? CAM_ERR_SUCCESS : CAM_ERR_NO_DEVICE;
}

CamErr CameraClass::startStreaming(bool enable, camera_cb_t cb) {
  callback = enable ? cb : NULL;
  return CAM_ERR_SUCCESS;
}

void CameraClass::end() { printf("end\n"); }

void shoot(int value) {
  if (callback != NULL) {
    CamImage image;
    image.shot = value;
    callback(image);
  }
}
