/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-fin-wait.h"

#define LENGTH_OF_TIME_WAIT INT64_C(60)

static bool fin_timeout_tiny(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds >= 5)
                return false;

        strbuf_addf(&hit->message,
                    "a peer that needs more than %lld s to close its side gets a RST for its last data",
                    (long long) seconds);
        strbuf_add(&hit->help, "use 5 or more; 30 is half of the default of 60");
        return true;
}

/* tcp_keepalive_timer() waits value - 60 with the whole socket, then a bucket waits as long again. */
static bool fin_timeout_lengthened(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        int64_t seconds = key->value.ints[0];
        if (seconds <= 2 * LENGTH_OF_TIME_WAIT)
                return false;

        strbuf_addf(&hit->message, "a tcp_fin_timeout of %lld makes FIN_WAIT2 last %lld s",
                    (long long) seconds, 2 * ((long long) seconds - LENGTH_OF_TIME_WAIT));
        strbuf_addf(&hit->help, "for %lld s write %lld, or stay at 60 or below",
                    (long long) seconds, (long long) seconds / 2 + LENGTH_OF_TIME_WAIT);
        return true;
}

/* "TIME_WAIT", "time-wait", "Time Wait", "timewait" */
static bool names_time_wait(const char *text) {
        for (; text && *text != '\0'; text++) {
                if (strncasecmp(text, "time", 4) != 0)
                        continue;
                const char *rest = text + 4;
                rest += *rest == '_' || *rest == '-' || *rest == ' ';
                if (strncasecmp(rest, "wait", 4) == 0)
                        return true;
        }
        return false;
}

/* What the words of the profile that sets it promise. */
static bool fin_timeout_not_time_wait(
                const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        const Profile *from = key->setting->from;
        if (!names_time_wait(key->setting->setting->reason) && !names_time_wait(from->summary))
                return false;

        strbuf_addf(&hit->message,
                    "tcp_fin_timeout does not change TIME_WAIT: with %lld it lasts 60 s as before",
                    (long long) key->value.ints[0]);
        strbuf_add(&hit->help,
                   "keep connections open and use them again; nothing in a mainline kernel shortens TIME_WAIT");
        return true;
}

static const Rule rules[] = {
        { DIAG_FIN_TIMEOUT_TINY, true, "net.ipv4.tcp_fin_timeout", fin_timeout_tiny, {}, NULL },
        { DIAG_FIN_TIMEOUT_LENGTHENED,
          true,
          "net.ipv4.tcp_fin_timeout",
          fin_timeout_lengthened,
          {},
          NULL },
        { DIAG_FIN_TIMEOUT_NOT_TIME_WAIT,
          true,
          "net.ipv4.tcp_fin_timeout",
          fin_timeout_not_time_wait,
          {},
          NULL },
};

const RuleTable rules_fin_wait = { rules, ELEMENTSOF(rules) };
