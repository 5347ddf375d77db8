internal import StorageChannel

/// Turns the events of a request into the frames that storage gets.
struct EventEncoder: ~Copyable {
    /// Bytes of a record besides its payload, for most events.
    private static let columnsRoom = 512

    private var parser = EventParser()
    private var plans = ScrubPlans()

    /// Parses as many events as were granted; the others are refused.
    mutating func encode(
        _ body: consuming DecodedBody, of submission: Submission, _ quota: ProjectQuota, granted: Int, flags: StoreFlags
    ) -> HandedEvents {
        let plan = plans.plan(for: quota.scrub)
        var frames = FrameBlockWriter()
        // One event needs exactly its own room.
        if granted > 1, body.eventCount > 1 { frames.reserve(body.count + body.eventCount * Self.columnsRoom) }
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
                        bytes, as: form, project: quota.project,
                        derivedID: submission.head.requestID &+ UInt128(position),
                        receivedAt: submission.head.receivedAt, ticket: submission.ticket(position), flags: flags,
                        scrubbing: plan, into: &frames)
                }
                outcomes.append(.pending(id))
            } catch {
                outcomes.append(.refused(error))
            }
        }
        return HandedEvents(outcomes, frames: frames.finish(), of: body.envelope)
    }
}
