/// A setting's names.
struct SettingKey: Sendable, Hashable {
    /// The flag's name, and the key in a settings file.
    let name: String
    /// The environment variables that set it, in order.
    let variables: [String]
    /// Whether its value must not be shown.
    let isSecret: Bool
    /// Whether a settings file may give a list or a mapping.
    let isList: Bool

    init(_ name: String, _ variables: String..., isSecret: Bool = false, isList: Bool = false) {
        self.name = name
        self.variables = variables
        self.isSecret = isSecret
        self.isList = isList
    }
}
