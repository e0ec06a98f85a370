/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-when.h"

#include "base/num.h"

/* Longer operators first: the first that fits is taken. */
static const struct {
        const char *text;
        WhenOperator operator;
} operators[] = {
        { "<=", WHEN_KERNEL_LE }, { ">=", WHEN_KERNEL_GE }, { "<", WHEN_KERNEL_LT },
        { ">", WHEN_KERNEL_GT },  { "=", WHEN_KERNEL_EQ },
};

/* One number of a version: at most five digits. The rest behind it, or NULL. */
static const char *read_part(const char *text, uint32_t *ret) {
        char digits[6] = "";
        size_t n = strspn(text, "0123456789");
        if (n == 0 || n >= sizeof(digits))
                return NULL;
        memcpy(digits, text, n);

        uint64_t number;
        if (num_parse_u64(digits, &number) < 0)
                return NULL;
        *ret = (uint32_t) number;
        return text + n;
}

/* "5.10" or "5.10.3", and nothing behind. */
static bool read_version(const char *text, KernelVersion *ret) {
        KernelVersion version = { 0 };
        const char *rest = read_part(text, &version.major);
        if (!rest || *rest != '.')
                return false;
        rest = read_part(rest + 1, &version.minor);
        if (rest && *rest == '.')
                rest = read_part(rest + 1, &version.patch);
        if (!rest || *rest != '\0')
                return false;
        *ret = version;
        return true;
}

static bool read_condition(const char *text, WhenOperator *ret_operator, KernelVersion *ret) {
        for (size_t i = 0; i < ELEMENTSOF(operators); i++) {
                const char *rest = startswith(text, operators[i].text);
                if (!rest)
                        continue;
                *ret_operator = operators[i].operator;
                return read_version(*rest == ' ' ? rest + 1 : rest, ret);
        }
        return false;
}

static void add_bad_condition(ProfileCheck *check, const Span *span, const char *text) {
        Diag *diag = diag_add(check->diags, DIAG_BAD_CONDITION, *span, "%s", text);
        diag_set_help(check->diags, diag, "write for instance 'when: {kernel: \">=5.10\"}'");
}

static void read_when_kernel(ProfileCheck *check, const YamlNode *node, void *target) {
        When *when = target;
        const char *text;
        KernelVersion bare;
        if (node->kind == YAML_KIND_SCALAR && read_version(node->text, &bare)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_CONDITION, node->span,
                                "the version has no operator");
                diag_set_help(check->diags, diag, "write \">=%s\" or \"=%s\"", node->text,
                              node->text);
                return;
        }
        if (!check_read_line(check, node, "'kernel'", &text))
                return;
        if (!read_condition(text, &when->kernel_operator, &when->kernel)) {
                add_bad_condition(
                                check, &node->span,
                                "a condition on the kernel is an operator and a version");
                return;
        }
        when->text = arena_format(check->arena, "kernel %s", text);
        if (!when->text)
                check->no_memory = true;
}

static const ProfileField when_fields[] = {
#define PROFILE_GROUP_WHEN PROFILE_FIELD_ROW
#include "model/profile-fields.def"
};

void when_read(ProfileCheck *check, const YamlNode *node, bool is_setting, When *ret) {
        static const ProfileFields fields = { "a condition", when_fields, ELEMENTSOF(when_fields) };

        ret->span = node->span;
        if (node->kind == YAML_KIND_SCALAR && streq(node->text, "present")) {
                if (!is_setting) {
                        add_bad_condition(
                                        check, &node->span,
                                        "'present' is for settings; a profile as a whole has no key");
                        return;
                }
                ret->present = true;
                ret->text = "present";
                return;
        }
        if (node->kind != YAML_KIND_MAPPING) {
                add_bad_condition(
                                check, &node->span,
                                is_setting ? "a condition is 'present' or a mapping with 'kernel'"
                                           : "a condition is a mapping with 'kernel'");
                return;
        }
        if (!node->first) {
                add_bad_condition(check, &node->span, "the condition is empty");
                return;
        }
        (void) check_fields(check, &fields, node, ret); /* what is wrong is in the list */
}

static int version_compare(const When *when, const KernelVersion *kernel) {
        KernelVersion running = *kernel;
        if (when->kernel.patch == 0)
                running.patch = 0;
        return kernel_version_compare(&running, &when->kernel);
}

bool when_kernel_holds(const When *when, const KernelVersion *kernel) {
        int r = version_compare(when, kernel);
        switch (when->kernel_operator) {
        case WHEN_KERNEL_NONE:
                break;
        case WHEN_KERNEL_LT:
                return r < 0;
        case WHEN_KERNEL_LE:
                return r <= 0;
        case WHEN_KERNEL_EQ:
                return r == 0;
        case WHEN_KERNEL_GE:
                return r >= 0;
        case WHEN_KERNEL_GT:
                return r > 0;
        }
        return true;
}
