internal import CCurl
internal import CCurlOptions

/// A connected stream of bytes, with TLS or without; it does not block once it is open. The corresponding C type is `CURL`
/// with CURLOPT_CONNECT_ONLY(3).
struct StreamTransport: ~Copyable {
    private let handle: UnsafeMutableRawPointer
    /// The socket to wait on; read until nothing comes before you do, since TLS may hold what has been received.
    let number: CInt

    private init(adopting handle: UnsafeMutableRawPointer, _ number: CInt) {
        self.handle = handle
        self.number = number
    }

    deinit {
        curl_easy_cleanup(handle)
    }

    /// Connects, 10 s at most.
    ///
    /// - Parameters:
    ///   - url: `http://host` or `https://host`, with a port if need be.
    ///   - authorities: a file of certificates instead of the system's.
    /// - Throws: why it cannot; `.usage` when no other try can help.
    static func open(_ url: String, authorities: String?) throws(CommandError) -> StreamTransport {
        curl_global_init(Int(CURL_GLOBAL_ALL))
        guard let handle = curl_easy_init() else { throw CommandError(.software, "libcurl: out of memory") }
        let codes = [
            mesher_curl_set_text(handle, CURLOPT_URL, url),
            mesher_curl_set_number(handle, CURLOPT_CONNECT_ONLY, 1),
            mesher_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 10),
            mesher_curl_set_number(handle, CURLOPT_NOSIGNAL, 1),
            // An upgrade is HTTP/1.1's, so nothing else may be agreed on by TLS; a proxy must pass bytes through.
            mesher_curl_set_number(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            mesher_curl_set_number(handle, CURLOPT_HTTPPROXYTUNNEL, 1),
            authorities.map { mesher_curl_set_text(handle, CURLOPT_CAINFO, $0) } ?? CURLE_OK,
        ]
        let code = codes.first { $0 != CURLE_OK } ?? curl_easy_perform(handle)
        let number = mesher_curl_socket(handle)
        guard code == CURLE_OK, number >= 0 else {
            curl_easy_cleanup(handle)
            let isHopeless = code == CURLE_SSL_CACERT_BADFILE
            throw CommandError(isHopeless ? .usage : .unavailable, HTTPClient.text(code))
        }
        return StreamTransport(adopting: handle, number)
    }

    /// Reads what has come: how many bytes, 0 at the end, nil when nothing is there. The corresponding C function is
    /// `curl_easy_recv`.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int? {
        var count = 0
        let code = curl_easy_recv(handle, room.baseAddress, room.count, &count)
        if code == CURLE_AGAIN { return nil }
        return code == CURLE_OK ? count : 0
    }

    /// Writes as much as is taken now; nil when the connection is broken. The corresponding C function is
    /// `curl_easy_send`.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var count = 0
        let code = curl_easy_send(handle, bytes.baseAddress, bytes.count, &count)
        if code == CURLE_AGAIN { return 0 }
        return code == CURLE_OK ? count : nil
    }
}
