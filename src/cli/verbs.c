/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include "diag/nearest.h"

/* clang-format off */
/* In the order of help. */
static const Command *const verb_table[] = {
        &cmd_list,
        &cmd_show,
        &cmd_validate,
        &cmd_explain,
        &cmd_plan,
        &cmd_enable,
        &cmd_disable,
        &cmd_confirm,
        &cmd_rollback,
        &cmd_recover,
        &cmd_release,
        &cmd_status,
        &cmd_verify,
        &cmd_history,
        &cmd_audit_verify,
        &cmd_audit_export,
        &cmd_observe,
        &cmd_advise,
        &cmd_report,
        &cmd_lab,
        &cmd_sandbox,
};
/* clang-format on */

static const char *const group_titles[] = {
        [COMMAND_GROUP_PROFILES] = "Profiles",
        [COMMAND_GROUP_CHANGE] = "Changes",
        [COMMAND_GROUP_WATCH] = "State",
        [COMMAND_GROUP_TRY] = "Trying out",
};

size_t command_count(void) {
        return ELEMENTSOF(verb_table);
}

const Command *command_get(size_t i) {
        assert(i < ELEMENTSOF(verb_table));
        return verb_table[i];
}

const Command *command_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++)
                if (streq(verb_table[i]->name, name))
                        return verb_table[i];
        return NULL;
}

bool command_is_family(const char *word, StrBuf *ret_rest) {
        bool found = false;
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++) {
                const char *rest = startswith(verb_table[i]->name, word);
                if (!rest || *rest != ' ')
                        continue;
                if (ret_rest)
                        strbuf_addf(ret_rest, "%s%s", found ? ", " : "", rest + 1);
                found = true;
        }
        return found;
}

const Command *command_find_nearest(const char *name) {
        const char *best = NULL;
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++)
                nearest_consider(name, verb_table[i]->name, &best);
        return best ? command_find(best) : NULL;
}

const char *command_group_title(CommandGroup group) {
        assert((size_t) group < ELEMENTSOF(group_titles));
        return group_titles[group];
}
