import Entrypoints
import Foundation
import Testing

/// JavaScript files by what they print, all called with id `bot-1` and config `{"a": "b"}`.
private let callForms: [(name: String, source: String, prints: String)] = [
    ("bot.js", "module.exports.main = (id, config) => console.log(id, config)", "bot-1 { a: 'b' }\n"),
    ("bot.js", "exports.default = async (id) => { await null; console.log(id) }", "bot-1\n"),
    ("bot.js", "module.exports = function (id) { console.log(id) }", "bot-1\n"),
    (
        "bot.js", "exports.__esModule = true; exports.default = { main(id) { console.log(id, this.x) }, x: 1 }",
        "bot-1 1\n"
    ),
    ("bot.js", "const m = require.main === module; console.log(m, process.argv[1] === __filename)", "true true\n"),
    ("bot.js", "console.log(require('path').basename(require.main.filename))", "bot.js\n"),
    ("bot.js", "module.exports = { helper: 1 }; console.log('ran')", "ran\n"),
    ("bot.js", "setTimeout(() => console.log('later'), 5)", "later\n"),
    ("bot.cjs", "exports.main = () => import('./inner.mjs').then(m => console.log(m.x))", "1\n"),
    ("bot.mjs", "export async function main(id, config) { console.log(id, config) }", "bot-1 { a: 'b' }\n"),
    ("bot.mjs", "export default (id) => console.log(id)", "bot-1\n"),
    ("bot.mjs", "export default { main: (id) => console.log(id) }", "bot-1\n"),
    ("bot.mjs", "const main = (id) => console.log(id)\nexport { main }", "bot-1\n"),
    ("bot.mjs", "import { x } from './inner.mjs'\nconsole.log(await Promise.resolve(x))", "1\n"),
    ("esm/bot.js", "export default (id) => console.log(id)", "bot-1\n"),
    ("esm/bot.js", "import { x } from '../inner.mjs'; console.log(x, typeof require)", "1 undefined\n"),
    ("bot", "exports.main = (id) => console.log(id)", "bot-1\n"),
    // Guards are for trying the bot by hand, or start it: once in either case.
    (
        "bot.js",
        "const main = (id) => console.log(id)\nif (require.main === module) main('by hand')\nmodule.exports = { main }",
        "bot-1\n"
    ),
    ("bot.js", "function main() { console.log('x') }\nif (require.main === module) {\n  main()\n}", "x\n"),
    ("bot.js", "exports.helper = 1\nif (module === require.main) console.log('x')", "x\n"),
    ("bot.js", "const api = { x: 1 }\nmodule.exports = api\nif (require.main === module) console.log('x')", "x\n"),
    ("bot.js", "// if (require.main === module) main()\nexports.main = (id) => console.log(id)", "bot-1\n"),
    (
        "bot.js", "async function main() { console.log('x') }\nmain().catch(console.error)\nmodule.exports = { main }",
        "x\n"
    ),
    (
        "bot.mjs",
        "import { fileURLToPath } from 'url'\nexport const main = (id) => console.log(id)\nif (process.argv[1] === fileURLToPath(import.meta.url)) main('by hand')",
        "bot-1\n"
    ),
    (
        "bot.mjs",
        "import { fileURLToPath } from 'url'\nif (process.argv[1] === fileURLToPath(import.meta.url)) console.log('x')",
        "x\n"
    ),
    ("bot.mjs", "async function main() { console.log('x') }\nawait main()\nexport default main", "x\n"),
    ("a b?#%41'$(x).js", "exports.main = (id) => console.log(id)", "bot-1\n"),
    ("a b?#%41'$(x).mjs", "export const main = (id) => console.log(id)", "bot-1\n"),
    ("-e.js", "exports.main = (id) => console.log(id)", "bot-1\n"),
    ("bot.js", "", ""),
]

@Suite struct NodeTests {
    @Test(arguments: callForms)
    func theExportedFunctionIsCalledOnce(form: (name: String, source: String, prints: String)) async throws {
        let files = [
            form.name: form.source, "inner.mjs": "export const x = 1", "esm/package.json": #"{"type": "module"}"#,
            "package.json": "{}",
        ]
        let bot = try Bot(.node, form.name, files: files, config: #"{"a": "b"}"#)
        let ended = try await bot.run()
        #expect(ended.stdout == form.prints)
        #expect(ended.stderr == "")
        #expect(ended.code == 0)
        #expect(try bot.result()?["status"] == "success")
    }

    @Test(arguments: hostileValues, Bot.Shell.allCases)
    func f41ValuesArriveAsTheyAreAndRunNothing(value: String, shell: Bot.Shell) async throws {
        let source = "exports.main = (id, config) => process.stdout.write(JSON.stringify([id, config]))"
        let config = String(decoding: try JSONEncoder().encode(["key": value]), as: UTF8.self)
        var bot = try Bot(.node, "bot.js", files: ["bot.js": source], id: value, config: config)
        bot.shell = shell
        let ended = try await bot.run()
        #expect(ended.code == 0, "\(ended.stderr)")
        let seen = try JSONDecoder().decode(IdAndConfig.self, from: Data(ended.stdout.utf8))
        #expect(seen.id == value)
        #expect(seen.config == ["key": value])
        #expect(try bot.names() == ["bot.js", "result.json"])
    }

    @Test func anEntrypointWithoutItsExtensionIsFound() async throws {
        let bot = try Bot(.node, "src/bot", files: ["src/bot.js": "exports.main = (id) => console.log(id)"])
        #expect(try await bot.run().stdout == "bot-1\n")
        let directory = try Bot(.node, "src", files: ["src/index.js": "exports.main = (id) => console.log(id)"])
        #expect(try await directory.run().stdout == "bot-1\n")
    }

    @Test func aMissingEntrypointIsNamed() async throws {
        let ended = try await Bot(.node, "src/bot.js").run()
        #expect(ended.code == EntrypointExitCode.notFound)
        #expect(ended.stderr.contains("entrypoint 'src/bot.js' not found"))
    }

    @Test func aConfigThatIsNoJSONIsNamedWithoutItsText() async throws {
        let bot = try Bot(
            .node,
            "bot.js",
            files: ["bot.js": "exports.main = () => console.log('ran')"],
            config: "secret}"
        )
        let ended = try await bot.run()
        #expect(ended.code == EntrypointExitCode.badEnvironment)
        #expect(ended.stderr.contains("BOT_CONFIG is not JSON"))
        #expect(!(ended.stderr + (bot.text("result.json") ?? "")).contains("secret"))
        #expect(ended.stdout == "")
    }

    @Test func aScheduledRunEndsWithItsMainAndARealtimeBotGoesOn() async throws {
        let source = "exports.main = () => { setTimeout(() => console.log('later'), 200); console.log('main') }"
        var bot = try Bot(.node, "bot.js", files: ["bot.js": source])
        #expect(try await bot.run().stdout == "main\n")
        bot.environment["BOT_TYPE"] = "realtime"
        #expect(try await bot.run().stdout == "main\nlater\n")
    }

    @Test func workersOfAClusterRunTheFunctionAndWriteNoResult() async throws {
        let source = """
            const cluster = require('cluster')
            exports.main = (id) => new Promise((resolve) => {
              if (cluster.isPrimary) cluster.fork().on('exit', () => resolve({ by: 'primary' }))
              else { console.log('worker', id); process.exit(0) }
            })
            """
        let bot = try Bot(.node, "bot.js", files: ["bot.js": source])
        let ended = try await bot.run()
        #expect(ended.stdout == "worker bot-1\n")
        #expect(try bot.result() == ["by": "primary"])
    }

    @Test func nothingIsLostOfLongOutput() async throws {
        let source = "exports.main = () => { console.log('x'.repeat(1 << 20)); console.error('y'.repeat(1 << 20)) }"
        let ended = try await Bot(.node, "bot.js", files: ["bot.js": source]).run()
        #expect(ended.stdout.utf8.count == (1 << 20) + 1)
        #expect(ended.stderr.utf8.count == (1 << 20) + 1)
    }
}
