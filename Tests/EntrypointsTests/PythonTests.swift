import Entrypoints
import Foundation
import Testing

/// Python files by what they print, all called with id `bot-1` and config `{"a": "b"}`.
private let callForms: [(name: String, source: String, prints: String)] = [
    ("two", "def main(id, config): print(id, config)", "bot-1 {'a': 'b'}\n"),
    ("none", "def main(): print('called')", "called\n"),
    ("one", "def main(bot_id): print(bot_id)", "bot-1\n"),
    ("one that is the config", "def main(config): print(config)", "{'a': 'b'}\n"),
    ("defaults", "def main(id=None, config=None, more=3): print(id, config, more)", "bot-1 {'a': 'b'} 3\n"),
    ("variadic", "def main(*args): print(args)", "('bot-1', {'a': 'b'})\n"),
    ("one and variadic", "def main(id, *rest): print(id, rest)", "bot-1 ({'a': 'b'},)\n"),
    ("keyword-only", "def main(*, config, bot_id): print(bot_id, config)", "bot-1 {'a': 'b'}\n"),
    ("one and keyword-only", "def main(id, *, config=None): print(id, config)", "bot-1 {'a': 'b'}\n"),
    ("keywords", "def main(**all): print(sorted(all.items()))", "[('bot_id', 'bot-1'), ('config', {'a': 'b'})]\n"),
    ("positional-only", "def main(id, config, /): print(id, config)", "bot-1 {'a': 'b'}\n"),
    ("partial", "import functools\nmain = functools.partial(print, 'first')", "first bot-1 {'a': 'b'}\n"),
    ("callable object", "class Bot:\n  def __call__(self, id, c): print(id)\nmain = Bot()", "bot-1\n"),
    ("async", "import asyncio\nasync def main(id): await asyncio.sleep(0); print(id)", "bot-1\n"),
    ("future", "async def inner(): print('ran')\ndef main(): return inner()", "ran\n"),
    ("conditional", "if True:\n  def main(): print('one')\nelse:\n  def main(): print('two')", "one\n"),
    ("imported", "from inner import main", "inner\n"),
    ("star import", "from inner import *", "inner\n"),
    (
        "decorated",
        "import functools\ndef w(f):\n  @functools.wraps(f)\n  def g(*a): return f(*a)\n  return g\n@w\ndef main(id): print(id)",
        "bot-1\n"
    ),
    // The guard is for trying the bot by hand, or calls main itself: once in either case.
    ("guard", "def main(id, config): print(id)\nif __name__ == '__main__': main('by hand', {})", "bot-1\n"),
    ("guard, other quotes", "def main(): print('x')\nif \"__main__\" == __name__ and 1 < 2:\n  main()", "x\n"),
    (
        "async guard", "import asyncio\nasync def main(): print('x')\nif __name__ == '__main__': asyncio.run(main())",
        "x\n"
    ),
    ("guard calls with more", "def main(a, b, c): print(a, b, c)\nif __name__ == '__main__': main(1, 2, 3)", "1 2 3\n"),
    ("unguarded call", "def main(): print('x')\nmain()", "x\n"),
    ("unguarded exit", "import sys\ndef main(): print('x'); return 0\nsys.exit(main())", "x\n"),
    ("unguarded in try", "def main(): print('x')\ntry:\n  main()\nfinally:\n  print('y')", "x\ny\n"),
    ("no main", "print(__name__)", "__main__\n"),
    ("no main, guarded", "print(1)\nif __name__ == '__main__': print(2)", "1\n2\n"),
    ("guard for two names", "def main(): print('x')\nif __name__ in ('__main__', 'bot'): main()", "x\n"),
    ("main is a module", "import inner as main\nif __name__ == '__main__': main.main()", "inner\n"),
    ("main is a constant", "main = 7\nprint(main)", "7\n"),
    ("empty", "", ""),
]

@Suite struct PythonTests {
    @Test(arguments: callForms)
    func mainIsCalledOnceWithAsMuchAsItTakes(form: (name: String, source: String, prints: String)) async throws {
        let files = ["bot.py": form.source, "inner.py": "def main(): print('inner')"]
        let bot = try Bot(.python, "bot.py", files: files, config: #"{"a": "b"}"#)
        let ended = try await bot.run()
        #expect(ended.stdout == form.prints, "\(form.name)")
        #expect(ended.stderr == "")
        #expect(ended.code == 0)
    }

    @Test(arguments: hostileValues, Bot.Shell.allCases)
    func f41ValuesArriveAsTheyAreAndRunNothing(value: String, shell: Bot.Shell) async throws {
        let source = "import json\ndef main(id, config): print(json.dumps([id, config]), end='')"
        let config = String(decoding: try JSONEncoder().encode(["key": value]), as: UTF8.self)
        var bot = try Bot(.python, "bot.py", files: ["bot.py": source], id: value, config: config)
        bot.shell = shell
        let ended = try await bot.run()
        #expect(ended.code == 0, "\(ended.stderr)")
        let seen = try JSONDecoder().decode(IdAndConfig.self, from: Data(ended.stdout.utf8))
        #expect(seen.id == value)
        #expect(seen.config == ["key": value])
        #expect(try bot.names() == ["bot.py", "result.json"])
    }

    @Test(arguments: pythons())
    func everyPythonHereRunsTheWrapper(python: String) async throws {
        let source = """
            import asyncio, sys
            async def main(id, config):
                await asyncio.sleep(0)
                print(sys.executable, id, config, flush=True)
                return {"id": id}
            """
        let bot = try Bot(.python, "bot.py", files: ["bot.py": source])
        try bot.command("python3", "exec \(python) \"$@\"")
        let ended = try await bot.run()
        #expect(ended.stderr == "")
        #expect(ended.code == 0)
        #expect(ended.stdout.contains("bot-1 {}"))
        #expect(try bot.result() == ["id": "bot-1"])
    }

    @Test func modulesBesideAboveAndInVendorAreImportable() async throws {
        let files = [
            "src/bot.py": """
            import beside, above, vendored, pack.deep
            from . import beside as same
            from .sub.inner import value
            def main():
                import src.bot, sys
                assert src.bot.main is main and __name__ == "src.bot"
                assert sys.argv == [__file__]
                print(beside.x, above.x, vendored.x, pack.deep.x, same.x, value)
            """,
            "src/beside.py": "x = 1",
            "above.py": "x = 2",
            "vendor/vendored.py": "x = 3",
            "src/vendor/pack/deep.py": "x = 4",
            "src/sub/inner.py": "from ..beside import x as value",
        ]
        let bot = try Bot(.python, "src/bot.py", files: files)
        let ended = try await bot.run()
        #expect(ended.stdout == "1 2 3 4 1 1\n")
        #expect(ended.stderr == "")
    }

    @Test func scriptsWithoutMainImportTheSameWay() async throws {
        let files = [
            "src/bot.py": "from .a import x\nimport a, b\nprint(x, a.x, b.x)", "src/a.py": "x = 1", "b.py": "x = 2",
        ]
        let ended = try await Bot(.python, "src/bot.py", files: files).run()
        #expect(ended.stdout == "1 1 2\n")
        #expect(ended.stderr == "")
    }

    @Test func theWrappersDirectoryIsNotOnThePath() async throws {
        let source = "import sys\nfor entry in sys.path: print(entry)\nimport the0_python"
        let bot = try Bot(.python, "bot.py", files: ["bot.py": source])
        let ended = try await bot.run()
        #expect(ended.stdout.contains("code dir"))
        #expect(!ended.stdout.contains("the 0"))
        #expect(ended.stderr.contains("ModuleNotFoundError"))
        #expect(ended.code == 1)
    }

    @Test func aBotNamedAsAModuleOfTheLibraryRuns() async throws {
        let bot = try Bot(.python, "json.py", files: ["json.py": "import signal\ndef main(id): print(id)"])
        let ended = try await bot.run()
        #expect(ended.stdout == "bot-1\n")
        #expect(ended.code == 0)
    }

    @Test func processesSpawnedByTheBotFindItsFunctions() async throws {
        let source = """
            import multiprocessing
            def square(x): return x * x
            def main():
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    print(pool.map(square, [2, 3]))
            """
        let ended = try await Bot(.python, "bot.py", files: ["bot.py": source]).run()
        #expect(ended.stdout == "[4, 9]\n")
        #expect(ended.stderr == "")
    }

    @Test func outputIsUnbufferedAndInformationIsLogged() async throws {
        let source = """
            import logging, os
            logging.info("early")
            def main():
                print("out", end="")
                os._exit(0)
            """
        let ended = try await Bot(.python, "bot.py", files: ["bot.py": source]).run()
        #expect(ended.stdout == "out")
        #expect(ended.stderr == "INFO:root:early\n")
    }

    @Test func theBotsOwnLoggingSetupTakesEffect() async throws {
        let source = """
            import logging
            logging.basicConfig(level=logging.DEBUG, format="own %(message)s")
            def main(): logging.debug("text")
            """
        let ended = try await Bot(.python, "bot.py", files: ["bot.py": source]).run()
        #expect(ended.stderr == "own text\n")
    }

    @Test func aConfigThatIsNoJSONIsNamedWithoutItsText() async throws {
        let bot = try Bot(.python, "bot.py", files: ["bot.py": "def main(): print('ran')"], config: "{secret")
        let ended = try await bot.run()
        #expect(ended.code == EntrypointExitCode.badEnvironment)
        #expect(ended.stderr.contains("BOT_CONFIG is not JSON"))
        #expect(!(ended.stderr + (bot.text("result.json") ?? "")).contains("secret"))
        #expect(ended.stdout == "")
    }

    @Test func aSyntaxErrorShowsItsLineAndNothingOfTheWrapper() async throws {
        let ended = try await Bot(.python, "bot.py", files: ["bot.py": "x = 1\ndef main(:\n"]).run()
        #expect(ended.code == 1)
        #expect(ended.stderr.contains("bot.py\", line 2"))
        #expect(!ended.stderr.contains("the0_python"))
    }
}

/// The python3 that the scripts would find, the system's, and pyenv's from 3.8 on.
private func pythons() -> [String] {
    let versions = NSString("~/.pyenv/versions").expandingTildeInPath
    let names = (try? FileManager.default.contentsOfDirectory(atPath: versions)) ?? []
    let usable = names.filter { name in
        let parts = name.split(separator: ".").compactMap { Int($0) }
        return parts.count == 3 && parts[0] == 3 && parts[1] >= 8
    }
    return ["/usr/bin/python3"] + usable.sorted().map { "\(versions)/\($0)/bin/python3" }
}
