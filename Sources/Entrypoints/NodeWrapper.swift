let nodeWrapperName = "the0_node.cjs"

// Behaviour worth knowing before changing it:
// - v1.2.0 required the file and called what it exports, so `require.main === module` was false in it. Files with that
//   guard that by the look of their text export a main are loaded that way. Every other CommonJS file is the main
//   module from the start (`require.main.filename` is a common way to find one's files).
// - Node writes to pipes without blocking, and process.exit drops what a full pipe (64 KB) didn't take: hence
//   setBlocking.
// - V8's JSON.parse quotes the text in its message: never print it for BOT_CONFIG.
let nodeWrapper = #"""
    // Runs a the0 bot: its file, then the function it exports with (id, config), and keeps exit code and result.json
    // the bot's own.
    'use strict';

    const fs = require('fs');
    const path = require('path');
    const Module = require('module');
    const { pathToFileURL } = require('url');

    const TERMINATED = 143;
    const BAD_ENVIRONMENT = 78;
    const NOT_FOUND = 127;
    const UNSETTLED = 13;

    const code = process.cwd();
    const resultFile = path.join(code, 'result.json');
    const resultBefore = fingerprint();
    const wrapper = process.argv[1];

    for (const stream of [process.stdout, process.stderr]) {
      if (stream._handle && typeof stream._handle.setBlocking === 'function') stream._handle.setBlocking(true);
    }

    // How it stands: what the exit handler says in result.json.
    const state = { terminated: false, crash: undefined, pending: false, stalled: false, value: undefined };

    function complain(message) {
      fs.writeSync(2, `the0: ${message}\n`);
    }

    function fail(exitCode, message) {
      complain(message);
      state.crash = new Error(message);
      process.exit(exitCode);
    }

    // The result.

    function fingerprint() {
      const found = fs.statSync(resultFile, { bigint: true, throwIfNoEntry: false });
      return found && `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
    }

    const success = { status: 'success', message: 'Bot executed successfully' };

    function result(exitCode) {
      if (state.terminated && (exitCode === 0 || exitCode === TERMINATED)) {
        return { status: 'terminated', message: 'Bot execution terminated by signal' };
      }
      if (exitCode !== 0) {
        const crash = state.crash;
        const message = crash === undefined ? `Bot exited with ${exitCode}` : String((crash && crash.message) || crash);
        return { status: 'error', message };
      }
      return state.value === undefined || state.value === null ? success : state.value;
    }

    function json(value) {
      try {
        const text = JSON.stringify(value);
        if (text !== undefined) return text;
        complain(`the value of main is not written to result.json, for a ${typeof value} has no JSON form`);
      } catch (error) {
        complain(`the value of main is not written to result.json, for it has no JSON form: ${error.message}`);
      }
      return JSON.stringify(success);
    }

    // Unless the bot itself has said how it ended since it was started.
    function writeResult(exitCode) {
      const draft = `${resultFile}.${process.pid}`;
      try {
        if (require('cluster').isWorker || fingerprint() !== resultBefore) return;
        fs.writeFileSync(draft, json(result(exitCode)));
        fs.renameSync(draft, resultFile);
      } catch (error) {
        fs.rmSync(draft, { force: true });
        complain(`result.json can't be written: ${error.message}`);
      }
    }

    process.on('exit', (exitCode) => {
      if (exitCode === 0 && state.pending && state.stalled) {
        exitCode = process.exitCode = UNSETTLED;
        state.crash = new Error('main waits for something that can never happen');
        complain(`${state.crash.message}: nothing is left to run, and its promise is not settled`);
      }
      writeResult(exitCode);
    });
    process.on('beforeExit', () => {
      state.stalled = true;
    });
    process.on('uncaughtExceptionMonitor', (error) => {
      state.crash = error;
    });

    // SIGTERM ends the process at once, and exit handlers run. A bot that listens for it decides for itself.

    function onSigterm() {
      state.terminated = true;
      process.exit(TERMINATED);
    }
    process.on('SIGTERM', onSigterm);
    process.on('newListener', (name, listener) => {
      if (name !== 'SIGTERM' || listener === onSigterm) return;
      // Not before the new one is there: without any listener, Node stops to watch the signal.
      queueMicrotask(() => {
        if (process.listenerCount('SIGTERM') > 1) process.removeListener('SIGTERM', onSigterm);
      });
    });
    process.on('removeListener', (name, listener) => {
      if (name !== 'SIGTERM' || listener === onSigterm || process.listenerCount('SIGTERM') > 0) return;
      process.on('SIGTERM', onSigterm);
    });

    // Finding and loading the file.

    function find(name) {
      const wanted = path.join(code, name);
      try {
        if (fs.statSync(wanted, { throwIfNoEntry: false })?.isFile()) return fs.realpathSync(wanted);
        return require.resolve(wanted);
      } catch (error) {
        return fail(NOT_FOUND, `entrypoint '${name}' not found: there is no such file in ${code}`);
      }
    }

    function isESModule(file) {
      if (file.endsWith('.mjs')) return true;
      if (!file.endsWith('.js')) return false;
      for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
        const description = path.join(directory, 'package.json');
        if (fs.existsSync(description)) {
          try {
            return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module';
          } catch (error) {
            return fail(BAD_ENVIRONMENT, `${description} is not valid: ${error.message}`);
          }
        }
        if (directory === path.dirname(directory) || path.basename(directory) === 'node_modules') return false;
      }
    }

    // What the text says. Only lines that are comments as a whole are left out: `//` also stands in strings.
    function look(file) {
      const text = fs
        .readFileSync(file, 'utf8')
        .replace(/^\s*\/\/.*$/gm, '')
        .replace(/^\s*\/\*[\s\S]*?\*\//gm, '');
      return {
        guarded: /\brequire\.main\s*[!=]==?\s*module\b|\bmodule\s*[!=]==?\s*require\.main\b/.test(text),
        exportsMain: [
          /\bexports\s*(\.\s*|\[\s*['"])(main|default)\b/,
          /\bmodule\.exports\s*=\s*(?!\{)/,
          /\bmodule\.exports\s*=\s*\{[^}]*\b(main|default)\b/,
          /^\s*export\s+(default\b|(async\s+)?function\s*main\b|(const|let|var)\s+main\b|\{[^}]*\b(main|default)\b)/m,
        ].some((form) => form.test(text)),
        // A call that stands at the beginning of a line is at the top level: the file starts itself.
        callsMain: /^(void\s+|await\s+)?main\s*\(/m.test(text),
      };
    }

    function entryOf(loaded) {
      if (loaded === null || loaded === undefined) return undefined;
      const inner = loaded.default;
      const candidates = [
        [loaded.main, loaded],
        [inner, loaded],
        [inner && inner.main, inner],
        [loaded, undefined],
      ];
      return candidates.find(([candidate]) => typeof candidate === 'function');
    }

    function runAsMain(file) {
      process.argv[1] = file;
      return Module._load(file, null, true);
    }

    // The function to call, if there is one, as a pair with its `this`.
    async function load(file) {
      const seen = look(file);
      if (isESModule(file)) {
        // The usual guard of ES modules compares import.meta.url with argv[1].
        if (!seen.exportsMain) process.argv[1] = file;
        const loaded = await import(pathToFileURL(file).href);
        return seen.callsMain ? undefined : entryOf(loaded);
      }
      if (seen.guarded && seen.exportsMain && !seen.callsMain) {
        const entry = entryOf(require(file));
        if (entry) return entry;
        // It exports something else: its guard starts it, and a file with a guard can bear to be loaded twice.
        delete require.cache[file];
      }
      const entry = entryOf(runAsMain(file));
      return seen.guarded || seen.callsMain ? undefined : entry;
    }

    function readConfig() {
      const text = process.env.BOT_CONFIG || '{}';
      try {
        return JSON.parse(text);
      } catch {
        return fail(BAD_ENVIRONMENT, `BOT_CONFIG is not JSON (${text.length} characters)`);
      }
    }

    async function run() {
      const entry = await load(find(process.env.SCRIPT_PATH || 'main'));
      if (!entry) return;
      // cluster.fork starts argv[1] again: a function needs the wrapper there.
      process.argv[1] = wrapper;
      const [main, owner] = entry;
      const config = readConfig();
      state.pending = true;
      state.value = await main.call(owner, process.env.BOT_ID || '', config);
      state.pending = false;
      // What a realtime bot has left running (timers, sockets) is the bot. A scheduled run ends with its main: an open
      // connection must not keep it.
      if (process.env.BOT_TYPE !== 'realtime') process.exit();
    }

    run().catch((error) => {
      state.pending = false;
      // Outside of the promise: an uncaught exception like any other, for the bot's own handlers too.
      if (process.listenerCount('uncaughtException') > 0) {
        process.exitCode = process.exitCode || 1;
        setImmediate(() => {
          throw error;
        });
        return;
      }
      state.crash = error;
      console.error(error);
      process.exit(1);
    });

    """#
