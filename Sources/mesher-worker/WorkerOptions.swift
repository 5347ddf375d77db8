internal import Edge
internal import Ingestion

extension Worker {
    struct Options {
        let engine: Engine.Options
        let ingestion: IngestionMachine.Options
        /// Maximum number of requests in flight; further ones wait in the sockets.
        let requestsInHand: Int
        /// The most bytes in flight.
        let bytesInHand: Int
        /// Nanoseconds of pause after a body per decoded byte above 256 KiB.
        let restPerByte: Int64
    }
}
