import CJSON
package import Scoreboard

/// The events that a client reports to have dropped, by reason.
package struct ClientDiscards: Equatable, Sendable {
    /// By the places of `ClientDiscardLabels`; empty when it says nothing.
    private var counts: [Int] = []

    /// Maximum number of events that an entry may claim.
    private static let quantityLimit = 1_000_000

    /// Adds what a client report says: `{"discarded_events":[{"reason":"…","category":"…","quantity":n},…]}`. A
    /// malformed one is ignored: it is not worth a refusal.
    mutating func add(_ report: inout [UInt8], _ reader: inout HeaderReader) {
        var added = counts.isEmpty ? Array(repeating: 0, count: ClientDiscardLabels.reasons.count) : counts
        do throws(Refusal) {
            try reader.forEachElement("discarded_events", of: &report) { entry, json in
                let reason = json.member("reason", of: entry)
                guard reason.kind == .string, let quantity = json.member("quantity", of: entry).wholeNumber else {
                    return
                }
                added[ClientDiscardLabels.place(of: reason.bytes)] += min(quantity, Self.quantityLimit)
            }
            counts = added
        } catch {}
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
