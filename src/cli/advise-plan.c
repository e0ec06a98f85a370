/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/advise-plan.h"

#include "cli/local-plan.h"
#include "cli/outcome.h"
#include "cli/prose.h"

static void add_line(const Context *context, StrBuf *out, const StrBuf *text) {
        strbuf_add_char(out, '\n');
        prose_add(out, strbuf_text(text), 0, context->out.width);
        out->failed |= text->failed;
}

int advise_plan_mention(const Context *context, const char *profile, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_addf(&text,
                    "The profile %s would help: on that host, 'twprofile plan %s' shows what it "
                    "would change.",
                    profile, profile);
        add_line(context, out, &text);
        return 0;
}

/* What refuses it, or what went wrong with making it. */
static const char *why_not(const Context *inner) {
        for (size_t i = 0; i < diag_list_count(inner->findings); i++) {
                const Diag *diag = diag_list_get(inner->findings, i);
                if (diag_row(diag->id)->exit_code != 0)
                        return diag->message;
        }
        return inner->error.text;
}

static int add_changes(const Context *context, Context *inner, const Plan *plan, StrBuf *out) {
        const char *profile = inner->args[0];
        CLEANUP(strbuf_deinit) StrBuf text = {};
        if (plan->is_noop) {
                strbuf_addf(&text, "The profile %s would help, and is enabled already.", profile);
                add_line(context, out, &text);
                return 0;
        }
        strbuf_addf(&text,
                    "The profile %s would help. 'twprofile enable %s' would change:", profile,
                    profile);
        add_line(context, out, &text);
        strbuf_add_char(out, '\n');
        Outcome outcome;
        int r = outcome_from_plan(plan, inner->arena, &outcome);
        if (r == 0)
                r = outcome_add_table(&outcome, /* done= */ false, inner);
        if (r == 0)
                strbuf_add(out, strbuf_text(&inner->text));
        return r;
}

static int plan_inside(const Context *context, Context *inner, StrBuf *out) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open(&host, inner, &inner->error);
        LocalPlan local = {};
        if (r == 0)
                r = local_plan_build(inner, &host, LOCAL_PLAN_ENABLE, &local, &inner->error);
        if (r == 0)
                r = add_changes(context, inner, local.plan, out);
        else if (r != -ENOMEM) {
                CLEANUP(strbuf_deinit) StrBuf text = {};
                strbuf_addf(&text, "The profile %s would help, but cannot be planned here: %s.",
                            inner->args[0], why_not(inner));
                add_line(context, out, &text);
                r = 0;
        }
        local_plan_deinit(inner, &local);
        return r;
}

/* In a context of its own: what a plan finds is no finding of advice. */
int advise_plan_add(const Context *context, const char *profile, StrBuf *out) {
        Context inner;
        int r = context_init(&inner);
        if (r == 0) {
                const char *const names[] = { profile };
                inner.command = context->command;
                inner.options.root = context->options.root;
                inner.out = context->out;
                inner.err = context->err;
                inner.args = names;
                inner.n_args = ELEMENTSOF(names);
                r = plan_inside(context, &inner, out);
        }
        context_deinit(&inner);
        return r == -ENOMEM ? r : 0;
}
