import Glibc
import Subprocess

extension LocalRunner {
    /// What of this process's environment its own program may need to start once more: where its libraries lie.
    static var loaderVariables: [Environment.Key: String] {
        var variables: [Environment.Key: String] = [:]
        if let path = getenv("LD_LIBRARY_PATH") { variables["LD_LIBRARY_PATH"] = String(cString: path) }
        return variables
    }
}

extension String {
    /// What stands before the first line end.
    var firstLine: String { String(prefix { $0 != "\n" }) }
}
