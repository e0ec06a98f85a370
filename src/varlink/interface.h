/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The descriptions of the interfaces, as the program was built with them: the bytes of the .varlink files beside
 * this header, compiled in by src/gen/embed-text.py (interface.c of the build).
 */

extern const char varlink_interface_twprofile[];
extern const char varlink_interface_service[];
