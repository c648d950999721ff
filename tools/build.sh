# shellcheck shell=bash
# Sourced by the ensure scripts beside it: builds a program of a tools module into
# bin/, once, and says every 15 seconds how far it is.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
every=15 # seconds between two lines of progress

# build NAME PACKAGE [LDFLAGS] builds bin/NAME from the module in the folder $here.
build() {
	local name=$1 package=$2 flags=${3:-} built=$root/bin/$1
	local start total ready i failed=0
	log=$(mktemp)
	part=$built.part
	pid=
	trap '[[ -z $pid ]] || kill $pid; rm -f "$log" "$part"' EXIT
	cd "$here"
	start=$SECONDS
	mkdir -p "$root/bin"
	go mod download 2>&1 | sed 's/^/  /' >&2
	total=$(CGO_ENABLED=0 go list -deps "$package" | wc -l)
	CGO_ENABLED=0 go build -v -trimpath -buildvcs=false -ldflags "-s -w $flags" -o "$part" "$package" >"$log" 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		for ((i = 0; i < every; i++)); do
			sleep 1
			kill -0 $pid 2>/dev/null || break
		done
		ready=$(wc -l <"$log")
		echo "  $((SECONDS - start)) s: $ready of at most $total packages compiled" >&2
	done
	wait $pid || failed=1
	pid=
	if ((failed)); then
		tail -20 "$log" >&2
		echo "Building bin/$name failed." >&2
		return 1
	fi
	mv "$part" "$built"
	echo "Built bin/$name in $((SECONDS - start)) s." >&2
}
