import Entrypoints
import Foundation
import Testing

/// How Node bots end: exit code, result.json, SIGTERM.
@Suite struct NodeEndTests {
    private static let success = #"{"status":"success","message":"Bot executed successfully"}"#

    private static let ends: [(source: String, code: Int32, stderr: String, result: String)] = [
        ("exports.main = () => { throw new Error('boom') }", 1, "Error: boom", #"{"status":"error","message":"boom"}"#),
        (
            "exports.main = async () => { throw new Error('boom') }", 1, "Error: boom",
            #"{"status":"error","message":"boom"}"#
        ),
        ("exports.main = async () => { throw 'text' }", 1, "text", #"{"status":"error","message":"text"}"#),
        ("throw new Error('top')", 1, "Error: top", #"{"status":"error","message":"top"}"#),
        ("setTimeout(() => { throw new Error('late') })", 1, "Error: late", #"{"status":"error","message":"late"}"#),
        ("Promise.reject(new Error('lost'))", 1, "Error: lost", #"{"status":"error","message":"lost"}"#),
        (
            "exports.main = () => { Promise.reject(new Error('lost')); return new Promise((r) => setTimeout(r, 5000)) }",
            1, "Error: lost", #"{"status":"error","message":"lost"}"#
        ),
        ("exports.main = () => process.exit(7)", 7, "", #"{"status":"error","message":"Bot exited with 7"}"#),
        ("exports.main = () => { process.exitCode = 5 }", 5, "", #"{"status":"error","message":"Bot exited with 5"}"#),
        ("process.exit(9)", 9, "", #"{"status":"error","message":"Bot exited with 9"}"#),
        ("exports.main = () => process.exit(0)", 0, "", success),
        ("exports.main = () => new Promise(() => {})", 13, "can never happen", ""),
        ("exports.main = () => ({ pnl: [1.5, null] })", 0, "", #"{"pnl":[1.5,null]}"#),
        ("exports.main = async () => 0", 0, "", "0"),
        ("exports.main = () => null", 0, "", success),
        ("exports.main = () => 1n", 0, "no JSON form", success),
        ("exports.main = () => () => 1", 0, "no JSON form", success),
        ("exports.main = () => { require('fs').writeFileSync('result.json', 'mine'); process.exit(3) }", 3, "", "mine"),
        (
            "exports.main = () => { require('fs').writeFileSync('result.json', 'mine'); return { not: 'this' } }", 0,
            "", "mine"
        ),
        (
            "exports.main = () => { require('fs').writeFileSync('result.json', 'mine'); process.chdir('/'); throw new Error('e') }",
            1, "Error: e", "mine"
        ),
        ("process.on('exit', () => require('fs').writeFileSync('result.json', 'late'))", 0, "", "late"),
        (
            "process.on('uncaughtException', (e) => { console.error('own', e.message); process.exit(8) })\nexports.main = async () => { throw new Error('boom') }",
            8, "own boom", ""
        ),
        (
            "process.on('uncaughtException', () => console.error('swallowed'))\nexports.main = async () => { throw new Error('boom') }",
            1, "swallowed", ""
        ),
        ("const x = ;", 1, "SyntaxError", ""),
        ("require('./missing')", 1, "Cannot find module", ""),
    ]

    @Test(arguments: ends)
    func f42ExitCodeAndResultAreTheBotsOwn(end: (source: String, code: Int32, stderr: String, result: String))
        async throws
    {
        let bot = try Bot(.node, "bot.js", files: ["bot.js": end.source])
        let ended = try await bot.run(limit: 20)
        #expect(ended.code == end.code)
        #expect(end.stderr.isEmpty ? ended.stderr == "" : ended.stderr.contains(end.stderr), "\(ended.stderr)")
        if end.result.isEmpty {
            #expect(try bot.result()?["status"] == "error")
        } else {
            #expect(bot.text("result.json") == end.result)
        }
        #expect(try bot.names().subtracting(["result.json"]) == ["bot.js"])
    }

    @Test func f42AnErrorInAnESModuleIsAnError() async throws {
        let bot = try Bot(
            .node,
            "bot.mjs",
            files: ["bot.mjs": "export default async () => { throw new Error('boom') }"]
        )
        let ended = try await bot.run()
        #expect(ended.code == 1)
        #expect(ended.stderr.contains("Error: boom"))
        #expect(try bot.result() == ["status": "error", "message": "boom"])
    }

    @Test func f42AnOldResultIsNotTakenForThisRuns() async throws {
        let files = ["bot.js": "throw new Error('x')", "result.json": #"{"status": "success"}"#]
        let bot = try Bot(.node, "bot.js", files: files)
        #expect(try await bot.run().code == 1)
        #expect(try bot.result()?["status"] == "error")
    }

    @Test func f42AResultThatCannotBeWrittenChangesNoExitCode() async throws {
        let bot = try Bot(.node, "bot.js", files: ["bot.js": "exports.main = () => 1", "result.json/x": ""])
        let ended = try await bot.run()
        #expect(ended.code == 0)
        #expect(ended.stderr.contains("result.json can't be written"))
        #expect(try bot.names() == ["bot.js", "result.json"])
    }

    private static let stops: [(source: String, code: Int32, prints: String, result: String)] = [
        ("setInterval(() => {}, 1000); console.log('ready')", 143, "", "terminated"),
        (
            "exports.main = async () => { console.log('ready'); for (;;) await new Promise((r) => setTimeout(r, 5)) }",
            143, "", "terminated"
        ),
        (
            "process.on('exit', (c) => console.log('exit', c)); setInterval(() => {}, 1000); console.log('ready')",
            143, "exit 143\n", "terminated"
        ),
        (
            """
            process.on('SIGTERM', () => setTimeout(() => { console.log('own'); process.exit(4) }, 20))
            setInterval(() => {}, 1000)
            console.log('ready')
            """, 4, "own\n", "error"
        ),
        (
            """
            const timer = setInterval(() => {}, 1000)
            process.once('SIGTERM', () => setTimeout(() => { clearInterval(timer); console.log('own') }, 20))
            console.log('ready')
            """, 0, "own\n", "success"
        ),
        (
            """
            exports.main = async () => {
              const listener = () => console.log('never')
              process.on('SIGTERM', listener)
              await null
              process.off('SIGTERM', listener)
              console.log('ready')
              await new Promise((r) => setTimeout(r, 60000))
            }
            """, 143, "", "terminated"
        ),
        (
            """
            exports.main = () => new Promise((resolve) => {
              const timer = setInterval(() => {}, 1000)
              process.on('SIGTERM', () => { clearInterval(timer); resolve({ status: 'stopped' }) })
              console.log('ready')
            })
            """, 0, "", "stopped"
        ),
        // A second signal finds no listener: at once.
        (
            """
            process.once('SIGTERM', () => { console.log('first'); process.kill(process.pid, 'SIGTERM') })
            setInterval(() => {}, 1000)
            console.log('ready')
            """, 143, "first\n", "terminated"
        ),
    ]

    @Test(arguments: stops)
    func f43SigtermStopsAtOnceAndCleanupRuns(stop: (source: String, code: Int32, prints: String, result: String))
        async throws
    {
        let bot = try Bot(.node, "bot.js", files: ["bot.js": stop.source])
        let ended = try await bot.run(terminateAfter: "ready\n", limit: 25)
        #expect(ended.code == stop.code, "\(ended.stderr)")
        #expect(!ended.leftProcesses)
        #expect(ended.stdout == "ready\n" + stop.prints)
        #expect(try bot.result()?["status"] == stop.result)
    }
}
