/* Source: Spresense Arduino core 3.4.4, libraries/Camera/Camera.h. */
/* Stand-in for Sony's camera library: what the camera driver uses, in the same shape. */
#ifndef STAND_IN_CAMERA_H
#define STAND_IN_CAMERA_H

#include <stddef.h>
#include <stdint.h>

#define CAM_IMGSIZE_QVGA_H (320)
#define CAM_IMGSIZE_QVGA_V (240)

enum CAM_IMAGE_PIX_FMT { CAM_IMAGE_PIX_FMT_YUV422 };
enum CamErr { CAM_ERR_SUCCESS = 0, CAM_ERR_NO_DEVICE = -1, CAM_ERR_INVALID_PARAM = -7 };
enum CAM_VIDEO_FPS {
  CAM_VIDEO_FPS_5 = 1,
  CAM_VIDEO_FPS_6 = 2,
  CAM_VIDEO_FPS_15 = 4,
  CAM_VIDEO_FPS_30 = 5
};

class CamImage {
 public:
  CamImage();
  CamImage(const CamImage &obj);
  CamImage &operator=(const CamImage &obj);
  ~CamImage();
  uint8_t *getImgBuff();
  bool isAvailable(void);
  CamErr clipAndResizeImageByHW(CamImage &img, int lefttop_x, int lefttop_y, int rightbottom_x,
                                int rightbottom_y, int width, int height);
  uint8_t *bytes; /* these are the fake's: the real one's are private */
  int shot = -1;
};

typedef void (*camera_cb_t)(CamImage img);

class CameraClass {
 public:
  CamErr begin(int buff_num = 1, CAM_VIDEO_FPS fps = CAM_VIDEO_FPS_30,
               int video_width = CAM_IMGSIZE_QVGA_H, int video_height = CAM_IMGSIZE_QVGA_V,
               CAM_IMAGE_PIX_FMT video_fmt = CAM_IMAGE_PIX_FMT_YUV422, int jpgbufsize_divisor = 7);
  CamErr startStreaming(bool enable, camera_cb_t cb = NULL);
  void end();
};

extern CameraClass theCamera;

#endif
