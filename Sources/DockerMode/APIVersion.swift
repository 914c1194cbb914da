import Model

/// A version of the engine's API, as `1.41`.
struct APIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    let major: Int
    let minor: Int

    /// The newest version whose answers this program was written for.
    static let newest = APIVersion(1, 47)
    /// The oldest: that of Docker 19.03 and of Podman 3.
    static let oldest = APIVersion(1, 40)

    init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]), major >= 0, minor >= 0 else {
            return nil
        }
        self.init(major, minor)
    }

    static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    var description: String { "\(major).\(minor)" }

    /// The version to speak with an engine.
    ///
    /// - Parameters:
    ///   - newest: the engine's newest.
    ///   - oldest: the engine's oldest, where it tells.
    /// - Throws: ``DockerError`` with code `refused` when the two have no version in common.
    static func agreed(engineNewest newest: APIVersion, oldest: APIVersion?) throws(DockerError) -> APIVersion {
        let choice = min(newest, APIVersion.newest)
        guard choice >= APIVersion.oldest, choice >= oldest ?? choice else {
            throw DockerError(
                .refused,
                "the engine speaks API versions \(oldest.map(\.description) ?? "?") to \(newest); "
                    + "this program speaks \(APIVersion.oldest) to \(APIVersion.newest)"
            )
        }
        return choice
    }
}
