/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/yaml-text.h"

#include <stdio.h>

#include "diag/utf8.h"

CharacterName yaml_character_name(uint32_t character) {
        static const struct {
                uint32_t character;
                const char *name;
        } rows[] = {
                { 0x00, "NUL" },
                { 0x09, "tab" },
                { 0x0A, "line feed" },
                { 0x0D, "carriage return" },
                { 0x1B, "escape" },
                { 0x7F, "delete" },
                { 0x85, "next line" },
                { 0x2028, "line separator" },
                { 0x2029, "paragraph separator" },
                { 0x202E, "right-to-left override" },
                { 0xFEFF, "byte order mark" },
        };

        CharacterName name;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].character == character) {
                        (void) snprintf(name.text, sizeof(name.text), "U+%04X (%s)",
                                        (unsigned) character, rows[i].name);
                        return name;
                }
        (void) snprintf(name.text, sizeof(name.text), "U+%04X", (unsigned) character);
        return name;
}

static bool refuse_size(const Source *source, size_t max_bytes, DiagList *diags) {
        Diag *diag = diag_add(
                        diags, DIAG_YAML_TOO_LARGE, source_span_at_offset(source, max_bytes),
                        "the text has %zu bytes, the limit is %zu", source_length(source),
                        max_bytes);
        diag_add_label(diags, diag, diag->span, "the limit is reached here");
        diag_set_help(diags, diag,
                      "split the profile and include the parts, or shorten its comments");
        return false;
}

static bool refuse_byte(const Source *source, size_t offset, DiagList *diags) {
        unsigned byte = (unsigned char) source_bytes(source)[offset];
        Diag *diag = diag_add(
                        diags, DIAG_YAML_ENCODING, source_span_at_offset(source, offset),
                        "the byte 0x%02x is not UTF-8", byte);
        if (offset == 0 && byte >= 0xFE)
                diag_add_note(diags, diag, "a text in UTF-16 starts like this");
        diag_set_help(diags, diag, "save the file as UTF-8 without a byte order mark");
        return false;
}

static bool refuse_character(
                const Source *source, size_t offset, uint32_t character, DiagList *diags) {
        Span span = source_span_at_offset(source, offset);
        CharacterName name = yaml_character_name(character);
        if (offset == 0 && character == 0xFEFF) {
                Diag *diag = diag_add(
                                diags, DIAG_YAML_ENCODING, span,
                                "the text starts with a byte order mark");
                diag_set_help(diags, diag, "save the file as UTF-8 without a byte order mark");
                return false;
        }

        Diag *diag = diag_add(
                        diags, DIAG_YAML_CONTROL_CHARACTER, span,
                        "the text holds the control character %s", name.text);
        if (character == '\r')
                diag_set_help(diags, diag, "end lines with a line feed, or with CR LF");
        else
                diag_set_help(diags, diag,
                              "remove the character; it is not allowed in comments either");
        return false;
}

static bool character_is_allowed(uint32_t character, const char *next, const char *end) {
        if (character == '\t' || character == '\n')
                return true;
        if (character == '\r')
                return next < end && *next == '\n';
        return !utf8_is_hidden(character);
}

bool yaml_text_check(const Source *source, size_t max_bytes, DiagList *diags) {
        const char *bytes = source_bytes(source);
        size_t n = source_length(source);
        if (n > max_bytes)
                return refuse_size(source, max_bytes, diags);

        for (size_t i = 0; i < n;) {
                if (bytes[i] >= ' ' && bytes[i] < 0x7F) { /* nearly all of them */
                        i++;
                        continue;
                }
                uint32_t character;
                size_t step = utf8_decode(bytes + i, n - i, &character);
                if (step == 0)
                        return refuse_byte(source, i, diags);
                if (!character_is_allowed(character, bytes + i + step, bytes + n))
                        return refuse_character(source, i, character, diags);
                i += step;
        }
        return true;
}
