/// The sizes of the contract, in bytes.
package enum Limits {
    /// One event, decoded.
    package static let eventBytes = 1 << 20
    /// The same in base64.
    package static let encodedEventBytes = 2 * eventBytes
    /// The largest body that counts as a small event, which nothing large may delay.
    package static let smallBytes = 64 << 10
    /// The header of an envelope that has its key only there, as sent and decoded.
    package static let keyedHeaderBytes = 8 << 10
    /// A bulk body, decoded.
    package static let bulkBytes = 5 << 20
    /// An envelope as it is sent.
    package static let envelopeBytes = 20 << 20
    /// The same, decoded; only its events are kept.
    package static let decodedEnvelopeBytes = 200 << 20
}
