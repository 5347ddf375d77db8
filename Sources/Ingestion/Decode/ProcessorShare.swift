/// How bodies of many projects share one process. Each project is charged for the processor time of its bodies, even of
/// refused and empty ones. The project that has used least is next.
package struct ProcessorShare: Sendable {
    /// Nanoseconds of work on bodies after which the loop checks for new requests.
    package var slice: Int64 = 4_000_000
    /// A project that has waited longer than this many nanoseconds loses its last request when there is no more room.
    package var patience: Int64

    package init(patience: Int64) {
        self.patience = patience
    }

    /// Up to this size a plain event is charged `perRequest` and `perByte`: it is not worth asking the kernel.
    static let plainBytes = 16 << 10
    /// Nanoseconds that a request takes besides its body.
    static let perRequest: Int64 = 10_000
    /// Nanoseconds that it takes to parse a byte of JSON.
    static let perByte: Int64 = 4
}
