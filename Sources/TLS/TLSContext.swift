internal import COpenSSL
internal import Glibc

/// Whom to trust, and who we are, for connections to servers. Files are read once, since a process that is confined
/// opens none. The corresponding OpenSSL type is `SSL_CTX`.
///
/// TLS 1.2 or later, and the server's certificate must be for the name that it was connected by.
package final class TLSContext {
    /// Paths of files in PEM form.
    package struct Files: Equatable, Sendable {
        /// Certificates of the CAs that are trusted, and of no others; empty to trust none.
        package let authorities: String
        /// Our certificate, then those of the CAs between; empty if we have none.
        package let certificate: String
        /// The certificate's private key, without a passphrase.
        package let key: String

        package init(authorities: String, certificate: String = "", key: String = "") {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
        }
    }

    /// Why a file cannot be used. No connection can be made then.
    package let fault: TLSFault?
    let pointer: OpaquePointer?
    /// Whether there is a certificate to show.
    let hasCertificate: Bool

    package init(_ files: Files) {
        pointer = SSL_CTX_new(TLS_client_method())
        hasCertificate = !files.certificate.isEmpty
        do throws(TLSFault) {
            guard let pointer else { throw .other("out of memory") }
            try Self.set(pointer, files)
            fault = nil
        } catch {
            fault = error
        }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    private static func set(_ pointer: OpaquePointer, _ files: Files) throws(TLSFault) {
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        // An idle connection keeps no buffers, and what was not yet sent may move.
        let modes = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        SSL_CTX_ctrl(pointer, SSL_CTRL_MODE, Int(modes), nil)
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        // OpenSSL would ask for a passphrase at the terminal.
        SSL_CTX_set_default_passwd_cb(pointer) { _, _, _, _ in 0 }
        // Called when the server asks for a certificate; 1 is to go on with the one that there is, or none.
        SSL_CTX_set_cert_cb(
            pointer,
            { session, _ in
                TLSStream.noteRequest(session)
                return 1
            }, nil)
        if !files.authorities.isEmpty {
            try use(files.authorities, as: "no CA certificate in PEM form") { SSL_CTX_load_verify_file(pointer, $0) }
        }
        guard !files.certificate.isEmpty else { return }
        try use(files.certificate, as: "no certificate in PEM form") {
            SSL_CTX_use_certificate_chain_file(pointer, $0)
        }
        guard !files.key.isEmpty else { throw .file(files.certificate, why: "no file is set for its private key") }
        try use(files.key, as: "no private key in PEM form without a passphrase") {
            SSL_CTX_use_PrivateKey_file(pointer, $0, SSL_FILETYPE_PEM)
        }
    }

    /// - Parameter complaint: what a file is that can be read and yet not be used.
    private static func use(
        _ path: String, as complaint: String, _ read: (String) -> CInt
    ) throws(TLSFault) {
        // OpenSSL's errors of files do not say more.
        guard let file = fopen(path, "re") else { throw .file(path, why: String(cString: strerror(errno))) }
        fclose(file)
        ERR_clear_error()
        guard read(path) == 1 else {
            let isMismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH
            ERR_clear_error()
            throw .file(path, why: isMismatch ? "not the key of the certificate" : complaint)
        }
    }
}
