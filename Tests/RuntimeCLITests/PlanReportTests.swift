import Control
import Model
import Runtime
import Testing
import Util

@testable import runtime_cli

@Suite struct PlanReportTests {
    private static let time = Timestamp(secondsSince1970: 1_700_000_000)
    private static let later = Timestamp(secondsSince1970: 1_700_000_060)
    private static let exit = Exit(code: 137, outOfMemory: true, startedAt: time, finishedAt: time)
    private static let broken = DocumentError(
        id: "b",
        field: "custom.config.runtime",
        problem: "is missing; expected text"
    )

    private static func run(_ phase: ObservedRun.Phase, reference: String = "0123456789abcdef") -> ObservedRun {
        ObservedRun(
            reference: reference,
            id: BotID("b"),
            kind: .live,
            origin: .hash("h"),
            attempt: 2,
            createdAt: time,
            phase: phase
        )
    }

    private static func survey(_ plan: Plan, _ observed: [ObservedRun] = []) -> Survey {
        // An entry can only be made by surveying something.
        var survey = Survey(stored: [], observed: [run(.created)], desire: { _ in .absent }, now: time)
        survey.entries[0].plan = plan
        survey.entries[0].observed = observed
        return survey
    }

    static let statuses: [(status: BotStatus, row: String)] = [
        (.running(since: time), "b    running           since 2023-11-14T22:13:20Z"),
        (.starting, "b    starting"),
        (.replacing, "b    replacing"),
        (.stopping, "b    stopping"),
        (.stopped, "b    stopped"),
        (
            .backingOff(until: later, after: exit, attempt: 3),
            "b    backing-off           exit code 137, out of memory, start 3 at 2023-11-14T22:14:20Z"
        ),
        (
            .startFailed(until: later, reason: "no image"),
            "b    start-failed           no image; tried again at 2023-11-14T22:14:20Z"
        ),
        (
            .invalid(broken, isRunning: true),
            "b    invalid           custom.config.runtime is missing; expected text (left running)"
        ),
        (.invalid(broken, isRunning: false), "b    invalid           custom.config.runtime is missing; expected text"),
    ]

    @Test(arguments: statuses)
    func everyStatusIsARowAndAnObject(_ status: BotStatus, _ row: String) async throws {
        let survey = Self.survey(Plan(status: status))
        let lines = PlanReport.table(survey).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last?.split(separator: " ") == row.split(separator: " "))
        let json = await PlanReport.json(survey, reader: SilentRunner(), lastLines: 0)
        #expect(
            json == [
                "bots": [
                    [
                        "id": "b", "status": .string(status.name), "reason": .string(status.reason), "actions": [],
                        "runs": [],
                    ]
                ],
                "left_out": [],
            ]
        )
    }

    @Test func actionsAreNamedInTheirOrder() {
        let removal = Action.remove(Self.run(.created), .interrupted)
        let table = PlanReport.table(Self.survey(Plan(actions: [removal], status: .stopping)))
        #expect(table.contains("remove 0123456789ab (interrupted)"))
        #expect(!table.contains("0123456789abc"))
    }

    @Test func brokenDocumentsWithoutIdAreLeftOutAndSaidSo() async {
        var survey = Self.survey(Plan(status: .stopped))
        survey.unnamed = [DocumentError(id: "document 7", field: "id", problem: "is missing")]
        #expect(PlanReport.table(survey).hasSuffix("\nleft out: \"document 7\": id is missing"))
        let json = await PlanReport.json(survey, reader: SilentRunner(), lastLines: 0)
        #expect(json.object?["left_out"] == [.string("\"document 7\": id is missing")])
    }

    @Test func runsTellTheirPhase() async {
        let runs = [
            Self.run(.created, reference: "c"), Self.run(.leaving, reference: "l"),
            Self.run(.running(since: Self.later), reference: "r"), Self.run(.exited(Self.exit), reference: "e"),
        ]
        let json = await PlanReport.json(
            Self.survey(Plan(status: .stopped), runs),
            reader: SilentRunner(),
            lastLines: 0
        )
        let start: JSONValue = "2023-11-14T22:13:20Z"
        func common(_ reference: JSONValue, _ rest: JSONObject) -> JSONValue {
            var object: JSONObject = ["reference": reference, "created_at": start, "attempt": 2]
            for (key, value) in rest.members { object[key] = value }
            return .object(object)
        }
        let ended: JSONObject = [
            "phase": "exited", "exit_code": 137, "out_of_memory": true, "started_at": start, "finished_at": start,
        ]
        #expect(
            Self.runs(json) == [
                common("c", ["phase": "created"]), common("l", ["phase": "leaving"]),
                common("r", ["phase": "running", "since": "2023-11-14T22:14:20Z"]), common("e", ended),
            ]
        )
    }

    @Test func lastLinesAreShownOrWhyNot() async {
        let survey = Self.survey(Plan(status: .stopped), [Self.run(.exited(Self.exit))])
        let shown = await PlanReport.json(survey, reader: SilentRunner(["one", "two", "three"]), lastLines: 2)
        #expect(
            Self.runs(shown)?.first?.object?["last_lines"] == [
                ["stream": "stdout", "text": "two"], ["stream": "stdout", "text": "three"],
            ]
        )
        let failed = await PlanReport.json(survey, reader: SilentRunner(nil), lastLines: 2)
        #expect(Self.runs(failed)?.first?.object?["last_lines_error"] == "the engine is gone")
        let notAsked = await PlanReport.json(survey, reader: SilentRunner(nil), lastLines: 0)
        #expect(Self.runs(notAsked)?.first?.object?["last_lines_error"] == nil)
    }

    private static func runs(_ json: JSONValue) -> [JSONValue]? {
        guard case .array(let bots) = json.object?["bots"], case .array(let runs) = bots.first?.object?["runs"] else {
            return nil
        }
        return runs
    }
}
