import Foundation
import TestServers
import Testing

/// A state of the whole, and what tells it.
struct ReportedState {
    let name: String
    var isReady = true
    var degraded: [String] = []
    /// What readiness is answered while no worker can be asked.
    var answer: String?
    /// Whether the watchdog goes on to write status and metrics; else they say how old they are.
    var isTold = true
    /// What the others say, beside what follows from these.
    var check: [String] = []
    var status: [String] = []
    var log: [String] = []
    var metrics: [(name: String, labels: [String: String], value: Double)] = []
    /// Makes it.
    var begin: () throws -> Void = {}
    /// Ends it: then all is well again.
    var end: () throws -> Void = {}

    static func readiness(_ stack: Stack) throws -> HTTPResponse { try stack.request("GET", "/readyz") }

    /// Makes one state after the other; between two of them all is well.
    static func goThrough(_ states: [ReportedState], on stack: Stack) throws {
        for state in states {
            try state.begin()
            try state.expect(on: stack)
            try state.end()
            let isOver = try eventually { try readiness(stack).text == #"{"ready":true,"degraded":[]}"# }
            let said = try readiness(stack)
            #expect(isOver, "\(state.name) does not end: \(said.text)")
        }
    }

    /// Expects that readiness, metrics, status, check and log all tell it.
    func expect(on stack: Stack) throws {
        try expectReadiness(on: stack)
        try expectMetrics(on: stack)
        try expectStatus(on: stack)
        try expectCheck(on: stack)
        let outage = Outage(stack: stack)
        for text in log { #expect(try outage.logLines(text) > 0, "\(name): no \(text)") }
    }

    private func expectReadiness(on stack: Stack) throws {
        let names = degraded.map { "\"\($0)\"" }.joined(separator: ",")
        let body = answer ?? #"{"ready":\#(isReady),"degraded":[\#(names)]}"#
        // One answer: a worker of nginx that is about to end may give the next one.
        var said = try Self.readiness(stack)
        let isSo = try eventually {
            said = try Self.readiness(stack)
            return said.text == body
        }
        #expect(isSo, "\(name): \(said.text), not \(body)")
        #expect(said.status == (isReady ? 200 : 503), "\(name)")
    }

    private func expectMetrics(on stack: Stack) throws {
        let now = Date().timeIntervalSince1970
        let metrics = try isTold ? HostMetrics.next(from: stack) : HostMetrics.fetch(from: stack)
        #expect((metrics["mesher_metrics_timestamp_seconds"] > now) == isTold, "\(name)")
        #expect(metrics["mesher_ready"] == (isReady ? 1 : 0), "\(name)")
        #expect(metrics["mesher_degraded"] == Double(degraded.count), "\(name)")
        for what in degraded { #expect(metrics["mesher_degraded", ["what": what]] == 1, "\(name)") }
        for server in ["postgresql", "redis"] {
            let isUp = metrics["mesher_dependency_up", ["dependency": server]] == 1
            #expect(isUp != degraded.contains(server), "\(name): \(server)")
        }
        for (metric, labels, value) in self.metrics { #expect(metrics[metric, labels] == value, "\(name): \(metric)") }
    }

    private func expectStatus(on stack: Stack) throws {
        func run() throws -> Execution {
            try Execution.run(stack["MESHER_BIN"] + "/mesher", ["status"], environment: stack.variables)
        }
        let isSo = try eventually { try (run().status == 0) == isTold }
        let said = try run()
        #expect(isSo, "\(name): \(said)")
        let without = degraded.isEmpty ? "" : ", DEGRADED: \(degraded.joined(separator: ", "))"
        let ready = isTold ? ["ready       \(isReady ? "yes" : "NO")\(without)\n"] : []
        for text in status + ready { #expect((said.output + said.errors).contains(text), "\(name): \(said)") }
    }

    private func expectCheck(on stack: Stack) throws {
        let said = try Execution.run(stack["MESHER_BIN"] + "/mesher", ["check"], environment: stack.variables)
        for text in check { #expect(said.output.contains(text), "\(name): \(said.output)") }
        let storageAccepts = isReady || answer != nil
        #expect(said.output.contains("storage accepts events") == storageAccepts, "\(name): \(said.output)")
        let isFault = !degraded.isEmpty || !check.isEmpty
        #expect(said.output.contains("FAULT") == isFault, "\(name): \(said.output)")
        #expect(said.status == (isFault ? 69 : 0), "\(name): \(said.output)")
    }
}
