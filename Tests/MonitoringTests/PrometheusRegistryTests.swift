import Foundation
import Metrics
import Testing

@testable import Monitoring

@Suite struct PrometheusRegistryTests {
    /// What is shown, without the registry's own metric.
    func shown(_ registry: PrometheusRegistry) -> String {
        let text = registry.render()
        return String(text[..<(text.range(of: "# HELP monitoring_rejected")?.lowerBound ?? text.endIndex)])
    }

    @Test func metricsAreShownInOrderWithHelpAndType() {
        let registry = PrometheusRegistry(help: ["bot.starts": "Starts of bots.\nBy \\ mode."])
        Meter(label: "queue-depth", factory: registry).set(7)
        Counter(label: "bot.starts", dimensions: [("mode", "k8s")], factory: registry).increment(by: 2)
        Counter(label: "bot.starts", dimensions: [("mode", "docker")], factory: registry).increment()
        Counter(label: "bot.starts", dimensions: [("mode", "docker")], factory: registry).increment()
        FloatingPointCounter(label: "cpu_total", factory: registry).increment(by: 1.5)
        Gauge(label: "load", factory: registry).record(-0.25)
        #expect(
            shown(registry) == """
                # HELP bot_starts_total Starts of bots.\\nBy \\\\ mode.
                # TYPE bot_starts_total counter
                bot_starts_total{mode="docker"} 2
                bot_starts_total{mode="k8s"} 2
                # HELP cpu_total cpu_total, without further description.
                # TYPE cpu_total counter
                cpu_total 1.5
                # HELP load load, without further description.
                # TYPE load gauge
                load -0.25
                # HELP queue_depth queue-depth, without further description.
                # TYPE queue_depth gauge
                queue_depth 7

                """
        )
    }

    @Test func timersAreHistogramsInSeconds() {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "pass", dimensions: [("m", "d")], factory: registry)
        timer.recordMilliseconds(1)
        timer.recordMilliseconds(2)
        timer.recordSeconds(400)
        let lines = shown(registry).split(separator: "\n").map(String.init)
        #expect(lines.first == "# HELP pass_seconds pass, without further description.")
        #expect(lines.dropFirst().first == "# TYPE pass_seconds histogram")
        #expect(lines.contains("pass_seconds_bucket{m=\"d\",le=\"0.001\"} 1"))
        #expect(lines.contains("pass_seconds_bucket{m=\"d\",le=\"0.0025\"} 2"))
        #expect(lines.contains("pass_seconds_bucket{m=\"d\",le=\"300\"} 2"))
        #expect(
            lines.suffix(3) == [
                "pass_seconds_bucket{m=\"d\",le=\"+Inf\"} 3", "pass_seconds_sum{m=\"d\"} 400.003",
                "pass_seconds_count{m=\"d\"} 3",
            ]
        )
        #expect(lines.count == 2 + PrometheusRegistry.timerBuckets.count + 3)
    }

    @Test func recordersThatAggregateAreHistograms() {
        let registry = PrometheusRegistry()
        let recorder = Recorder(label: "size", factory: registry)
        recorder.record(5)
        recorder.record(Double.nan)
        let text = shown(registry)
        #expect(text.contains("size_bucket{le=\"1\"} 0\nsize_bucket{le=\"5\"} 1\n"))
        #expect(text.hasSuffix("size_sum 5\nsize_count 1\n"))
    }

    @Test func hostileNamesAndLabelsAreMadeValid() {
        let registry = PrometheusRegistry()
        let value = "a\"b\\c\nd" + String(repeating: "é", count: 1_000)
        Meter(
            label: "9é x{}",
            dimensions: [("__n", "1"), ("le", "2"), ("a b", "x"), ("a_b", value), ("", "e")],
            factory: registry
        )
        .set(1)
        let cut = "a\\\"b\\\\c\\nd" + String(repeating: "é", count: 193)
        #expect(
            shown(registry).hasSuffix("\n_9__x__{_=\"e\",a_b=\"\(cut)\",label___n=\"1\",label_le=\"2\"} 1\n")
        )
    }

    @Test func labelsBeyondTheLimitCountTogether() {
        let registry = PrometheusRegistry(maximumSeries: 3)
        for number in 0..<1_000 {
            Counter(label: "c", dimensions: [("bot", "\(number)")], factory: registry).increment()
        }
        let lines = shown(registry).split(separator: "\n").dropFirst(2)
        #expect(
            Array(lines) == [
                "c_total{bot=\"0\"} 1", "c_total{bot=\"1\"} 1", "c_total{bot=\"2\"} 1",
                "c_total{overflow=\"true\"} 997",
            ]
        )
    }

    @Test func destroyedMetricsMakeRoom() {
        let registry = PrometheusRegistry(maximumSeries: 1)
        let first = registry.makeCounter(label: "c", dimensions: [("bot", "1")])
        registry.destroyCounter(first)
        #expect(shown(registry).isEmpty)
        registry.makeCounter(label: "c", dimensions: [("bot", "2")]).increment(by: 1)
        #expect(shown(registry).hasSuffix("\nc_total{bot=\"2\"} 1\n"))
    }

    @Test func aNameHasOneType() {
        let registry = PrometheusRegistry()
        Timer(label: "x", factory: registry).recordSeconds(1)
        Meter(label: "x_seconds_count", factory: registry).set(5)
        Meter(label: "x_seconds", factory: registry).set(5)
        let text = registry.render()
        #expect(text.components(of: "# TYPE x_seconds") == 1)
        #expect(text.contains("\nx_seconds_count 1\n"))
        #expect(text.hasSuffix("\nmonitoring_rejected_metrics_total 2\n"))
    }

    @Test func countersOnlyGrow() {
        let registry = PrometheusRegistry()
        let counter = registry.makeFloatingPointCounter(label: "c", dimensions: [])
        counter.increment(by: 2)
        for amount in [-1, .nan, .infinity, -.infinity] as [Double] { counter.increment(by: amount) }
        #expect(shown(registry).hasSuffix("\nc_total 2\n"))
        counter.reset()
        #expect(shown(registry).hasSuffix("\nc_total 0\n"))
    }

    @Test func numbersAreWrittenAsPrometheusReadsThem() {
        let numbers: [(Double, String)] = [
            (0, "0"), (-0.0, "0"), (3, "3"), (0.1, "0.1"), (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"),
        ]
        for (number, text) in numbers { #expect(PrometheusText.number(number) == text) }
    }

    @Test func concurrentIncrementsAreAllCounted() async {
        let registry = PrometheusRegistry()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    for _ in 0..<500 {
                        Counter(label: "c", dimensions: [("n", "\(number % 4)")], factory: registry).increment()
                    }
                }
            }
        }
        for number in 0..<4 { #expect(shown(registry).contains("c_total{n=\"\(number)\"} 2500\n")) }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.range(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
