import Entrypoints
import Foundation
import Testing

/// How Python bots end: exit code, result.json, SIGTERM.
@Suite struct PythonEndTests {
    private static let ends: [(source: String, code: Int32, stderr: String, result: String)] = [
        ("def main(): raise ValueError('boom')", 1, "ValueError: boom", #"{"status": "error", "message": "boom"}"#),
        ("raise ValueError('top')", 1, "ValueError: top", #"{"status": "error", "message": "top"}"#),
        ("import sys\ndef main(): sys.exit(7)", 7, "", #"{"status": "error", "message": "Bot exited with 7"}"#),
        (
            "import sys\ndef main(): sys.exit('why')", 1, "why",
            #"{"status": "error", "message": "Bot exited with why"}"#
        ),
        ("import sys\nsys.exit(9)", 9, "", #"{"status": "error", "message": "Bot exited with 9"}"#),
        (
            "import sys\ndef main(): sys.exit()", 0, "",
            #"{"status": "success", "message": "Bot executed successfully"}"#
        ),
        ("def main(): pass", 0, "", #"{"status": "success", "message": "Bot executed successfully"}"#),
        ("async def main(): raise KeyError('k')", 1, "KeyError: 'k'", #"{"status": "error", "message": "'k'"}"#),
        ("def main(): return {'pnl': [1.5, None]}", 0, "", #"{"pnl": [1.5, null]}"#),
        ("def main(): return [1, 'ż']", 0, "", #"[1, "\u017c"]"#),
        ("def main(): return False", 0, "", "false"),
        (
            "def main(): return object()", 0, "no JSON form",
            #"{"status": "success", "message": "Bot executed successfully"}"#
        ),
        (
            "def main(): return float('nan')", 0, "no JSON form",
            #"{"status": "success", "message": "Bot executed successfully"}"#
        ),
        (
            "def main(a, b, c): pass", 1, "missing 1 required",
            #"{"status": "error", "message": "main() missing 1 required positional argument: 'c'"}"#
        ),
        ("def main(): yield 1", 1, "generator", ""),
        ("import os\ndef main(): os._exit(5)", 5, "", ""),
        ("def main(): open('result.json', 'w').write('mine'); raise SystemExit(3)", 3, "", "mine"),
        ("def main(): open('result.json', 'w').write('mine'); return {'not': 'this'}", 0, "", "mine"),
        (
            "import os\ndef main(): open('result.json', 'w').write('mine'); os.chdir('/'); 1 / 0", 1,
            "ZeroDivisionError", "mine"
        ),
        ("import atexit\ndef main(): atexit.register(lambda: open('result.json', 'w').write('late'))", 0, "", "late"),
        (
            "import sys\nsys.excepthook = lambda t, v, b: print('hook', v, file=sys.stderr)\ndef main(): 1 / 0", 1,
            "hook division", ""
        ),
    ]

    @Test(arguments: ends)
    func f42ExitCodeAndResultAreTheBotsOwn(end: (source: String, code: Int32, stderr: String, result: String))
        async throws
    {
        let bot = try Bot(.python, "bot.py", files: ["bot.py": end.source])
        let ended = try await bot.run()
        #expect(ended.code == end.code)
        #expect(end.stderr.isEmpty ? ended.stderr == "" : ended.stderr.contains(end.stderr), "\(ended.stderr)")
        #expect(!ended.stderr.contains("the0_python.py"))
        if !end.result.isEmpty { #expect(bot.text("result.json") == end.result) }
        #expect(try bot.names().subtracting(["result.json"]) == ["bot.py"])
    }

    @Test func f42AnOldResultIsNotTakenForThisRuns() async throws {
        let files = ["bot.py": "def main(): 1 / 0", "result.json": #"{"status": "success"}"#]
        let bot = try Bot(.python, "bot.py", files: files)
        #expect(try await bot.run().code == 1)
        #expect(try bot.result()?["status"] == "error")
    }

    @Test func f42AResultThatCannotBeWrittenChangesNoExitCode() async throws {
        let bot = try Bot(.python, "bot.py", files: ["bot.py": "import os\ndef main(): os.mkdir('result.json')"])
        let ended = try await bot.run()
        #expect(ended.code == 0)
        #expect(bot.text("result.json") == nil)
        let broken = try Bot(.python, "bot.py", files: ["bot.py": "def main(): return 1", "result.json/x": ""])
        let other = try await broken.run()
        #expect(other.code == 0)
        #expect(other.stderr.contains("result.json can't be written"))
        #expect(try broken.names() == ["bot.py", "result.json"])
    }

    private static let stops: [(source: String, code: Int32, prints: String, result: String)] = [
        ("def main():\n  print('ready')\n  while True: pass", 143, "", "terminated"),
        ("print('ready')\nwhile True: pass", 143, "", "terminated"),
        (
            "import time\ndef main():\n  print('ready')\n  try: time.sleep(60)\n  finally: print('cleaned')", 143,
            "cleaned\n", "terminated"
        ),
        (
            "import time\ndef main():\n  print('ready')\n  while True:\n    try: time.sleep(60)\n    except Exception: pass",
            143, "", "terminated"
        ),
        (
            "import atexit, time\natexit.register(print, 'exit')\ndef main(): print('ready'); time.sleep(60)",
            143, "exit\n", "terminated"
        ),
        (
            """
            import asyncio
            async def other():
                try: await asyncio.sleep(60)
                finally: print("other")
            async def main():
                task = asyncio.ensure_future(other())
                await asyncio.sleep(0)
                print("ready")
                try: await asyncio.sleep(60)
                finally: print("main")
            """, 143, "main\nother\n", "terminated"
        ),
        (
            """
            import signal, sys, time
            def stop(*_): print("own"); sys.exit(4)
            def main():
                signal.signal(signal.SIGTERM, stop)
                print("ready")
                time.sleep(60)
            """, 4, "own\n", "error"
        ),
        (
            "import time\ndef main():\n  print('ready')\n  try: time.sleep(60)\n  except SystemExit: return", 0, "",
            "terminated"
        ),
        (
            "import time, sys\ndef main():\n  print('ready')\n  try: time.sleep(60)\n  finally: sys.exit(9)", 9, "",
            "error"
        ),
        (
            """
            import threading, time
            stop = threading.Event()
            def work():
                stop.wait()
                print("worker cleaned")
            def main():
                threading.Thread(target=work).start()
                try:
                    print("ready")
                    time.sleep(60)
                finally:
                    stop.set()
            """, 143, "worker cleaned\n", "terminated"
        ),
        (
            """
            import concurrent.futures, time
            def main():
                pool = concurrent.futures.ThreadPoolExecutor()
                pool.submit(print, "ready").result()
                time.sleep(60)
            """, 143, "", "terminated"
        ),
        // main is over, its threads are the bot.
        (
            """
            import atexit, threading, time
            atexit.register(print, "exit")
            def work():
                print("ready")
                while True: time.sleep(0.01)
            def main(): threading.Thread(target=work).start()
            """, 143, "exit\n", "terminated"
        ),
    ]

    @Test(arguments: stops)
    func f43SigtermStopsAtOnceAndCleanupRuns(stop: (source: String, code: Int32, prints: String, result: String))
        async throws
    {
        let bot = try Bot(.python, "bot.py", files: ["bot.py": stop.source])
        let ended = try await bot.run(terminateAfter: "ready\n", limit: 25)
        #expect(ended.code == stop.code, "\(ended.stderr)")
        #expect(!ended.leftProcesses)
        #expect(ended.stdout == "ready\n" + stop.prints)
        #expect(try bot.result()?["status"] == stop.result)
    }

    @Test func f43AForkedChildDiesOfSigtermAndRunsNoCleanupOfTheBots() async throws {
        let source = """
            import os, signal, time
            def main():
                try:
                    child = os.fork()
                    if child == 0:
                        time.sleep(60)
                    os.kill(child, signal.SIGTERM)
                    print(os.WTERMSIG(os.waitpid(child, 0)[1]))
                finally:
                    print("cleaned")
            """
        let ended = try await Bot(.python, "bot.py", files: ["bot.py": source]).run()
        #expect(ended.stdout == "15\ncleaned\n")
        #expect(ended.code == 0)
    }
}
