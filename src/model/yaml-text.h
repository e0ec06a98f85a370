/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is checked about the bytes of a YAML text before any parser sees them: size, encoding, and characters
 * that people and programs read differently.
 *
 * A NEL, a lone carriage return or a line separator ends a comment for YAML, while editors show it inside the
 * line; a character that turns the direction of writing shows a line in another order than it has. Either
 * could hide a setting from a reviewer, so they are refused everywhere, comments included. What is left has
 * lines that end in LF or CR LF, for libyaml and for Source alike.
 */

#include "diag/diag.h"

/* False when the text is refused; one diagnostic with the first place that is wrong was added then. */
bool yaml_text_check(const Source *source, size_t max_bytes, DiagList *diags);

/* A name for a character in messages: "U+000A (line feed)". Lives in static or the caller's memory. */
typedef struct CharacterName {
        char text[48];
} CharacterName;
CharacterName yaml_character_name(uint32_t character);
