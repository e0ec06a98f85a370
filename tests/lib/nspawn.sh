# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Test beds: Debian with systemd as PID 1, booted in systemd-nspawn in about half a second, no download. Source it
# after suite.sh and meson.sh. A suite looks like this:
#
#   reason=$(bed_missing) && { skip "system" "$reason"; suite_end; }
#   bed_build || suite_end                 root file system and the product in it; one test line when it fails
#   bed_boot web                           a bed named "web": fresh state, own network namespace
#   bed_run web twprofile status           a command as root; stdin, stdout, stderr and exit code are the command's
#   bed_run_user web 1500 twprofile list   the same as an ordinary user, no groups, no capabilities
#   bed_run_unit web CMD...                the same as a unit of its own: rights and cgroup of a real service
#   bed_reboot web                         systemctl reboot, files are kept, /run and the kernel's values are not
#   bed_kill web; bed_boot web             the power is cut, then it comes back with the files it had
#   bed_stop web                           clean power-off; bed_boot web continues with its files
#   bed_destroy web                        stops it and throws its files away
#   bed_path web                           its root as a folder of this machine: to look at files or to plant them
#   bed_log web                            console and journal, for the details of a failure
#   bed_state web                          what `systemctl is-system-running` says
#
# Every function returns non-zero when it fails and writes why to stderr. bed_boot, bed_reboot, bed_kill, bed_stop
# and bed_destroy change variables: call them in the suite's own shell, not in $( ) or a pipe. Whatever happens,
# processes, mounts and cgroups of this suite are gone at its end; what a killed run left is removed by bed_build.
#
# How: the base (mkroot) and the product (`meson install` of the build "gcc") are two read-only layers of an
# overlay; a bed's own changes go to a tmpfs, which lives until bed_destroy or the end of the suite. So all beds
# start alike and cost nothing. Each bed has its own cgroup parent: nspawn's default one is shared and leftovers in
# it break the next boot. Works with cgroup v1, v2 and hybrid, with any PID 1, and in a root entered by pivot_root
# (not in a plain chroot). The beds share the kernel; only /proc/sys/net of their own namespace is writable.
#
# Inside, /opt/tests has the scripts of tests/system: varlink-call SOCKET METHOD [JSON] and what else stands there.
#
# BED_PACKAGES  Debian packages of this machine that the base consists of; one that is missing is left out
# BED_ENABLE    units to be enabled in the product, where they exist
# BED_SETUP     optional command, called with the product layer's folder after the installation

BED_PACKAGES=${BED_PACKAGES:-systemd dbus procps iproute2 util-linux python3 strace libcap2-bin libsystemd0 libyaml-0-2 libjansson4 libnettle8 libcap2 libsmartcols1 libmnl0}
BED_ENABLE=${BED_ENABLE:-twprofile.socket twprofile-boot.service twprofile-guard.path}
BED_SETUP=${BED_SETUP:-}
BED_TIMEOUT=${BED_TIMEOUT:-40}
BED_DIR=$TW_BUILD/bed
declare -A BED_PID=() BED_LEADER=() BED_MOUNT=() BED_ID=()
BED_CGROUPS=()

bed_say() {
        printf 'bed: %s\n' "$*" >&2
}

# Prints why beds cannot work here and returns 0; returns 1, silent, when they can.
bed_missing() {
        local scratch
        if [[ $(id -u) -ne 0 ]]; then
                echo "needs root"
        elif ! type -P systemd-nspawn >/dev/null; then
                echo "systemd-nspawn is not installed"
        elif ! unshare -m true 2>/dev/null; then
                echo "no mount namespaces here"
        elif ! unshare -n true 2>/dev/null; then
                echo "no network namespaces here"
        elif ! mountpoint -q /; then
                echo "/ is no mount point: nspawn does not work in a plain chroot"
        elif [[ ! -e /etc/machine-id ]]; then
                echo "/etc/machine-id is missing: systemd-machine-id-setup makes one"
        elif scratch=$(bed_cgroup_roots 2>&1) && [[ -n $scratch ]]; then
                return 1
        else
                echo "no writable cgroup tree: $scratch"
        fi
}

# Prints the folders below which a bed needs a cgroup of its own: systemd's v1 tree and the unified one. Mounts the
# unified one where nothing is mounted, as in a freshly entered root.
bed_cgroup_roots() {
        local root found=()
        if [[ $(stat -f -c %T /sys/fs/cgroup 2>/dev/null) == cgroup2fs ]]; then
                found=(/sys/fs/cgroup)
        else
                for root in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
                        case $(stat -f -c %T "$root" 2>/dev/null) in
                        cgroupfs | cgroup2fs) found+=("$root") ;;
                        esac
                done
        fi
        if [[ ${#found[@]} -eq 0 ]]; then
                mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup || return
                at_exit "umount /sys/fs/cgroup"
                found=(/sys/fs/cgroup)
        fi
        for root in "${found[@]}"; do
                if ! { [[ -w $root/cgroup.procs ]] && mkdir -p "$root/tw-probe-$$" && rmdir "$root/tw-probe-$$"; }; then
                        bed_say "$root is not writable"
                        return 1
                fi
        done
        printf '%s\n' "${found[@]}"
}

bed_remove_cgroup() {
        local dir=$1 i
        for ((i = 0; i < 40; i++)); do
                [[ -d $dir ]] || return 0
                find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null
                [[ -d $dir ]] || return 0
                sleep 0.05
        done
        bed_say "cgroup $dir is still in use"
        return 1
}

# What an earlier run could not clean up because it was killed: mounts below our folder, and cgroups by their name.
bed_remove_stale() {
        local target dir owner
        while read -r target; do
                umount -l "$target" 2>/dev/null || true
        done < <(awk -v d="$BED_DIR/beds/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
        for dir in /sys/fs/cgroup/tw-bed-* /sys/fs/cgroup/*/tw-bed-*; do
                owner=${dir##*-}
                [[ -d $dir && ! -d /proc/$owner ]] || continue
                bed_remove_cgroup "$dir" || true
        done
        rm -rf --one-file-system "$BED_DIR/beds"
}

bed_build_base() {
        local key base=$BED_DIR/base packages
        read -r -a packages <<<"$BED_PACKAGES"
        key=$( (dpkg-query -W "${packages[@]}" 2>/dev/null; cat "$TW_TOP/tests/lib/mkroot"; echo "$BED_PACKAGES") | sha256sum | cut -c1-16)
        if [[ $(cat "$BED_DIR/base.key" 2>/dev/null) == "$key" ]]; then
                return 0
        fi
        step "bed: base root file system"
        rm -rf --one-file-system "$base" "$BED_DIR/base.key"
        "$TW_TOP/tests/lib/mkroot" "$base" "${packages[@]}" || return
        echo "$key" >"$BED_DIR/base.key"
}

bed_build_product() {
        local product=$BED_DIR/product d units unit
        rm -rf --one-file-system "$product"
        # the same links as in the base: a real /lib in this layer would hide the base's link
        for d in bin sbin lib lib64; do
                mkdir -p "$product/usr/$d"
                ln -s "usr/$d" "$product/$d"
        done
        DESTDIR=$product meson install -C "$(build_dir gcc)" --no-rebuild --quiet || return
        chown -R 0:0 "$product"
        read -r -a units <<<"$BED_ENABLE"
        for unit in "${units[@]}"; do
                if [[ -e $product/usr/lib/systemd/system/$unit ]]; then
                        systemctl --quiet --root="$product" enable "$unit" || return
                fi
        done
        bed_add_tools
        [[ -z $BED_SETUP ]] || "$BED_SETUP" "$product"
}

# The scripts of tests/system, for use inside.
bed_add_tools() {
        mkdir -p "$BED_DIR/product/opt/tests"
        find "$TW_TOP/tests/system" -maxdepth 1 -type f -exec cp -t "$BED_DIR/product/opt/tests" {} +
}

# Compiles the product (build "gcc") unless BED_NO_PRODUCT is set, and makes both layers.
bed_build() {
        mkdir -p "$BED_DIR"
        exec {BED_LOCK}>"$BED_DIR/.lock"
        flock -w 120 "$BED_LOCK" || {
                not_ok "bed: lock" "another suite uses $BED_DIR"
                return 1
        }
        bed_remove_stale
        at_exit bed_cleanup
        if ! bed_build_base >"$TW_TMP/bed-base.log" 2>&1; then
                not_ok "bed: base root file system" "$(tail -n 30 "$TW_TMP/bed-base.log")"
                return 1
        fi
        cat "$TW_TMP/bed-base.log"
        if [[ -n ${BED_NO_PRODUCT:-} ]]; then
                rm -rf --one-file-system "$BED_DIR/product"
                mkdir -p "$BED_DIR/product"
                bed_add_tools
                return
        fi
        build_setup gcc gcc plain && build_all gcc || return
        if ! bed_build_product >"$TW_TMP/bed-product.log" 2>&1; then
                not_ok "bed: the product installs" "$(tail -n 30 "$TW_TMP/bed-product.log")"
                return 1
        fi
}

# The overlay of a bed; kept over reboots and power cuts.
bed_mount() {
        local name=$1 dir=$BED_DIR/beds/$1
        mkdir -p "$dir"
        mount -t tmpfs -o size=512m,mode=755 bed "$dir" || return
        mkdir "$dir/upper" "$dir/work" "$dir/root"
        if ! mount -t overlay -o "lowerdir=$BED_DIR/product:$BED_DIR/base,upperdir=$dir/upper,workdir=$dir/work" bed "$dir/root"; then
                # no overlayfs here: a copy
                cp -a "$BED_DIR/base/." "$dir/root" && tar -C "$BED_DIR/product" -cf - . | tar -C "$dir/root" --keep-directory-symlink -xpf - || return
                mount --bind "$dir/root" "$dir/root" || return
        fi
        # a machine id of its own, so that a reboot is the same machine and not a first boot
        tr -d - </proc/sys/kernel/random/uuid >"$dir/root/etc/machine-id"
        BED_MOUNT[$name]=$dir
}

# The processes: nspawn in its own cgroups; the leader is the bed's PID 1.
bed_spawn() {
        local name=$1 id=${BED_ID[$1]} dir=${BED_MOUNT[$1]} root roots=() shell=()
        mapfile -t roots < <(bed_cgroup_roots)
        [[ ${#roots[@]} -gt 0 ]] || return 1
        for root in "${roots[@]}"; do
                bed_remove_cgroup "$root/$id" || return
                mkdir "$root/$id" || return
                BED_CGROUPS+=("$root/$id")
        done
        if [[ ! -s /etc/machine-id ]]; then
                # a fresh root: nspawn wants the host to have an id; give it one without touching the file
                tr -d - </proc/sys/kernel/random/uuid >"$dir/host-machine-id"
                # shellcheck disable=SC2016 # expanded by the inner shell
                shell=(unshare -m sh -c 'mount --bind "$1" /etc/machine-id; shift; exec "$@"' sh "$dir/host-machine-id")
        fi
        (
                for root in "${roots[@]}"; do
                        echo "$BASHPID" >"$root/$id/cgroup.procs" || exit
                done
                exec 3>&- 9>&- {BED_LOCK}>&-
                exec env -u NOTIFY_SOCKET "${shell[@]}" systemd-nspawn --quiet --boot --directory="$dir/root" \
                        --register=no --keep-unit --machine="$id" --hostname="$name" --private-network \
                        --link-journal=no --console=pipe
        ) </dev/null >>"$dir/console.log" 2>&1 &
        BED_PID[$name]=$!
}

# The child of nspawn that is PID 1 of another PID namespace.
bed_find_leader() {
        local child own
        own=$(readlink /proc/self/ns/pid)
        for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"); do
                if [[ $(readlink "/proc/$child/ns/pid" 2>/dev/null) != "$own" && -n $(readlink "/proc/$child/ns/pid" 2>/dev/null) ]]; then
                        echo "$child"
                        return 0
                fi
        done
        return 1
}

bed_wait_ready() {
        local name=$1 deadline=$((SECONDS + BED_TIMEOUT)) leader
        while ((SECONDS < deadline)); do
                if ! kill -0 "${BED_PID[$name]}" 2>/dev/null; then
                        bed_say "$name: nspawn ended during the boot"
                        return 1
                fi
                if leader=$(bed_find_leader "${BED_PID[$name]}"); then
                        BED_LEADER[$name]=$leader
                        case $(bed_state "$name") in
                        running | degraded) return 0 ;;
                        esac
                fi
                sleep 0.05
        done
        bed_say "$name: not running after $BED_TIMEOUT s, but: $(bed_state "$name")"
        return 1
}

bed_boot() {
        local name=$1
        if [[ -n ${BED_PID[$name]:-} ]]; then
                bed_say "$name runs already"
                return 1
        fi
        if [[ -z ${BED_MOUNT[$name]:-} ]]; then
                BED_ID[$name]=tw-bed-$name-$$
                bed_mount "$name" || return
        fi
        bed_spawn "$name" && bed_wait_ready "$name" && return 0
        bed_log "$name" >&2
        bed_kill "$name"
        return 1
}

bed_run() {
        local leader=${BED_LEADER[$1]:-}
        if [[ -z $leader || ! -d /proc/$leader ]]; then
                bed_say "$1 does not run"
                return 125
        fi
        shift
        nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
                env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb "$@" 3>&-
}

bed_run_user() {
        local name=$1 uid=$2
        shift 2
        bed_run "$name" setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all --bounding-set=-all \
                --no-new-privs env HOME=/ "$@"
}

bed_run_unit() {
        local name=$1
        shift
        bed_run "$name" systemd-run --quiet --wait --pipe --collect -- "$@"
}

bed_state() {
        bed_run "$1" systemctl is-system-running 2>/dev/null || true
}

bed_path() {
        printf '%s\n' "${BED_MOUNT[$1]}/root"
}

bed_log() {
        printf -- '--- console of %s\n' "$1"
        tail -n 40 "${BED_MOUNT[$1]:-/nonexistent}/console.log" 2>/dev/null || true
        printf -- '--- journal of %s\n' "$1"
        bed_run "$1" journalctl --no-pager -b -n 60 2>/dev/null || true
}

# Waits for nspawn's end and leaves its exit code in BED_CODE; returns 1 when it had to be killed.
bed_reap() {
        local name=$1 pid=${BED_PID[$1]} deadline=$((SECONDS + $2)) killed=0 cgroup
        while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do
                sleep 0.05
        done
        if kill -0 "$pid" 2>/dev/null; then
                killed=1
                [[ -z ${BED_LEADER[$name]:-} ]] || kill -KILL "${BED_LEADER[$name]}" 2>/dev/null
                sleep 0.3
                kill -KILL "$pid" 2>/dev/null
        fi
        BED_CODE=0
        wait "$pid" || BED_CODE=$?
        unset "BED_PID[$name]" "BED_LEADER[$name]"
        for cgroup in "${BED_CGROUPS[@]}"; do
                [[ ${cgroup##*/} != "${BED_ID[$name]}" ]] || bed_remove_cgroup "$cgroup" || true
        done
        return "$killed"
}

bed_kill() {
        local name=$1
        [[ -n ${BED_PID[$name]:-} ]] || return 0
        [[ -z ${BED_LEADER[$name]:-} ]] || kill -KILL "${BED_LEADER[$name]}" 2>/dev/null
        bed_reap "$name" 5 || true
}

# nspawn asks the bed's PID 1 to power off when it gets SIGTERM.
bed_stop() {
        local name=$1
        [[ -n ${BED_PID[$name]:-} ]] || return 0
        kill -TERM "${BED_PID[$name]}" 2>/dev/null
        bed_reap "$name" "$BED_TIMEOUT" || {
                bed_say "$name did not power off and was killed"
                return 1
        }
}

bed_reboot() {
        local name=$1
        bed_run "$name" systemctl --no-block reboot || return
        bed_reap "$name" "$BED_TIMEOUT" || {
                bed_say "$name did not shut down for its reboot and was killed"
                return 1
        }
        # 133 is how nspawn says "reboot me"
        [[ $BED_CODE -eq 133 ]] || {
                bed_say "$name: exit code $BED_CODE instead of 133 for a reboot"
                return 1
        }
        bed_boot "$name"
}

bed_destroy() {
        local name=$1 rc=0 dir
        bed_stop "$name" || rc=1
        dir=${BED_MOUNT[$name]:-}
        if [[ -n $dir ]]; then
                umount "$dir/root" 2>/dev/null || umount -l "$dir/root"
                umount "$dir" 2>/dev/null || umount -l "$dir"
                rmdir "$dir" || rc=1
                unset "BED_MOUNT[$name]" "BED_ID[$name]"
        fi
        return "$rc"
}

# At the end of the suite, however it ends: no clean power-off, only gone.
bed_cleanup() {
        local name
        for name in "${!BED_PID[@]}"; do
                bed_kill "$name"
        done
        for name in "${!BED_MOUNT[@]}"; do
                bed_destroy "$name"
        done
}
