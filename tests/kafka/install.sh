#!/bin/sh
# Makes sure of an Apache Kafka from its jars on Maven Central, and prints where it is. It lies in the user's cache under
# the digest of the file that lists them, so that clones share it and a change makes another. Beside the jars are what a
# formatted log directory holds, and an archive of loaded classes, which saves a third of each start.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${UNDERSTUDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/understudy}
digest=$(cat "$here/pom.xml" "$here/install.sh" | sha256sum | cut -c 1-16)
kafka=$cache/kafka-$digest
if [ -e "$kafka/complete" ]; then
    echo "$kafka"
    exit
fi

say() { echo "install.sh: $*" >&2; }

java_major() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'; }

# Only Java 17 and later run a broker of Kafka 4.
java_runs_brokers() { command -v java >/dev/null && [ "$(java_major)" -ge 17 ]; }

download() {
    # With the plugin's full name: the short one makes Maven fetch the plugins of a whole build.
    mvn -B -q -f "$here/pom.xml" -DoutputDirectory="$kafka/libs" \
        org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies >"$kafka/download.log" 2>&1 ||
        { cat "$kafka/download.log" >&2; return 1; }
}

tool() { java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$@"; }

# Formats a log directory as the brokers of the tests have it, and keeps what each of them can begin with.
format() {
    cat >"$kafka/example.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$1
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$1
log.dirs=$kafka/example
END
    rm -rf "$kafka/example"
    tool -cp "$kafka/libs/*" kafka.tools.StorageTool format \
        --cluster-id understudyTestInstallA --config "$kafka/example.properties" >"$kafka/format.log" 2>&1 ||
        { cat "$kafka/format.log" >&2; return 1; }
    cp "$kafka/example/bootstrap.checkpoint" "$kafka/bootstrap.checkpoint"
}

# Starts a broker once, and has it write down at its end what classes it had loaded.
archive() {
    jars=$(find "$kafka/libs" -name '*.jar' | LC_ALL=C sort | paste -s -d :)
    : >"$kafka/example.log"
    tool -XX:ArchiveClassesAtExit="$kafka/classes.jsa" -Dlog4j2.configurationFile="$here/log4j2.properties" \
        -cp "$jars" kafka.Kafka "$kafka/example.properties" >"$kafka/example.log" 2>&1 </dev/null &
    broker=$!
    until grep -q 'Kafka Server started' "$kafka/example.log"; do
        kill -0 "$broker" 2>/dev/null || { cat "$kafka/example.log" >&2; return 1; }
        sleep 0.1
    done
    kill "$broker"
    wait "$broker" 2>/dev/null || true
}

mkdir -p "$cache"
# Only one at a time; whoever waited finds it there.
exec 9>"$cache/kafka.lock"
flock 9
if [ ! -e "$kafka/complete" ]; then
    java_runs_brokers || "$here/../../sdk/toolchain/packages.sh" "Kafka for the tests" default-jre-headless
    java_runs_brokers || { say "found Java $(java_major), expected 17 or later"; exit 1; }
    command -v mvn >/dev/null || "$here/../../sdk/toolchain/packages.sh" "fetching Kafka for the tests" maven
    rm -rf "$kafka"
    mkdir -p "$kafka"
    say "fetching Apache Kafka from Maven Central, once: 92 jars, 55 MB"
    for try in 1 2 3; do
        if download; then break; fi
        [ "$try" -lt 3 ] || { say "Maven could not fetch the jars"; exit 1; }
        say "once more"
    done
    say "preparing it"
    # Ports that the system gives to nobody by itself.
    format $((10000 + $$ % 10000)) $((20000 + $$ % 10000))
    archive 9>&- || say "going on without an archive of classes: brokers start slower"
    rm -rf "$kafka/example" "$kafka/example.properties"
    touch "$kafka/complete"
fi
echo "$kafka"
