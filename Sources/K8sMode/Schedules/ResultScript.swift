import Model
import Runtime

/// How the result of a run leaves its Pod.
///
/// The API gives no file of a container that has ended. What it does give is the container's termination message, of which the
/// kubelet keeps 4096 bytes: so a script that waits for the bot writes `/bot/result.json` there, or how large it is.
enum ResultScript {
    /// The entry in the Secret, and the file beside the start scripts.
    static let name = "the0_once.sh"
    /// The most bytes that the kubelet keeps of a termination message.
    static let limit = 4096
    /// What a message begins with that stands in the place of a result.
    private static let refusal = "the0: result.json "

    /// Takes what starts the bot as its arguments. POSIX sh only.
    ///
    /// The bot is waited for and not executed in the script's place, so signals are passed on; its exit code is the script's.
    static let text = #"""
        #!/bin/sh
        # Runs a bot to its end, and leaves its result where Kubernetes keeps it.
        set -u
        message=${THE0_MESSAGE:-/dev/termination-log}
        bot=
        stopped=
        # shellcheck disable=SC2064,SC2154 # read when the signal comes
        trap 'stopped=1; [ -z "$bot" ] || kill -TERM "$bot" 2>/dev/null' TERM INT HUP
        "$@" &
        bot=$!
        [ -z "$stopped" ] || kill -TERM "$bot" 2>/dev/null
        while :; do
            wait "$bot"
            code=$?
            # A signal ends the waiting, not the bot; one that has ended and wasn't waited for is still there.
            kill -0 "$bot" 2>/dev/null || break
        done
        result=${THE0_CODE_DIR:-/${CODE_MOUNT_DIR:-bot}}/result.json
        if [ -h "$result" ] || { [ -e "$result" ] && [ ! -f "$result" ]; }; then
            printf 'the0: result.json is no file' >"$message"
        elif [ -f "$result" ]; then
            size=$(wc -c <"$result") || size=unknown
            if [ "$size" -le 4096 ] 2>/dev/null; then
                cat "$result" >"$message"
            else
                printf 'the0: result.json has %s bytes' "$size" >"$message"
            fi
        else
            : >"$message"
        fi
        exit "$code"

        """#

    /// The result in a container's termination message; nil where there was none.
    /// - Throws: `RunnerError` with code `refused` for a result that isn't to be had.
    static func result(in message: String, limit: Int) throws(RunnerError) -> [UInt8]? {
        if message.hasPrefix(refusal) {
            throw RunnerError(
                .refused,
                "\(message.onOneLine.dropFirst("the0: ".count)); on Kubernetes it may be a file of at most \(Self.limit) bytes"
            )
        }
        let bytes = Array(message.utf8)
        guard !bytes.isEmpty else { return nil }
        guard bytes.count <= limit else {
            throw RunnerError(.refused, "result.json has \(bytes.count) bytes; allowed are \(limit)")
        }
        return bytes
    }
}
