/// The program's own version.
enum RuntimeVersion {
    static let current = "0.1.0"
}
