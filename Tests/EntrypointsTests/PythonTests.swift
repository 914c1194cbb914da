import Entrypoints
import Foundation
import Testing

@Suite struct PythonTests {
    private let echo = """
        import json
        def main(id, config):
            print(json.dumps([id, config]), end="")
        """

    @Test(arguments: hostileValues, Bot.Shell.allCases)
    func f41ValuesArriveAsTheyAreAndRunNothing(value: String, shell: Bot.Shell) async throws {
        let config = String(decoding: try JSONEncoder().encode(["key": value]), as: UTF8.self)
        var bot = try Bot(.python, "main.py", files: ["main.py": echo], id: value, config: config)
        bot.shell = shell
        let ended = try await bot.run()
        #expect(ended.code == 0, "\(ended.stderr)")
        let seen = try JSONDecoder().decode(IdAndConfig.self, from: Data(ended.stdout.utf8))
        #expect(seen.id == value)
        #expect(seen.config == ["key": value])
        #expect(try bot.names() == ["main.py", "result.json"])
    }
}

/// `[id, config]` as the bots of these tests print it.
struct IdAndConfig: Decodable {
    var id: String
    var config: [String: String]

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        id = try container.decode(String.self)
        config = try container.decode([String: String].self)
    }
}
