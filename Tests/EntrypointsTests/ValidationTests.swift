import Entrypoints
import Testing

@Suite struct ValidationTests {
    private static let fine: [(EntrypointKind, String)] = [
        (.python, "main.py"), (.python, "src/bot.py"), (.python, "./main.py"), (.python, "a b'\"$(x);.py"),
        (.python, "-m"), (.python, "..a/b..py"), (.python, "ż🐢.py"), (.node, "dist/index.mjs"), (.node, "main"),
        (.native, "target/release/bot"), (.native, "..."), (.dotnet, "publish/My.Bot.dll"), (.jvm, "bot.jar"),
        (.jvm, "target/scala-3/bot.jar:com.example.Main$"), (.jvm, "bot.jar:Żółw"),
        (.native, String(repeating: "d/", count: 500) + "bot"),
    ]

    @Test(arguments: fine)
    func anyNameThatAFileCanHaveIsFine(kind: EntrypointKind, path: String) throws {
        try validateEntrypoint(path, kind: kind)
    }

    private static let wrong: [(EntrypointKind, String, EntrypointError.Code)] = [
        (.python, "", .empty), (.jvm, "", .empty),
        (.python, "/main.py", .absolute), (.native, "//x", .absolute), (.jvm, "/x.jar:Main", .absolute),
        (.python, "/\u{301}etc/x.py", .absolute),
        (.python, "../x.py", .leavesDirectory), (.python, "a/../../x.py", .leavesDirectory),
        (.native, "..", .leavesDirectory), (.native, "a/..", .leavesDirectory),
        (.jvm, "../x.jar:Main", .leavesDirectory),
        (.python, "a/", .directory), (.native, ".", .directory), (.native, "a/.", .directory),
        (.jvm, ":Main", .directory),
        (.python, "a\0.py", .controlCharacter), (.python, "a\nb.py", .controlCharacter),
        (.node, "a\r\nb", .controlCharacter),
        (.native, "a\u{1b}[2J", .controlCharacter), (.native, "a\u{85}b", .controlCharacter),
        (.native, "a\u{2028}b", .controlCharacter), (.native, "a\u{7f}", .controlCharacter),
        (.native, String(repeating: "a", count: 256), .tooLong),
        (.native, String(repeating: "a/", count: 512) + "b", .tooLong),
        (.dotnet, "bot.exe", .wrongType), (.dotnet, "bot.DLL", .wrongType), (.dotnet, "publish/.dll", .wrongType),
        (.dotnet, "bot.dll/x", .wrongType), (.jvm, "bot", .wrongType), (.jvm, "bot.jar.txt:Main", .wrongType),
        (.jvm, "bot.jar:", .badClassName), (.jvm, "bot.jar:-version", .badClassName),
        (.jvm, "bot.jar:a..b", .badClassName),
        (.jvm, "bot.jar:a/b", .badClassName), (.jvm, "bot.jar:Main:x", .badClassName),
        (.jvm, "bot.jar:Main x", .badClassName),
        (.jvm, "bot.jar:1a", .badClassName), (.jvm, "bot.jar:@file", .badClassName), (.jvm, "a:b.jar:Main", .wrongType),
    ]

    @Test(arguments: wrong)
    func whatIsWrongIsNamedWithWhatIsAllowed(kind: EntrypointKind, path: String, code: EntrypointError.Code) {
        let error = #expect(throws: EntrypointError.self) { try validateEntrypoint(path, kind: kind) }
        #expect(error?.code == code)
        #expect(error?.message.contains("allowed is") == true)
        #expect(error?.isRetryable == false)
        #expect(error?.message.unicodeScalars.contains { $0.properties.generalCategory == .control } == false)
        #expect((error?.message.utf8.count ?? 0) < 1000)
    }
}
