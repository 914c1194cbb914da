let pythonWrapperName = "the0_python.py"

// Behaviour worth knowing before changing it:
// - v1.2.0 loaded the file under another name than `__main__` and called `main(id, config)`, so files with a guard for
//   trying the bot at home (`if __name__ == "__main__": main("test", {...})`) depend on the guard not firing. Files
//   that have no `main` for us, or call it themselves, run as `__main__`. Which one it is must be known before any of
//   it runs, hence the look at the syntax tree.
// - The bot runs on the main thread: only there can it set signal handlers.
// - SIGTERM becomes SystemExit, the exception that runs `finally` and passes `except Exception`.
let pythonWrapper = pythonPreamble + pythonMainSearch + pythonRunner

private let pythonPreamble = #"""
    """Runs a the0 bot: its file, then its main(id, config), and keeps exit code and result.json the bot's own."""

    import ast
    import atexit
    import importlib.machinery
    import importlib.util
    import inspect
    import json
    import logging
    import os
    import signal
    import sys
    import threading
    import types

    TERMINATED = 143
    BAD_ENVIRONMENT = 78
    # Threads that the bot leaves running have this long to end once SIGTERM has unwound the main thread.
    THREAD_GRACE_SECONDS = 5.0

    CODE = os.getcwd()
    RESULT = os.path.join(CODE, "result.json")
    BOT_PROCESS = os.getpid()


    class Sigterm(object):
        received = False
        # The bot has ended: what is left is to say so.
        too_late = False


    def on_sigterm(signum, frame):
        if Sigterm.too_late:
            return
        # A second SIGTERM ends the process at once.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        Sigterm.received = True
        raise SystemExit(TERMINATED)


    # A forked child dies of SIGTERM as any process would: the bot's cleanup is not its business. The signal is held
    # back meanwhile, for Python forgets what arrives before the child is set up.
    FORKING = threading.local()


    def before_fork():
        FORKING.mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


    def after_fork_in_parent():
        signal.pthread_sigmask(signal.SIG_SETMASK, FORKING.mask)


    def after_fork_in_child():
        if signal.getsignal(signal.SIGTERM) is on_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, FORKING.mask)


    def complain(message):
        print("the0: " + message, file=sys.stderr, flush=True)


    """#

private let pythonRunner = #"""
    # Running it.


    def relative_parts(script):
        return os.path.splitext(os.path.relpath(script, CODE))[0].split(os.sep)


    def package_name(script):
        """The package for relative imports: the directories between the code's root and the file."""
        parts = relative_parts(script)[:-1]
        return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


    def module_name(script):
        """The name by which the bot's other modules would import the file, for pickles and circular imports."""
        parts = relative_parts(script)
        if not all(part.isidentifier() for part in parts):
            return "main"
        parents = [os.path.join(CODE, *parts[:depth]) for depth in range(1, len(parts))]
        if any(os.path.exists(os.path.join(parent, "__init__.py")) for parent in parents):
            # The package's own code may import the file while it is only half run: that gets a module of its own.
            return ".".join(parts[:-1] + ["__bot__"])
        name = ".".join(parts)
        try:
            found = importlib.util.find_spec(name)
        except (ImportError, AttributeError, ValueError):
            return "main"
        # Not ours where the name means something else, such as a module in vendor/.
        return name if found is not None and found.origin == script else "main"


    def make_module(name, script):
        loader = importlib.machinery.SourceFileLoader(name, script)
        if name == "__main__":
            module = types.ModuleType(name)
            module.__file__ = script
            module.__loader__ = loader
            module.__package__ = package_name(script) or None
            module.__builtins__ = __builtins__
        else:
            spec = importlib.util.spec_from_file_location(name, script, loader=loader)
            module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        parent, _, leaf = name.rpartition(".")
        if parent in sys.modules:
            # What the import system does for modules that it loads itself.
            setattr(sys.modules[parent], leaf, module)
        return module


    def prepare_path(script):
        own = os.path.dirname(os.path.abspath(__file__))
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or CODE) != own]
        beside = os.path.dirname(script)
        wanted = [os.path.join(beside, "vendor"), os.path.join(CODE, "vendor"), beside, CODE]
        front = []
        for directory in wanted:
            if directory not in front and os.path.isdir(directory):
                front.append(directory)
        sys.path[:0] = front


    def read_config():
        try:
            return json.loads(os.environ.get("BOT_CONFIG") or "{}")
        except ValueError as error:
            # The decoder's message has a position, never the text: configs hold exchange keys.
            complain("BOT_CONFIG is not JSON: %s" % error)
            raise SystemExit(BAD_ENVIRONMENT)


    CONFIG_NAMES = ("config", "bot_config", "cfg", "conf", "configuration", "settings", "params", "parameters")
    ID_NAMES = ("id", "bot_id", "botId", "id_")


    def arguments_for(function, bot_id, config):
        """As many of (id, config) as the function takes."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return (bot_id, config), {}
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        keywords = {}
        for parameter in parameters:
            if parameter.kind == parameter.KEYWORD_ONLY and parameter.name in CONFIG_NAMES:
                keywords[parameter.name] = config
            elif parameter.kind == parameter.KEYWORD_ONLY and parameter.name in ID_NAMES:
                keywords[parameter.name] = bot_id
        if len(positional) >= 2 or any(p.kind == p.VAR_POSITIONAL for p in parameters):
            return (bot_id, config), {}
        if len(positional) == 1:
            return ((config if positional[0].name in CONFIG_NAMES else bot_id),), keywords
        if not keywords and any(p.kind == p.VAR_KEYWORD for p in parameters):
            keywords = {"bot_id": bot_id, "config": config}
        return (), keywords


    def call_main(function, bot_id, config):
        positional, keywords = arguments_for(function, bot_id, config)
        value = function(*positional, **keywords)
        if inspect.isgenerator(value) or inspect.isasyncgen(value):
            raise TypeError("main is a generator: calling it runs nothing of it; return a value instead of yielding")
        if inspect.iscoroutine(value):
            import asyncio

            return asyncio.run(value)
        if inspect.isawaitable(value):
            import asyncio

            async def wait():
                return await value

            value = asyncio.run(wait())
        return value


    def run_bot(script):
        sys.argv = [script]
        with open(script, "rb") as file:
            source = file.read()
        shape = Shape(ast.parse(source, filename=script))
        code = compile(source, script, "exec", dont_inherit=True)
        bot_id = os.environ.get("BOT_ID", "")
        if shape.main_is_ours:
            config = read_config()
            module = make_module(module_name(script), script)
            exec(code, module.__dict__)
            function = getattr(module, "main", None)
            if not callable(function):
                raise TypeError("main in %s is not callable" % script)
            return call_main(function, bot_id, config)
        module = make_module("__main__", script)
        exec(code, module.__dict__)
        function = getattr(module, "main", None)
        # `from bot import *` hides a main from the look at the syntax.
        if not shape.has_main and not shape.guarded and inspect.isfunction(function) and not shape.calls_main:
            return call_main(function, bot_id, read_config())
        return None


    # How it ended.


    class Outcome(object):
        def __init__(self, code, result):
            self.code = code
            self.result = result

        @property
        def status(self):
            """The code as the process will have it: sys.exit takes texts too."""
            if self.code is None:
                return 0
            return self.code if isinstance(self.code, int) else 1


    SUCCESS = {"status": "success", "message": "Bot executed successfully"}
    STOPPED = {"status": "terminated", "message": "Bot execution terminated by signal"}


    def exit_outcome(code):
        if Sigterm.received and code in (None, 0, TERMINATED):
            return Outcome(code, STOPPED)
        if code in (None, 0):
            return Outcome(code, SUCCESS)
        return Outcome(code, {"status": "error", "message": "Bot exited with %s" % (code,)})


    def report(error):
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        error.__traceback__ = trace
        try:
            sys.excepthook(type(error), error, trace)
        except Exception:
            sys.__excepthook__(type(error), error, trace)


    def attempt(script):
        try:
            value = run_bot(script)
        except SystemExit as error:
            return exit_outcome(error.code)
        except BaseException as error:
            report(error)
            return Outcome(1, {"status": "error", "message": str(error)})
        if value is not None:
            return Outcome(0, value)
        return exit_outcome(0)


    def end_threads_soon(outcome):
        """Ends the process though threads run on, but never while exit handlers do their work."""
        exiting = threading.Event()
        atexit.register(exiting.set)

        def watch():
            if exiting.wait(THREAD_GRACE_SECONDS):
                return
            complain("threads of the bot still run %g s after SIGTERM" % THREAD_GRACE_SECONDS)
            try:
                write_result(outcome)
                atexit._run_exitfuncs()
                sys.stdout.flush()
            finally:
                os._exit(outcome.status)

        threading.Thread(target=watch, daemon=True).start()


    def fingerprint():
        try:
            found = os.stat(RESULT)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


    def write_result(outcome):
        """Says how it ended, unless the bot itself has said so since it was started."""
        if os.getpid() != BOT_PROCESS or fingerprint() != RESULT_BEFORE:
            return
        try:
            text = json.dumps(outcome.result, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            complain("the value of main is not written to result.json, for it has no JSON form: %s" % error)
            text = json.dumps(SUCCESS)
        draft = "%s.%d" % (RESULT, os.getpid())
        try:
            with open(draft, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(draft, RESULT)
        except OSError as error:
            complain("result.json can't be written: %s" % error)
            try:
                os.remove(draft)
            except OSError:
                pass


    RESULT_BEFORE = fingerprint()


    def prepare_logging():
        """Shows messages from INFO on, as v1.2.0 did, but leaves logging.basicConfig to the bot."""
        last = logging.StreamHandler()
        last.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        logging.lastResort = last
        logging.getLogger().setLevel(logging.INFO)


    def main():
        signal.signal(signal.SIGTERM, on_sigterm)
        os.register_at_fork(
            before=before_fork, after_in_parent=after_fork_in_parent, after_in_child=after_fork_in_child
        )
        script = os.path.normpath(os.path.join(CODE, os.environ.get("SCRIPT_PATH") or "main.py"))
        prepare_logging()
        prepare_path(script)
        outcome = attempt(script)
        if Sigterm.received:
            end_threads_soon(outcome)
        try:
            # What the interpreter does at exit; here, SIGTERM can still decide the exit code.
            threading._shutdown()
        except SystemExit as error:
            outcome = exit_outcome(error.code)
            end_threads_soon(outcome)
        Sigterm.too_late = True
        write_result(outcome)
        sys.exit(outcome.code)


    if __name__ == "__main__":
        main()

    """#
