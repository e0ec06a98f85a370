/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rules-memory.h"

#define TCP_MEM  "net.ipv4.tcp_mem"
#define TCP_RMEM "net.ipv4.tcp_rmem"
#define TCP_WMEM "net.ipv4.tcp_wmem"
#define RMEM_MAX "net.core.rmem_max"
#define WMEM_MAX "net.core.wmem_max"
#define MIB      (UINT64_C(1) << 20)

/* Bytes that the third number of tcp_mem stands for, and what the host has. False when nobody knows. */
static bool tcp_mem_bytes(
                const RuleFacts *facts, const EffectiveKey *key, uint64_t *ret_bytes,
                uint64_t *ret_memory) {
        const MachineFacts *machine = facts->machine;
        if (!machine || machine->memory == 0 || machine->page_size == 0)
                return false;
        *ret_memory = machine->memory;
        return !__builtin_mul_overflow(
                        (uint64_t) key->value.ints[2], machine->page_size, ret_bytes);
}

static bool tcp_mem_above_memory(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        uint64_t bytes = 0, memory = 0;
        if (!tcp_mem_bytes(facts, key, &bytes, &memory) || bytes <= memory)
                return false;

        strbuf_addf(&hit->message,
                    "tcp_mem counts pages: %lld are %llu MiB, and this host has %llu MiB",
                    (long long) key->value.ints[2], (unsigned long long) (bytes / MIB),
                    (unsigned long long) (memory / MIB));
        strbuf_addf(&hit->help, "divide numbers of bytes by the %llu of a page",
                    (unsigned long long) facts->machine->page_size);
        return true;
}

static bool tcp_mem_large(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        uint64_t bytes = 0, memory = 0;
        if (!tcp_mem_bytes(facts, key, &bytes, &memory) || bytes <= memory / 2 || bytes > memory)
                return false;

        strbuf_addf(&hit->message, "TCP may take %llu of the %llu MiB that this host has",
                    (unsigned long long) (bytes / MIB), (unsigned long long) (memory / MIB));
        strbuf_add(&hit->help, "keep the third number below half of the memory");
        return true;
}

/* The kernel begins with 9.37 % of the free memory (tcp_init_mem()), of which 1/32 of all memory is a third. */
static bool tcp_mem_small(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        uint64_t bytes = 0, memory = 0;
        if (!tcp_mem_bytes(facts, key, &bytes, &memory) || bytes >= memory / 32)
                return false;

        strbuf_addf(&hit->message,
                    "all TCP sockets together get %llu MiB of the %llu MiB that this host has",
                    (unsigned long long) (bytes / MIB), (unsigned long long) (memory / MIB));
        strbuf_addf(&hit->help, "leave the key out, or use %llu pages or more",
                    (unsigned long long) (memory / 32 / facts->machine->page_size));
        return true;
}

static bool buffer_large(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if ((uint64_t) key->value.ints[2] <= 64 * MIB)
                return false;

        strbuf_addf(&hit->message, "each connection may take %lld MiB",
                    (long long) key->value.ints[2] >> 20);
        strbuf_add(&hit->help,
                   "64 MiB carry 5 Gbit/s over 100 ms; use less, or set the buffer in the one program that needs it");
        return true;
}

static bool buffer_above_tcp_mem(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        const SysctlValue *all = rule_value(facts, TCP_MEM);
        uint64_t pressure = 0;
        if (!all || all->n_ints != 3 || !facts->machine || facts->machine->page_size == 0 ||
            __builtin_mul_overflow((uint64_t) all->ints[1], facts->machine->page_size, &pressure) ||
            (uint64_t) key->value.ints[2] <= pressure)
                return false;

        hit->other = effective_set_find(facts->set, TCP_MEM);
        strbuf_addf(&hit->message,
                    "one connection may take %lld MiB, and above %llu MiB for all of them the kernel shrinks every window",
                    (long long) key->value.ints[2] >> 20, (unsigned long long) (pressure / MIB));
        strbuf_add(&hit->help, "lower the third number, or raise the second of " TCP_MEM);
        return true;
}

/* SO_RCVBUF ends at rmem_max (net/core/sock.c sk_setsockopt()); autotuning ends at tcp_rmem[2] alone. */
static bool explicit_below_automatic(
                const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        bool receive = streq(key->spec->key, RMEM_MAX);
        const SysctlValue *automatic = rule_value(facts, receive ? TCP_RMEM : TCP_WMEM);
        int64_t limit = key->value.ints[0];
        if (!automatic || automatic->n_ints != 3 || limit >= automatic->ints[2])
                return false;

        hit->other = effective_set_find(facts->set, receive ? TCP_RMEM : TCP_WMEM);
        strbuf_addf(&hit->message,
                    "TCP does not need %s: it grows to the %lld of %s by itself; only %s ends at %lld",
                    key->spec->key, (long long) automatic->ints[2], receive ? TCP_RMEM : TCP_WMEM,
                    receive ? "SO_RCVBUF" : "SO_SNDBUF", (long long) limit);
        strbuf_addf(&hit->help, "leave it out, or use %lld or more for programs with that option",
                    (long long) automatic->ints[2]);
        return true;
}

static bool rcvbuf_fixed(const RuleFacts *facts UNUSED, const EffectiveKey *key, RuleHit *hit) {
        if (key->value.ints[0] != 0)
                return false;

        strbuf_add(&hit->message,
                   "with tcp_moderate_rcvbuf 0 every receive window stays at the second number of tcp_rmem");
        strbuf_add(&hit->help, "set it to 1, and limit the growth by the third number of tcp_rmem");
        return true;
}

/* "each orphan eats up to ~64K of unswappable memory" (ip-sysctl.rst). */
static bool orphans_large(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        uint64_t bytes = (uint64_t) key->value.ints[0] << 16;
        if (!facts->machine || facts->machine->memory == 0 || bytes <= facts->machine->memory)
                return false;

        strbuf_addf(&hit->message, "%lld orphans of up to 64 KiB are %llu MiB; this host has %llu",
                    (long long) key->value.ints[0], (unsigned long long) (bytes / MIB),
                    (unsigned long long) (facts->machine->memory / MIB));
        strbuf_addf(&hit->help, "use at most %llu",
                    (unsigned long long) (facts->machine->memory >> 16));
        return true;
}

/* tcp_init(): half of the slots. */
static bool orphans_lowered(const RuleFacts *facts, const EffectiveKey *key, RuleHit *hit) {
        uint64_t slots = facts->machine ? facts->machine->ehash_entries : 0;
        if ((uint64_t) key->value.ints[0] >= slots / 2)
                return false;

        strbuf_addf(&hit->message, "a tcp_max_orphans of %lld is below the %llu of this kernel",
                    (long long) key->value.ints[0], (unsigned long long) (slots / 2));
        strbuf_add(&hit->help, "leave the key out: above the limit closing connections are reset");
        return true;
}

static const Rule rules[] = {
        { DIAG_TCP_MEM_ABOVE_MEMORY, false, .key = TCP_MEM, .applies = tcp_mem_above_memory },
        { DIAG_TCP_MEM_LARGE, false, .key = TCP_MEM, .applies = tcp_mem_large },
        { DIAG_TCP_MEM_SMALL, false, .key = TCP_MEM, .applies = tcp_mem_small },
        { DIAG_BUFFER_LARGE, true, .key = TCP_RMEM, .or_key = TCP_WMEM, .applies = buffer_large },
        { DIAG_BUFFER_ABOVE_TCP_MEM, false, .key = TCP_RMEM, .or_key = TCP_WMEM,
          .applies = buffer_above_tcp_mem, .also = { TCP_MEM } },
        { DIAG_CORE_BUFFER_BELOW_TCP, false, .key = RMEM_MAX, .or_key = WMEM_MAX,
          .applies = explicit_below_automatic, .also = { TCP_RMEM, TCP_WMEM } },
        { DIAG_RCVBUF_FIXED, true, .key = "net.ipv4.tcp_moderate_rcvbuf", .applies = rcvbuf_fixed },
        { DIAG_ORPHANS_LARGE, false, .key = "net.ipv4.tcp_max_orphans", .applies = orphans_large },
        { DIAG_ORPHANS_LOWERED, false, .key = "net.ipv4.tcp_max_orphans",
          .applies = orphans_lowered },
};

const RuleTable rules_memory = { rules, ELEMENTSOF(rules) };
