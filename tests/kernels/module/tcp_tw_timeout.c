/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net.ipv4.tcp_tw_timeout as Alibaba Cloud Linux has it, for tests on stock kernels: one value per network namespace,
 * seconds from 1 to 600, 60 in a new namespace, kept in timer ticks and therefore read back in whole seconds. Only the
 * file is imitated; how long TIME_WAIT lasts does not change.
 *
 * Builds against kernels up to 6.5, whose tables end in an empty row.
 */

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/tcp.h>

struct tw_timeout_net {
        struct ctl_table_header *header;
        struct ctl_table table[2];
        int ticks;
};

static unsigned int tw_timeout_id;
static int lowest = 1;
static int highest = 600;

/* The number in the file is in seconds; only a whole, allowed one is stored. */
static int tw_timeout_handler(
                struct ctl_table *table, int write, void *buffer, size_t *length,
                loff_t *position) {
        int *ticks = table->data;
        int seconds = READ_ONCE(*ticks) / HZ;
        struct ctl_table row = {
                .procname = table->procname,
                .data = &seconds,
                .maxlen = sizeof(seconds),
                .mode = table->mode,
                .extra1 = &lowest,
                .extra2 = &highest,
        };
        int r = proc_dointvec_minmax(&row, write, buffer, length, position);

        if (write && r == 0)
                WRITE_ONCE(*ticks, seconds * HZ);
        return r;
}

static int __net_init tw_timeout_net_init(struct net *net) {
        struct tw_timeout_net *own = net_generic(net, tw_timeout_id);

        own->ticks = TCP_TIMEWAIT_LEN;
        own->table[0] = (struct ctl_table){
                .procname = "tcp_tw_timeout",
                .data = &own->ticks,
                .maxlen = sizeof(own->ticks),
                .mode = 0644,
                .proc_handler = tw_timeout_handler,
        };
        own->header = register_net_sysctl(net, "net/ipv4", own->table);
        return own->header ? 0 : -ENOMEM;
}

static void __net_exit tw_timeout_net_exit(struct net *net) {
        struct tw_timeout_net *own = net_generic(net, tw_timeout_id);

        unregister_net_sysctl_table(own->header);
}

static struct pernet_operations tw_timeout_ops = {
        .init = tw_timeout_net_init,
        .exit = tw_timeout_net_exit,
        .id = &tw_timeout_id,
        .size = sizeof(struct tw_timeout_net),
};

static int __init tw_timeout_init(void) {
        return register_pernet_subsys(&tw_timeout_ops);
}

static void __exit tw_timeout_exit(void) {
        unregister_pernet_subsys(&tw_timeout_ops);
}

module_init(tw_timeout_init);
module_exit(tw_timeout_exit);
MODULE_DESCRIPTION("net.ipv4.tcp_tw_timeout for tests");
MODULE_LICENSE("GPL");
