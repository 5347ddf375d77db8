import StorageChannel

/// What one frame of an edge says.
enum EdgeMessage {
    case hello(version: UInt16)
    case store(ReceivedEvent)
    case lookUp(KeyID)
    case probe(ticket: UInt64)
    /// Why Redis does not answer this edge; nil when it does. Then its policy, if it evicts counters.
    case redis(failure: String?, eviction: String?)

    /// Nil when the content does not fit the kind, or the kind is not for edges to send.
    init?(_ kind: FrameKind, _ content: UnsafeRawBufferPointer) {
        var reader = FrameContent(content)
        switch kind {
        case .hello: self = .hello(version: reader.integer())
        case .store:
            guard let event = ReceivedEvent(content) else { return nil }
            self = .store(event)
            return
        case .lookUpKey: self = .lookUp(reader.key())
        case .probe: self = .probe(ticket: reader.integer())
        case .redis:
            let answers = reader.integer(UInt8.self) == 1
            let reason = reader.remainder()
            guard reason.count <= Frame.reasonLimit else { return nil }
            let text = String(decoding: reason, as: UTF8.self)
            self = .redis(failure: answers ? nil : text, eviction: answers && !text.isEmpty ? text : nil)
        case .stored, .key, .readiness: return nil
        }
        guard reader.isIntact, reader.isAtEnd else { return nil }
    }
}
