# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A bare Debian: minbase and git, as a person's fresh machine has it. Source it after suite.sh.
#
#   reason=$(bare_missing) && { skip "bare root" "$reason"; suite_end; }
#   bare_make || suite_end          the root in $BARE_ROOT, on a tmpfs; one test line when it fails
#   bare_run CMD...                 a command in it, as root, without stdin; exit code is the command's
#
# The packages come from the apt sources of this machine, those of its own Debian release; the archive is asked
# once, then the root is kept as $TW_BUILD/bare/root.tar for a week, and downloaded packages beside it.
#
# bare_run enters by pivot_root in its own mount and PID namespace, with fresh /proc, /sys, /dev and /tmp: a plain
# chroot could not boot containers, and whatever the command starts ends with it. The network namespace and with
# it /proc/sys/net are those of this machine: so a test can show that nothing in it was touched.

BARE_DIR=$TW_BUILD/bare
BARE_ROOT=
BARE_INCLUDE=git

# Prints "URI SUITE COMPONENTS" lines of the configured sources that belong to this Debian release.
bare_sources() {
        local codename
        codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
        [[ -n $codename ]] || return 1
        # shellcheck disable=SC2016 # apt expands these
        apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
                awk -v c="$codename" '$2 ~ "^" c "(-updates|-security)?$" { k = $1 " " $2; if (!(k " " $3 in seen)) list[k] = list[k] " " $3; seen[k " " $3] = 1 }
                        END { for (k in list) print k list[k] }' | sort -k2,2
}

bare_key() {
        { bare_sources; printf '%s %s\n' "$BARE_INCLUDE" "$(date +%G-%V)"; } | sha256sum | cut -c1-16
}

bare_have_tar() {
        [[ -s $BARE_DIR/root.tar && $(cat "$BARE_DIR/root.key" 2>/dev/null) == "$(bare_key)" ]]
}

# Prints why there can be no bare root and returns 0; returns 1, silent, when there can.
bare_missing() {
        local uri suite rest
        if [[ $(id -u) -ne 0 ]]; then
                echo "needs root"
                return
        elif ! unshare -m true 2>/dev/null; then
                echo "no mount namespaces here"
                return
        fi
        bare_have_tar && return 1
        read -r uri suite rest < <(bare_sources)
        if [[ -z ${rest:-} ]]; then
                echo "no apt source of this Debian release is configured"
        elif ! /usr/lib/apt/apt-helper -o Acquire::Retries=1 -o Acquire::http::Timeout=15 download-file \
                "${uri%/}/dists/$suite/InRelease" "$TW_TMP/InRelease" >/dev/null 2>&1; then
                echo "the package archive cannot be reached"
        else
                return 1
        fi
}

bare_bootstrap() {
        local keyring=/usr/share/keyrings/debian-archive-keyring.gpg option='' codename proxy args=()
        codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
        [[ ! -e $keyring ]] || option="[signed-by=$keyring] "
        bare_sources | sed "s|^|deb $option|" >"$TW_TMP/sources.list"
        proxy=$(apt-config shell p Acquire::http::Proxy)
        if [[ -n $proxy ]]; then
                eval "$proxy"
                args=(--aptopt="Acquire::http::Proxy \"${p:-}\"")
        fi
        rm -f "$BARE_DIR/root.tar" "$BARE_DIR/root.key"
        mmdebstrap --quiet --variant=minbase --include="$BARE_INCLUDE" --aptopt='Acquire::Languages "none"' \
                --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' "${args[@]}" "$codename" "$1" "$TW_TMP/sources.list" || return
        tar -C "$1" --one-file-system -cf "$BARE_DIR/root.tar.new" . || return
        mv "$BARE_DIR/root.tar.new" "$BARE_DIR/root.tar"
        bare_key >"$BARE_DIR/root.key"
}

bare_make() {
        mkdir -p "$BARE_DIR/archives/partial"
        BARE_ROOT=$TW_TMP/bare
        mkdir "$BARE_ROOT"
        mount -t tmpfs -o size=4g,mode=755 bare "$BARE_ROOT" || {
                not_ok "bare root: tmpfs"
                return 1
        }
        at_exit "umount -l '$BARE_ROOT'"
        if bare_have_tar; then
                step "bare root: unpack"
                check "bare root" tar -C "$BARE_ROOT" -xpf "$BARE_DIR/root.tar" || return
        else
                step "bare root: mmdebstrap"
                check "bare root" bare_bootstrap "$BARE_ROOT" || return
        fi
        # names are resolved as on this machine
        cat /etc/resolv.conf >"$BARE_ROOT/etc/resolv.conf"
        cat /etc/hosts >"$BARE_ROOT/etc/hosts"
}

bare_run() {
        local pass=() v
        for v in http_proxy https_proxy no_proxy; do
                [[ -z ${!v:-} ]] || pass+=("$v=${!v}")
        done
        # shellcheck disable=SC2016 # expanded by the inner shell
        unshare --mount --pid --fork --kill-child --propagation private /bin/bash -euc '
                root=$1 archives=$2
                shift 2
                mount --bind "$root" "$root"
                mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
                mount -t sysfs -o nosuid,nodev,noexec sysfs "$root/sys"
                mount -t tmpfs -o nosuid,mode=755 dev "$root/dev"
                mount -t tmpfs -o nosuid,nodev,mode=1777 tmp "$root/tmp"
                mount -t tmpfs -o nosuid,nodev,mode=755 run "$root/run"
                mkdir -p "$root/run/lock" "$root/var/cache/apt/archives"
                mount --bind "$archives" "$root/var/cache/apt/archives"
                for n in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
                        set -- $n "$@"
                        mknod -m 666 "$root/dev/$1" c "$2" "$3"
                        shift 3
                done
                mkdir "$root/dev/pts" "$root/dev/shm"
                mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
                mount -t tmpfs -o nosuid,nodev,mode=1777 shm "$root/dev/shm"
                ln -s pts/ptmx "$root/dev/ptmx"
                ln -s /proc/self/fd "$root/dev/fd"
                for n in 0:stdin 1:stdout 2:stderr; do
                        ln -s "/proc/self/fd/${n%%:*}" "$root/dev/${n#*:}"
                done
                cd "$root"
                mkdir -p .old
                pivot_root . .old
                umount -l /.old
                rmdir /.old
                exec "$@"
        ' bash "$BARE_ROOT" "$BARE_DIR/archives" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
                HOME=/root TERM=dumb LC_ALL=C.UTF-8 "${pass[@]}" "$@" </dev/null 3>&-
}
