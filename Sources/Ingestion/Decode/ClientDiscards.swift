import CJSON
package import Scoreboard

/// The events that a client says it dropped itself, by why.
package struct ClientDiscards: Equatable, Sendable {
    /// By the places of `ClientDiscardLabels`; empty when it says nothing.
    private var counts: [Int] = []

    private static let report = JSONFields(["discarded_events"])
    private static let entry = JSONFields(["reason", "quantity"])
    /// The most entries of a report, and events of an entry, that are believed.
    private static let entryLimit = 1_000
    private static let quantityLimit = 1_000_000

    /// Adds what a client report says: `{"discarded_events":[{"reason":"…","category":"…","quantity":n},…]}`. One that is
    /// not so is ignored: nothing in it is worth a refusal.
    mutating func add(_ report: inout [UInt8], _ json: inout JSONParser) {
        report.append(contentsOf: repeatElement(0, count: Body.padding))
        report.withUnsafeMutableBytes { bytes in
            let report = UnsafeMutableRawBufferPointer(rebasing: bytes.dropLast(Body.padding))
            guard let list = try? Self.report.find(in: report, json)[0], list.kind == .array, let start = list.start
            else { return }
            let entries = UnsafeMutableRawBufferPointer(
                start: UnsafeMutableRawPointer(mutating: start), count: Int(list.count))
            guard let ranges = try? json.elements(of: entries, maximum: Self.entryLimit) else { return }
            for range in ranges { add(UnsafeMutableRawBufferPointer(rebasing: entries[range]), json) }
        }
    }

    private mutating func add(_ entry: UnsafeMutableRawBufferPointer, _ json: borrowing JSONParser) {
        guard let fields = try? Self.entry.find(in: entry, json), let reason = fields[0].string,
            let quantity = fields[1].wholeNumber
        else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: ClientDiscardLabels.reasons.count) }
        counts[ClientDiscardLabels.place(of: reason)] += min(quantity, Self.quantityLimit)
    }

    /// The events of one reason.
    func count(of reason: StaticString) -> Int {
        let bytes = UnsafeRawBufferPointer(start: reason.utf8Start, count: reason.utf8CodeUnitCount)
        return counts.isEmpty ? 0 : counts[ClientDiscardLabels.place(of: bytes)]
    }

    /// Adds them to the counters of a process.
    package func count(in slot: ProcessSlot) {
        for (place, count) in counts.enumerated() where count > 0 { slot.countClientDiscards(count, reason: place) }
    }
}
