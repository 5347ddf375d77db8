extension IngestionMachine {
    /// What an operator decides.
    package struct Options: Sendable {
        /// The most events in one bulk request.
        package var bulkEvents = 1_000
        /// Whether events of Sentry SDKs that leave their user's address open get the sender's.
        package var takesSenderAddress = false
        /// How bodies of many projects share this process; nil where all belong to one.
        package var share: ProcessorShare?
        /// Whether a body that turns out to be large, or to take long, is handed on.
        package var handsOnLarge = false
        /// The thread's processor time in nanoseconds; without it there is no bound.
        package var processorTime: @Sendable () -> Int64 = { 0 }
        /// Nanoseconds without a result after which a request is answered with 503.
        package var patience: Int64 = 10_000_000_000
        /// The same for a readiness check.
        package var probePatience: Int64 = 1_000_000_000
        package init() {}

        /// Nanoseconds after which a worker for small events hands a body on.
        private static let handingOnAfter: Int64 = 4_000_000

        var decoderBounds: Decoder.Bounds {
            var bounds = Decoder.Bounds()
            bounds.processorTime = processorTime
            if handsOnLarge {
                bounds.largest = Limits.smallBytes
                bounds.ceiling = Self.handingOnAfter
            }
            return bounds
        }
    }
}
