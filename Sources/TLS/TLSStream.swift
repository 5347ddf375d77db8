internal import COpenSSL
internal import Glibc

/// TLS over a connected or connecting socket that does not block. The handshake goes on whenever the stream is flushed or
/// read. The corresponding OpenSSL type is `SSL`.
package final class TLSStream {
    /// What goes on over the socket, if anything is left to do.
    private enum Wait {
        case read, write
    }

    /// Bytes that are read at once: the most in one record.
    private static let recordSize = 16_384

    private let session: OpaquePointer
    /// Keeps the files' content alive.
    private let context: TLSContext
    private let name: String
    /// What waits to be sent, and how much of that was.
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var hasReceived = false
    /// Whether the server has asked for our certificate.
    private var wasAsked = false

    /// Whether the handshake is over.
    package private(set) var isEstablished = false

    /// - Parameters:
    ///   - descriptor: the socket, which stays the caller's and must outlive the stream.
    ///   - name: the host name or the IP address that the server's certificate must have.
    package init(_ context: TLSContext, descriptor: CInt, name: String) throws(TLSFault) {
        if let fault = context.fault { throw fault }
        guard let session = SSL_new(context.pointer) else { throw .other("out of memory") }
        self.context = context
        self.session = session
        self.name = name
        let parameters = SSL_get0_param(session)
        var isReady = SSL_set_fd(session, descriptor) == 1
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) != 1 {
            // A server behind one address may have certificates for several names.
            var name = Array(name.utf8CString)
            let kind = CLong(TLSEXT_NAMETYPE_host_name)
            isReady =
                isReady && X509_VERIFY_PARAM_set1_host(parameters, &name, 0) == 1
                && SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, kind, &name) == 1
        }
        ERR_clear_error()
        guard isReady else { throw .other("\(name) cannot be the name of a certificate") }
        SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
        SSL_set_connect_state(session)
    }

    deinit {
        SSL_free(session)
    }

    /// Called by OpenSSL on behalf of a stream whose server asks for a certificate.
    static func noteRequest(_ session: OpaquePointer?) {
        guard let session, let owner = SSL_get_ex_data(session, 0) else { return }
        Unmanaged<TLSStream>.fromOpaque(owner).takeUnretainedValue().wasAsked = true
    }

    /// Appends to what `flush` sends.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        outgoing.append(contentsOf: bytes)
    }

    /// Goes on with the handshake, then sends as much as the socket accepts. The corresponding OpenSSL functions are
    /// `SSL_do_handshake` and `SSL_write_ex`.
    ///
    /// - Returns: false when to call again once the socket is writable; else `receive` says how to go on.
    package func flush() throws(TLSFault) -> Bool {
        if let wait = try establish() { return wait == .read }
        while sent < outgoing.count {
            var count = 0
            ERR_clear_error()
            let status = outgoing.withUnsafeBytes { bytes in
                SSL_write_ex(session, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, &count)
            }
            if status != 1 { return try wait(status) == .read }
            sent += count
        }
        outgoing.removeAll(keepingCapacity: true)
        sent = 0
        return true
    }

    /// Goes on with the handshake, then reads what has come; call `flush` afterwards, for what waited for the handshake.
    /// The corresponding OpenSSL functions are `SSL_do_handshake` and `SSL_read_ex`.
    package func receive(_ take: (UnsafeRawBufferPointer) -> Void) throws(TLSFault) {
        guard try establish() == nil else { return }
        try withUnsafeTemporaryAllocation(byteCount: Self.recordSize, alignment: 1) { buffer throws(TLSFault) in
            // To the end: what OpenSSL has decrypted no longer makes the socket readable.
            while true {
                var count = 0
                ERR_clear_error()
                let status = SSL_read_ex(session, buffer.baseAddress, buffer.count, &count)
                guard status == 1 else {
                    _ = try wait(status)
                    return
                }
                hasReceived = true
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// - Returns: what to wait for; nil when the handshake is over.
    private func establish() throws(TLSFault) -> Wait? {
        guard !isEstablished else { return nil }
        ERR_clear_error()
        let status = SSL_do_handshake(session)
        guard status == 1 else { return try wait(status) }
        isEstablished = true
        return nil
    }

    private func wait(_ status: CInt) throws(TLSFault) -> Wait {
        let code = errno
        switch SSL_get_error(session, status) {
        case SSL_ERROR_WANT_READ: return .read
        case SSL_ERROR_WANT_WRITE: return .write
        case SSL_ERROR_ZERO_RETURN: throw ended(.closed)
        case SSL_ERROR_SYSCALL:
            throw ended(code == 0 ? .closed : .other(String(cString: strerror(code))))
        default: throw fault()
        }
    }

    /// What an end means. The server says why in an alert, which is lost when it closes with something unread.
    private func ended(_ fault: TLSFault) -> TLSFault {
        guard wasAsked, !hasReceived else { return fault }
        return context.hasCertificate ? .certificateRefused(why: "\(fault)") : .certificateMissing
    }

    /// Why OpenSSL could not go on.
    private func fault() -> TLSFault {
        let error = ERR_peek_error()
        ERR_clear_error()
        let message = ERR_reason_error_string(error).map { String(cString: $0) } ?? "error \(error)"
        switch ERR_GET_REASON(error) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return refusal()
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE:
            return isEstablished ? .other(message) : .notTLS
        case SSL_R_UNEXPECTED_EOF_WHILE_READING: return ended(.closed)
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return .certificateMissing
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE: return ended(.other(message))
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
            SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
            SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
            return context.hasCertificate ? .certificateRefused(why: message) : .other(message)
        default: return .other(message)
        }
    }

    /// Why we refuse the server's certificate.
    private func refusal() -> TLSFault {
        let result = SSL_get_verify_result(session)
        switch CInt(truncatingIfNeeded: result) {
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: return .wrongName(name)
        case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID: return .outOfDate(why: Self.reason(result))
        default: return .untrusted(why: Self.reason(result))
        }
    }

    private static func reason(_ result: CLong) -> String {
        X509_verify_cert_error_string(result).map { String(cString: $0) } ?? "error \(result)"
    }
}
