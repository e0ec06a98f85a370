/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/utf8.h"

typedef struct CharacterRange {
        uint32_t first, last;
} CharacterRange;

/* Marks that sit on the character before them: the blocks of combining marks, and what stands alone in scripts that
 * are likely in a summary (Unicode 15, general categories Mn and Me). */
static const CharacterRange combining[] = {
        { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD },   { 0x05BF, 0x05BF },
        { 0x05C1, 0x05C2 }, { 0x05C4, 0x05C5 }, { 0x0610, 0x061A },   { 0x064B, 0x065F },
        { 0x0670, 0x0670 }, { 0x06D6, 0x06DC }, { 0x06DF, 0x06E4 },   { 0x0900, 0x0902 },
        { 0x093C, 0x093C }, { 0x0941, 0x0948 }, { 0x094D, 0x094D },   { 0x0E31, 0x0E31 },
        { 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x1AB0, 0x1AFF },   { 0x1DC0, 0x1DFF },
        { 0x200B, 0x200D }, { 0x20D0, 0x20FF }, { 0x302A, 0x302D },   { 0x3099, 0x309A },
        { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xE0100, 0xE01EF },
};

/* East Asian Width W and F, and the emoji that terminals show in two columns. */
static const CharacterRange wide[] = {
        { 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2329, 0x232A },   { 0x23E9, 0x23EC },
        { 0x2614, 0x2615 },   { 0x26A1, 0x26A1 },   { 0x2705, 0x2705 },   { 0x274C, 0x274C },
        { 0x2E80, 0x303E },   { 0x3041, 0x33FF },   { 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },
        { 0xA000, 0xA4CF },   { 0xA960, 0xA97F },   { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },
        { 0xFE10, 0xFE19 },   { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },
        { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
};

static const CharacterRange hidden[] = {
        { 0x0000,
          0x001F }, /* C0, tab and line feed included: the caller knows where they are meant */
        { 0x007F, 0x009F }, /* DEL and C1, with NEL */
        { 0x061C, 0x061C }, /* Arabic letter mark */
        { 0x200E, 0x200F }, /* left-to-right and right-to-left mark */
        { 0x2028, 0x202E }, /* line and paragraph separator, embeddings and overrides */
        { 0x2066, 0x2069 }, /* isolates */
        { 0xFEFF, 0xFEFF }, /* byte order mark */
};

static bool ranges_hold(const CharacterRange *ranges, size_t n, uint32_t character) {
        for (size_t i = 0; i < n && ranges[i].first <= character; i++)
                if (character <= ranges[i].last)
                        return true;
        return false;
}

size_t utf8_decode(const char *bytes, size_t n, uint32_t *ret) {
        const unsigned char *p = (const unsigned char *) bytes;
        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        }

        /* The least value of each length refuses overlong forms. */
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
        if (p[0] < 0xC2 || p[0] > 0xF4 || length > n)
                return 0;

        uint32_t character = p[0] & (0xFFU >> (length + 1));
        for (size_t i = 1; i < length; i++) {
                if ((p[i] & 0xC0) != 0x80)
                        return 0;
                character = character << 6 | (p[i] & 0x3FU);
        }
        if (character < least[length] || character > 0x10FFFF ||
            (character >= 0xD800 && character <= 0xDFFF))
                return 0;

        *ret = character;
        return length;
}

bool utf8_is_valid(const char *bytes, size_t n) {
        uint32_t character;
        for (size_t i = 0, step; i < n; i += step) {
                step = utf8_decode(bytes + i, n - i, &character);
                if (step == 0)
                        return false;
        }
        return true;
}

size_t utf8_count(const char *bytes, size_t n) {
        uint32_t character;
        size_t count = 0;
        for (size_t i = 0; i < n; count++) {
                size_t step = utf8_decode(bytes + i, n - i, &character);
                i += step > 0 ? step : 1;
        }
        return count;
}

unsigned utf8_width(uint32_t character) {
        if (character < 0x300)
                return 1;
        if (ranges_hold(combining, ELEMENTSOF(combining), character))
                return 0;
        return ranges_hold(wide, ELEMENTSOF(wide), character) ? 2 : 1;
}

bool utf8_is_hidden(uint32_t character) {
        return ranges_hold(hidden, ELEMENTSOF(hidden), character);
}
