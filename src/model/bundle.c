/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/bundle.h"

#include "base/strbuf.h"

/* One profile on its way into the bundle. */
typedef struct Member {
        const char *name;
        Profile *profile; /* owned until the bundle takes it; NULL when its text was refused */
        bool open;        /* its includes are being walked: meeting it again now is a cycle */
        unsigned height;  /* longest chain of includes below it; known once closed */
        BundleSetting *settings; /* flattened, sorted by key; known once closed */
        size_t n_settings;
} Member;

/* A member whose includes are being walked. */
typedef struct Frame {
        Member *member;
        size_t next; /* the include that is looked at next */
} Frame;

typedef struct Loader {
        BundleFetch fetch;
        void *userdata;
        DiagList *diags;
        Error *reterr;
        Arena *arena;
        bool invalid;
        Member members[BUNDLE_MAX_PROFILES]; /* in the order first met */
        size_t n_members;
        Frame stack[BUNDLE_MAX_DEPTH + 1];
        size_t depth; /* frames in use; the root alone is 1 */
} Loader;

/* Findings point into the sources, so whatever is not handed to a bundle goes to the list. */
static void loader_deinit(Loader *loader) {
        for (size_t i = 0; i < loader->n_members; i++) {
                Profile *profile = TAKE_PTR(loader->members[i].profile);
                if (!profile)
                        continue;
                diag_list_take_source(loader->diags, TAKE_PTR(profile->source));
                (void) profile_free(profile);
        }
        (void) arena_free(loader->arena);
        loader->arena = NULL;
}

static int out_of_memory(const Loader *loader) {
        return error_set(loader->reterr, -ENOMEM, "cannot load the profile");
}

static Member *find_member(Loader *loader, const char *name) {
        for (size_t i = 0; i < loader->n_members; i++)
                if (streq(loader->members[i].name, name))
                        return &loader->members[i];
        return NULL;
}

/* Fetches and parses; a refused text is remembered without a profile, so that it is reported once. */
static int load_member(Loader *loader, const char *name, Member **ret) {
        CLEANUP(source_freep) Source *source = NULL;
        int r = loader->fetch(loader->userdata, name, loader->diags, &source, loader->reterr);
        if (r < 0 || r == BUNDLE_E_NOT_FOUND)
                return r;

        Profile *profile = NULL;
        if (r == 0)
                r = profile_parse(TAKE_PTR(source), name, loader->diags, &profile, loader->reterr);
        if (r < 0)
                return r;

        Member *member = &loader->members[loader->n_members++];
        *member = (Member){ .profile = profile };
        member->name = arena_copy(loader->arena, name);
        if (!member->name)
                return out_of_memory(loader);
        if (!profile)
                loader->invalid = true;
        *ret = member;
        return 0;
}

static void push(Loader *loader, Member *member) {
        member->open = true;
        loader->stack[loader->depth++] = (Frame){ .member = member };
}

static void report_cycle(Loader *loader, const Member *met, const ProfileInclude *include) {
        CLEANUP(strbuf_deinit) StrBuf chain = {};
        size_t i = 0;
        while (loader->stack[i].member != met)
                i++;
        for (; i < loader->depth; i++)
                strbuf_addf(&chain, "'%s' includes ", loader->stack[i].member->name);

        Diag *d = diag_add(
                        loader->diags, DIAG_INCLUDE_CYCLE, include->span,
                        "profiles include each other in a circle: %s'%s'", strbuf_text(&chain),
                        include->name);
        diag_set_profile(loader->diags, d, loader->stack[loader->depth - 1].member->name);
        diag_set_help(loader->diags, d, "remove one of these includes");
        loader->invalid = true;
}

static void report_too_deep(Loader *loader, const ProfileInclude *include) {
        Diag *d = diag_add(
                        loader->diags, DIAG_INCLUDE_TOO_DEEP, include->span,
                        "including '%s' here nests profiles more than %u deep", include->name,
                        BUNDLE_MAX_DEPTH);
        diag_set_profile(loader->diags, d, loader->stack[loader->depth - 1].member->name);
        diag_set_help(loader->diags, d, "include the profiles that are needed directly");
        loader->invalid = true;
}

static int load_include(Loader *loader, const ProfileInclude *include) {
        const char *includer = loader->stack[loader->depth - 1].member->name;
        if (loader->depth > BUNDLE_MAX_DEPTH) {
                report_too_deep(loader, include);
                return 0;
        }
        if (loader->n_members == BUNDLE_MAX_PROFILES) {
                Diag *d = diag_add(
                                loader->diags, DIAG_TOO_MANY_PROFILES, include->span,
                                "'%s' is one more than the %u profiles that one profile may bring along",
                                include->name, BUNDLE_MAX_PROFILES);
                diag_set_profile(loader->diags, d, includer);
                loader->invalid = true;
                return 0;
        }

        Member *member = NULL;
        int r = load_member(loader, include->name, &member);
        if (r == BUNDLE_E_NOT_FOUND) {
                Diag *d = diag_add(
                                loader->diags, DIAG_INCLUDE_NOT_FOUND, include->span,
                                "there is no profile '%s' to include", include->name);
                diag_set_profile(loader->diags, d, includer);
                diag_set_help(loader->diags, d,
                              "'twprofile list' shows the profiles that are installed");
                loader->invalid = true;
                return 0;
        }
        if (r != 0)
                return error_prefix(
                                loader->reterr, r, "cannot include profile '%s'", include->name);
        assert(member);
        if (member->profile)
                push(loader, member);
        return 0;
}

static int visit_include(Loader *loader, const ProfileInclude *include) {
        const Member *met = find_member(loader, include->name);
        if (!met)
                return load_include(loader, include);

        if (met->open)
                report_cycle(loader, met, include);
        else if (met->profile && loader->depth + met->height > BUNDLE_MAX_DEPTH)
                report_too_deep(loader, include);
        return 0;
}

static bool same_when(const When *a, const When *b) {
        return a->present == b->present && a->kernel_operator == b->kernel_operator &&
               (a->kernel_operator == WHEN_KERNEL_NONE ||
                kernel_version_compare(&a->kernel, &b->kernel) == 0);
}

static bool same_setting(const ProfileSetting *a, const ProfileSetting *b) {
        return a->merge == b->merge && sysctl_value_equal(&a->value, &b->value) &&
               same_when(&a->when, &b->when);
}

/* Where the key stands, or where it belongs. */
static size_t find_place(const BundleSetting *settings, size_t n, const char *key) {
        size_t low = 0, high = n;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (strcmp(settings[middle].setting->spec->key, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static void report_conflict(
                Loader *loader, const Member *includer, const BundleSetting *a,
                const BundleSetting *b) {
        const char *key = a->setting->spec->key;
        Diag *d = diag_add(
                        loader->diags, DIAG_INCLUDE_CONFLICT, b->setting->value_span,
                        "profiles '%s' and '%s', both included by '%s', differ about '%s'",
                        a->from->name, b->from->name, includer->name, key);
        diag_add_label(loader->diags, d, a->setting->value_span, "profile '%s' says this",
                       a->from->name);
        diag_set_key(loader->diags, d, key);
        diag_set_profile(loader->diags, d, includer->name);
        diag_set_help(loader->diags, d, "set '%s' in profile '%s': the including profile wins", key,
                      includer->name);
        loader->invalid = true;
}

static void merge_setting(Loader *loader, Member *member, const BundleSetting *add) {
        size_t i = find_place(member->settings, member->n_settings, add->setting->spec->key);
        BundleSetting *at = &member->settings[i];

        if (i < member->n_settings && streq(at->setting->spec->key, add->setting->spec->key)) {
                if (at->from != member->profile && !same_setting(at->setting, add->setting))
                        report_conflict(loader, member, at, add);
                return;
        }

        memmove(at + 1, at, (member->n_settings - i) * sizeof(*at));
        *at = *add;
        member->n_settings++;
}

/* Own settings first, so that they stand when an include brings the same key. What siblings say is compared
 * as text says it: whether a `when` holds does not matter here. */
static int close_member(Loader *loader, Member *member) {
        const Profile *profile = member->profile;
        size_t n = profile->n_settings;
        for (size_t i = 0; i < profile->n_includes; i++) {
                const Member *child = find_member(loader, profile->includes[i].name);
                n += child ? child->n_settings : 0;
        }

        member->settings = arena_alloc_array(loader->arena, n + 1, sizeof(BundleSetting));
        if (!member->settings)
                return out_of_memory(loader);

        for (size_t i = 0; i < profile->n_settings; i++)
                merge_setting(loader, member,
                              &(BundleSetting){ .setting = &profile->settings[i],
                                                .from = profile });
        for (size_t i = 0; i < profile->n_includes; i++) {
                const Member *child = find_member(loader, profile->includes[i].name);
                if (!child || child->open)
                        continue; /* missing or a circle: said already */
                for (size_t k = 0; k < child->n_settings; k++)
                        merge_setting(loader, member, &child->settings[k]);
                if (child->height + 1 > member->height)
                        member->height = child->height + 1;
        }
        member->open = false;
        return 0;
}

/* Depth first with a stack of its own, so that hostile nesting costs a bounded array and nothing else. */
static int walk(Loader *loader) {
        while (loader->depth > 0) {
                Frame *frame = &loader->stack[loader->depth - 1];
                const Profile *profile = frame->member->profile;
                int r;
                if (frame->next < profile->n_includes) {
                        r = visit_include(loader, &profile->includes[frame->next++]);
                } else {
                        r = close_member(loader, frame->member);
                        loader->depth--;
                }
                if (r < 0)
                        return r;
        }
        return loader->invalid ? BUNDLE_E_INVALID : 0;
}

static int make_bundle(Loader *loader, Bundle **ret) {
        Bundle *bundle = arena_alloc(loader->arena, sizeof(*bundle));
        Profile **profiles = arena_alloc_array(loader->arena, loader->n_members, sizeof(Profile *));
        if (!bundle || !profiles)
                return out_of_memory(loader);

        Sha256Stream stream;
        sha256_init_stream(&stream);
        for (size_t i = 0; i < loader->n_members; i++) {
                Profile *profile = TAKE_PTR(loader->members[i].profile);
                sha256_add_field(&stream, profile->name, strlen(profile->name));
                sha256_add_field(
                                &stream, source_bytes(profile->source),
                                source_length(profile->source));
                profiles[i] = profile;
        }

        *bundle = (Bundle){
                .arena = TAKE_PTR(loader->arena),
                .profiles = profiles,
                .n_profiles = loader->n_members,
                .settings = loader->members[0].settings,
                .n_settings = loader->members[0].n_settings,
                .digest = sha256_end(&stream),
        };
        *ret = bundle;
        return 0;
}

int bundle_load(const char *name, BundleFetch fetch, void *userdata, DiagList *diags, Bundle **ret,
                Error *reterr) {
        CLEANUP(loader_deinit) Loader loader = {
                .fetch = fetch,
                .userdata = userdata,
                .diags = diags,
                .reterr = reterr,
        };
        loader.arena = arena_new();
        if (!loader.arena)
                return out_of_memory(&loader);

        Member *root = NULL;
        int r = load_member(&loader, name, &root);
        if (r < 0)
                return error_prefix(reterr, r, "cannot load profile '%s'", name);
        if (r > 0)
                return r;
        assert(root);
        if (!root->profile)
                return BUNDLE_E_INVALID;

        push(&loader, root);
        r = walk(&loader);
        if (r != 0)
                return r;
        return make_bundle(&loader, ret);
}

Bundle *bundle_free(Bundle *bundle) {
        if (!bundle)
                return NULL;

        for (size_t i = 0; i < bundle->n_profiles; i++)
                (void) profile_free(bundle->profiles[i]);
        (void) arena_free(bundle->arena);
        return NULL;
}

const BundleSetting *bundle_find_setting(const Bundle *bundle, const SysctlSpec *spec) {
        size_t i = find_place(bundle->settings, bundle->n_settings, spec->key);
        if (i == bundle->n_settings || !streq(bundle->settings[i].setting->spec->key, spec->key))
                return NULL;
        return &bundle->settings[i];
}

bool bundle_accepts(const Bundle *bundle, const char *rule, const char **ret_reason) {
        for (size_t i = 0; i < bundle->n_profiles; i++)
                for (size_t k = 0; k < bundle->profiles[i]->n_accepts; k++) {
                        const ProfileAccept *accept = &bundle->profiles[i]->accepts[k];
                        if (!streq(accept->rule, rule))
                                continue;
                        if (ret_reason)
                                *ret_reason = accept->reason;
                        return true;
                }
        return false;
}
