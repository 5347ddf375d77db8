/// Why a server cannot be spoken to over TLS.
package enum TLSFault: Error, Equatable, CustomStringConvertible {
    /// A file of our own cannot be used.
    case file(String, why: String)
    /// The server's certificate is signed by none of the CAs that are trusted.
    case untrusted(why: String)
    /// The time of the server's certificate, or of a CA's above it, is over or has not begun.
    case outOfDate(why: String)
    /// The server's certificate is another's.
    case wrongName(String)
    /// What answers speaks something else.
    case notTLS
    /// The server asked for a certificate of ours, got none, and ended the connection.
    case certificateMissing
    /// The server minds our certificate.
    case certificateRefused(why: String)
    /// The server closed the connection.
    case closed
    case other(String)

    package var description: String {
        switch self {
        case .file(let path, let why): "\(path): \(why)"
        case .untrusted(let why): "the server's certificate is not trusted: \(why)"
        case .outOfDate(let why): "the server's certificate is out of date: \(why)"
        case .wrongName(let name): "the server's certificate is not for \(name)"
        case .notTLS: "the server does not speak TLS on this port"
        case .certificateMissing: "the server asked for a client certificate, got none and closed the connection"
        case .certificateRefused(let why): "the server refused the client certificate: \(why)"
        case .closed: "the server closed the connection"
        case .other(let message): message
        }
    }
}
