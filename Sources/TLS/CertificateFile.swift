internal import COpenSSL
internal import Glibc

extension TLSContext.Files {
    /// Why the files are of no use today: one cannot be read or used, the key is another certificate's, or their time is over or has
    /// not begun. Of the CAs it is enough that one is valid. The corresponding OpenSSL functions are `PEM_read_bio_X509` and
    /// `X509_cmp_current_time`.
    package var fault: TLSFault? {
        if let fault = TLSContext(self).fault { return fault }
        let trusted = Self.periods(authorities)
        if let reason = trusted.first, let reason, trusted.allSatisfy({ $0 != nil }) {
            return .file(authorities, why: reason)
        }
        // Ours comes first, before those of the CAs between.
        if let reason = Self.periods(certificate).first, let reason { return .file(certificate, why: reason) }
        return nil
    }

    /// Why a file with a certificate is of no use today, whatever its key is.
    package static func fault(ofCertificate path: String) -> TLSFault? {
        guard let file = fopen(path, "re") else { return .file(path, why: String(cString: strerror(errno))) }
        fclose(file)
        guard let first = periods(path).first else { return .file(path, why: "no certificate in PEM form") }
        return first.map { .file(path, why: $0) }
    }

    /// Of each certificate in a file why today is not in its time; nil where it is.
    private static func periods(_ path: String) -> [String?] {
        guard !path.isEmpty, let file = BIO_new_file(path, "re") else { return [] }
        defer { BIO_free(file) }
        var reasons: [String?] = []
        while let certificate = PEM_read_bio_X509(file, nil, { _, _, _, _ in 0 }, nil) {
            reasons.append(reason(certificate))
            X509_free(certificate)
        }
        // The end of the file is an error to it.
        ERR_clear_error()
        return reasons
    }

    private static func reason(_ certificate: OpaquePointer) -> String? {
        var code: CInt?
        if X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 { code = X509_V_ERR_CERT_NOT_YET_VALID }
        if X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 { code = X509_V_ERR_CERT_HAS_EXPIRED }
        return code.flatMap { X509_verify_cert_error_string(CLong($0)) }.map { String(cString: $0) }
    }
}
