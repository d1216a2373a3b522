/* Source: gcc-arm-none-eabi 7.2.1 (7-2017q4), arm_acle.h. */
/* What our sources see of arm_acle.h under GCC 7.2.1: none of the DSP intrinsics, which GCC has
 * from version 10 on. */
