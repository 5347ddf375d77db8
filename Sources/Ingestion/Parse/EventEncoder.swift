internal import StorageChannel

/// Turns the events of a request into the frames that storage gets.
struct EventEncoder: ~Copyable {
    private var parser = EventParser()
    private var encoded = FrameWriter()

    /// Parses as many events as were granted; the others are refused.
    mutating func encode(
        _ body: consuming DecodedBody, of submission: Submission, project: Int64, granted: Int, flags: StoreFlags
    ) -> HandedEvents {
        encoded.removeAll()
        var outcomes: [HandedEvents.Outcome] = []
        outcomes.reserveCapacity(body.eventCount)
        for position in 0..<body.eventCount {
            guard position < granted else {
                outcomes.append(.refused(.rateLimited))
                continue
            }
            let form = body.form(position)
            do throws(Refusal) {
                let id = try body.withEvent(position) { (bytes) throws(Refusal) in
                    try parser.parse(
                        bytes, as: form, project: project, derivedID: submission.head.requestID &+ UInt128(position),
                        receivedAt: submission.head.receivedAt, ticket: submission.ticket(position), flags: flags,
                        into: &encoded)
                }
                outcomes.append(.pending(id))
            } catch {
                outcomes.append(.refused(error))
            }
        }
        // A copy: a shared buffer would be as large as the largest event so far.
        return HandedEvents(outcomes, frames: Array(encoded.bytes[...]), of: body.envelope)
    }
}
