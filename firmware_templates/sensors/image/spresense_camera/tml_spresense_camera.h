/* tml_spresense_camera.h: what is used of Sony's camera library; its warnings are not ours. */
#ifndef TML_SPRESENSE_CAMERA_H
#define TML_SPRESENSE_CAMERA_H

#pragma GCC system_header

#include <Camera.h>

#endif
