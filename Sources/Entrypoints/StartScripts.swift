// POSIX sh only (dash, busybox). `exec` everywhere: signals must reach the bot, and its exit code is the container's.
// A path is always written "./$entrypoint": it may start with a dash, and a bare name would be looked up on PATH.

let pythonScript =
    prelude + #"""
        export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE="${PYTHONDONTWRITEBYTECODE-1}"
        find_file "$entrypoint"
        find_command python3
        exec python3 -u "$here/the0_python.py"

        """#

// Node resolves a name without its extension, so the wrapper looks for the file.
let nodeScript =
    prelude + #"""
        find_command node
        exec node "$here/the0_node.cjs"

        """#

let nativeScript =
    prelude + #"""
        find_file "$entrypoint"
        # Archives often lose the mode bits.
        if [ ! -x "./$entrypoint" ] && ! chmod u+x "./$entrypoint"; then
            fail 126 "entrypoint '$entrypoint' in $code is not executable, and its mode can't be changed by this user"
        fi
        exec "./$entrypoint"

        """#

let dotnetScript =
    prelude + #"""
        find_file "$entrypoint"
        find_command dotnet
        exec dotnet "./$entrypoint"

        """#

// No flags: on one CPU or below 1792 MB the JVM takes its serial collector anyway, and flags here would win over the
// ones an operator sets in JAVA_TOOL_OPTIONS.
let jvmScript =
    prelude + #"""
        jar=${entrypoint%%:*}
        find_file "$jar"
        find_command java
        case $entrypoint in
        *:*) exec java -cp "./$jar" "${entrypoint#*:}" ;;
        *) exec java -jar "./$jar" ;;
        esac

        """#

private let prelude = #"""
    #!/bin/sh
    # Starts a bot. This text is the same for every bot: whatever differs comes from the environment.
    #   SCRIPT_PATH     the file to start, relative to the code
    #   CODE_MOUNT_DIR  the code's directory, without the leading slash (bot)
    #   THE0_CODE_DIR   the code's directory as an absolute path, where it isn't /$CODE_MOUNT_DIR
    # Exit codes of this script: 78 bad environment, 126 can't be run, 127 not found. All others are the bot's.
    set -u

    fail() {
        printf 'the0: %s\n' "$2" >&2
        exit "$1"
    }

    find_file() {
        [ -e "./$1" ] || fail 127 "entrypoint '$1' not found: there is no such file in $code"
        [ -f "./$1" ] || fail 126 "entrypoint '$1' in $code is not a file"
        [ -r "./$1" ] || fail 126 "entrypoint '$1' in $code can't be read by this user"
    }

    find_command() {
        command -v "$1" >/dev/null || fail 127 "'$1' not found: this image has none on its PATH (${PATH-})"
    }

    case $0 in
    */*) here=${0%/*} ;;
    *) here=. ;;
    esac
    # shellcheck disable=SC2034 # only the scripts with a wrapper use it
    here=$(CDPATH='' cd -- "${here:-/}" && pwd) || fail 127 "the directory of $0 is not accessible"
    code=${THE0_CODE_DIR:-/${CODE_MOUNT_DIR:-bot}}
    entrypoint=${SCRIPT_PATH:-}
    [ -n "$entrypoint" ] || fail 78 "SCRIPT_PATH is not set: it names the file to start, relative to $code"
    CDPATH='' cd -- "$code" || fail 127 "the code's directory $code is not accessible"

    """#
