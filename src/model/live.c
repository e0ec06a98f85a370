/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live.h"

static int compare_key(const void *key, const void *row) {
        return strcmp(key, ((const LiveKey *) row)->spec->key);
}

const LiveKey *live_find(const LiveSnapshot *snapshot, const SysctlSpec *spec) {
        if (snapshot->n_keys == 0)
                return NULL;

        return bsearch(spec->key, snapshot->keys, snapshot->n_keys, sizeof(LiveKey), compare_key);
}
