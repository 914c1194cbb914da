import Testing

@testable import DockerMode

@Suite struct ContainerSummaryTests {
    private static let sample = #"""
        [ {"Id":"abc","Names":["/x"],"Image":"i \"quoted\" ]}","Created":1795509511,"Ports":[{"a":[1,{"b":null}]}],
        "Labels":{"runtime.id":"a\"b\u00e9\n=","other":"skipped","runtime.hash":"h"},"State":"running","Mounts":[],"New":-1.5e3},
        {"State":"exited","Id":"def","Labels":null,"Created":0} ]
        """#

    @Test func theWantedValuesAreReadAndTheRestIsPassedOver() throws {
        let containers = try ContainerSummary.list(Array(Self.sample.utf8))
        #expect(containers.count == 2)
        #expect(containers[0].id == "abc")
        #expect(containers[0].created == 1_795_509_511)
        #expect(containers[0].state == "running")
        #expect(containers[0].labels == ["runtime.id": "a\"bé\n=", "runtime.hash": "h"])
        #expect(containers[1].labels.isEmpty)
        #expect(try ContainerSummary.list(Array("[]".utf8)).isEmpty)
        #expect(try ContainerSummary.list(Array(" null ".utf8)).isEmpty)
    }

    @Test func f60AListThatWasCutAnywhereIsNoList() throws {
        let bytes = Array(Self.sample.utf8)
        for length in 0..<bytes.count {
            #expect(throws: JSONSkimmer.Failure.self, "\(length)") {
                try ContainerSummary.list(Array(bytes.prefix(length)))
            }
        }
    }

    @Test(arguments: [
        "", "{}", "[1]", "[{}]", #"[{"Id":"a"}]"#, #"[{"Id":1,"State":"x"}]"#, #"[{"Id":"a","State":"x"}] x"#, "<html>",
        #"[{"Id":"a","State":"x","Labels":[]}]"#, #"[{"Id":"a","State":"x","Created":"now"}]"#,
        #"[{"Id":"a","State":"x"},]"#,
        #"[{"Id":"a","State":"x","Y":{]}]"#, "nul", #"{"message":"server error"}"#,
    ])
    func f60WhatIsNoListOfContainersIsAnError(_ text: String) {
        #expect(throws: JSONSkimmer.Failure.self) { try ContainerSummary.list(Array(text.utf8)) }
    }

    @Test func textThatIsNotUTF8IsAnError() {
        #expect(throws: JSONSkimmer.Failure.self) {
            try ContainerSummary.list(Array(#"[{"State":"x","Id":""#.utf8) + [0xFF] + Array(#""}]"#.utf8))
        }
    }
}
